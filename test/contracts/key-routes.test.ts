// Do requests for one key get the same answers without a parser, before the router and behind it? One suite is run each way,
// and then random requests are sent each way to a replica of its own, and all must answer alike to the last header.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { InProcessNode } from '../support/in-process-node.js';
import { ask, WAYS, type Answered, type Asked, type Way } from '../support/three-ways.js';
import { keyRoutesContract } from './key-routes.contract.js';

describe.each(WAYS)('asked %s', (way) => keyRoutesContract(way));

/** Two thousand requests: some seconds, several times that on a machine at work. */
const RANDOM_MS_MAX = 60_000;

describe('random requests', () => {
  const nodes = new Map<Way, InProcessNode>();
  beforeAll(async () => {
    for (const way of WAYS) nodes.set(way, await InProcessNode.start({ valueBytesMax: 40 }));
  });
  afterAll(() => Promise.all([...nodes.values()].map((node) => node.remove())));

  it(
    'get answers that differ in nothing but names and times',
    async () => {
      const requests = fc.array(
        fc.record({
          method: fc.constantFrom('GET', 'GET', 'HEAD', 'PUT', 'PUT', 'PUT', 'DELETE', 'POST', 'OPTIONS'),
          key: fc.constantFrom(
            'a',
            'b',
            '%63',
            'x%2Fy',
            'x/y',
            '',
            '%zz',
            '%ff',
            '%ed%a0%80',
            'k'.repeat(1025),
            '..',
            '%C3%A4',
          ),
          query: fc.constantFrom('', '?', '?siblings=all', '?resolve=latest', '?w=1', '?w=9', '?timeout=0', '?a=1&a=2'),
          headers: fc.constantFrom<Record<string, string>>(
            {},
            {},
            { Prefer: 'return=minimal' },
            { 'If-None-Match': '*' },
            { 'If-Match': '*' },
            { 'Content-Type': 'text/html; charset=utf-8' },
            { 'Content-Encoding': 'gzip' },
            { 'Quartet-Context': 'nonsense' },
            { 'Quartet-Contxt': 'nonsense' },
            { 'Quartet-Context': '(read)' },
          ),
          body: fc.constantFrom('', 'value', 'v'.repeat(41)),
        }),
        { minLength: 1, maxLength: 30 },
      );
      const actors = await Promise.all(WAYS.map(async (way) => [way, await actorOf(nodes.get(way)!)] as const));
      await fc.assert(
        fc.asyncProperty(requests, async (list) => {
          for (const request of list) {
            const answers = [];
            for (const [way, actor] of actors) answers.push(await exchange(way, actor, request));
            for (const answer of answers) expect(answer).toEqual(answers[0]);
          }
        }),
        { numRuns: 40 },
      );
    },
    RANDOM_MS_MAX,
  );

  interface Drawn {
    readonly method: string;
    readonly key: string;
    readonly query: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  }

  async function exchange(way: Way, actor: string, { method, key, query, headers, body }: Drawn): Promise<unknown> {
    const { port } = nodes.get(way)!;
    const asked: Asked = { method, path: `v1/kv/${key}${query}` };
    const sent = { ...headers };
    if (sent['Quartet-Context'] === '(read)') {
      const read = await ask(way, port, { method: 'GET', path: asked.path.replace(query, '') });
      sent['Quartet-Context'] = (read.headers['quartet-context'] as string | undefined) ?? 'none';
    }
    const hasBody = method === 'PUT' || method === 'POST';
    return comparable(await ask(way, port, { ...asked, headers: sent, ...(hasBody ? { body } : {}) }), actor);
  }
});

async function actorOf(node: InProcessNode): Promise<string> {
  return (await node.cluster()).actor;
}

/** Tokens hold the names of actors, and times pass. Details of a problem are words for people. */
function comparable({ status, headers, body }: Answered, actor: string): unknown {
  const plain: Record<string, unknown> = { ...headers };
  for (const name of ['quartet-context', 'quartet-session', 'date', 'last-modified']) {
    if (name in plain) plain[name] = 'some';
  }
  const isProblem = plain['content-type'] === 'application/problem+json';
  if (isProblem) delete plain['content-length'];
  const text = body.replaceAll(/"(context|session|time)":"[^"]*"/g, '"$1":"some"').replaceAll(actor, '(actor)');
  return {
    status,
    headers: JSON.parse(JSON.stringify(plain).replaceAll(actor, '(actor)')) as unknown,
    body: isProblem && body !== '' ? { ...(JSON.parse(body) as object), detail: 'some' } : text,
  };
}
