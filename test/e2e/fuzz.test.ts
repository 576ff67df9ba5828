// Can any request, however made, bring a replica down, or out of it an answer that it has no name for?

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { PROBLEMS, type ProblemCode } from '../../src/controllers/http/problem.js';
import { encodeRequest } from '../../src/replication/transport/message-codec.js';
import { container, version } from '../support/clock-arbitraries.js';
import { contextOf, InProcessNode, sessionOf } from '../support/in-process-node.js';
import { RawClient, rawRequest, type RawResponse } from '../support/raw-client.js';

const WITNESS = 'witness';

let node: InProcessNode;
beforeAll(async () => {
  node = await InProcessNode.start();
  await node.write(WITNESS, 'unharmed');
});
afterAll(() => node.remove());

/** The answer, or undefined when the connection was closed without one. */
async function answerTo(request: string, hasBody: boolean): Promise<RawResponse | undefined> {
  const client = await RawClient.connect(node.port);
  try {
    return await client.send(request).response({ hasBody });
  } catch {
    return undefined;
  } finally {
    client.leave();
  }
}

/** All answers until the server ends the connection. */
async function answersTo(requests: string): Promise<RawResponse[]> {
  const client = await RawClient.connect(node.port);
  client.send(requests);
  const answers: RawResponse[] = [];
  try {
    for (;;) {
      const answer = await client.response();
      // Node's own, to a request without a Host: it has no body, and is the last.
      if (answer.status === 400 && answer.headers.get('transfer-encoding') === 'chunked') return answers;
      answers.push(answer);
    }
  } catch {
    // None is cut.
    expect({ requests, rest: await client.rest() }).toEqual({ requests, rest: '' });
    return answers;
  } finally {
    client.leave();
  }
}

/** A success, or a problem of the registry that is not the replica's own fault. */
function expectKnown(answer: RawResponse, request: string): void {
  if (answer.status < 400) return;
  const type = answer.headers.get('content-type');
  expect({ request, type }).toEqual({ request, type: 'application/problem+json' });
  if (answer.body === '') return;
  const { code, status } = JSON.parse(answer.body) as { code: ProblemCode; status: number };
  expect({ request, code, status }).toEqual({ request, code: expect.any(String), status: PROBLEMS[code].status });
  expect({ request, code }).not.toEqual({ request, code: 'INTERNAL' });
}

describe('a replica', () => {
  it('has an answer to every request that is HTTP', async () => {
    const read = await node.get(WITNESS);
    const [context, session, etag] = [contextOf(read), sessionOf(read), read.headers.get('ETag')!];
    const piece = fc.constantFrom(
      'a',
      'b',
      '%',
      '%2F',
      '%zz',
      '%ff',
      '/',
      '.',
      '..',
      '?',
      '=',
      '&',
      '+',
      ';',
      '__proto__',
      '{',
      '*',
      '~',
    );
    const path = fc
      .tuple(
        fc.constantFrom(
          '/v1/kv/',
          '/v1/kv',
          '/v1/cluster',
          '/put',
          '/get',
          '/put_remote',
          '/livez',
          '/readyz',
          '/',
          '/v1/',
        ),
        fc.array(piece, { maxLength: 5 }),
        fc.constantFrom(
          '',
          '?',
          '?w=1',
          '?timeout=0',
          '?resolve=latest',
          '?siblings=all',
          '?key=f&value=g',
          '?limit=2',
          '?w=99',
        ),
      )
      .map(([prefix, pieces, query]) => prefix + pieces.join('') + query);
    const header = fc.tuple(
      fc.constantFrom(
        'Quartet-Context',
        'Quartet-Session',
        'If-Match',
        'If-None-Match',
        'Prefer',
        'Content-Type',
        'Accept',
        'Content-Encoding',
        'Content-Range',
        'Authorization',
        'Connection',
        'Range',
      ),
      fc.constantFrom(
        '',
        '*',
        etag,
        context,
        session,
        'return=minimal',
        'application/json',
        'application/x-www-form-urlencoded',
        'application/x-ndjson',
        'gzip',
        'deflate',
        'bytes=0-1',
        'Bearer x',
        '\xff',
        'keep-alive',
      ),
    );
    const anyRequest = fc.record({
      method: fc.constantFrom('GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND', 'QUERY'),
      path,
      headers: fc.array(header, { maxLength: 4 }),
      body: fc.constantFrom('', 'x', '{}', '{"key":"f","value":"g"}', 'key=f&value=g', '\xff\xfe', '[', 'null'),
    });
    await fc.assert(
      fc.asyncProperty(anyRequest, async ({ method, path, headers, body }) => {
        const request = rawRequest(method, path, { headers: Object.fromEntries(headers), body });
        const answer = await answerTo(request, method !== 'HEAD');
        expect({ request, answered: answer !== undefined }).toEqual({ request, answered: true });
        expectKnown(answer!, request);
      }),
      { numRuns: 300 },
    );
    expect((await node.request('/readyz')).status).toBe(200);
  });

  it('has an answer, or none, to whatever is almost HTTP, and goes on', async () => {
    const sound = rawRequest('PUT', '/v1/kv/sound', { headers: { 'If-None-Match': '*' }, body: 'value' });
    const change = fc.tuple(fc.nat({ max: sound.length - 1 }), fc.nat({ max: 255 }));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
        const bytes = Buffer.from(sound, 'latin1');
        for (const [place, byte] of changes) bytes[place] = byte;
        const request = bytes.toString('latin1');
        // Others behind it, so that a length that was made larger finds an end, and the connection does.
        const last = rawRequest('GET', '/livez', { headers: { Connection: 'close' } });
        for (const answer of await answersTo(request + last.repeat(3))) expectKnown(answer, request);
        expect(node.failures).toEqual([]);
      }),
      { numRuns: 200 },
    );
    expect(await (await node.get(WITNESS)).text()).toMatch(/./);
    expect((await node.request('/readyz')).status).toBe(200);
  });

  it('is not stopped by any message that keeps the rules of its format', async () => {
    const { actor } = await node.cluster();
    const actors = [actor, 'n2.b', 'n3.c'];
    const anyVector = fc
      .uniqueArray(fc.tuple(fc.constantFrom(...actors), fc.integer({ min: 1, max: 6 })), { selector: ([name]) => name })
      .map((entries) => new Map(entries));
    const key = fc.constantFrom(WITNESS, 'f', 'g');
    const anyMessage = fc
      .record({ clock: anyVector, context: anyVector, key, from: fc.nat({ max: 3 }), length: fc.nat({ max: 3 }) })
      .map(({ clock, context, key, from, length }) => {
        const [first] = [...clock];
        const versions = first === undefined ? [] : [version(first[0], first[1], 'foreign')];
        const end = first === undefined ? 0 : Math.min(first[1], from + length);
        const keys = Array.from({ length: Math.max(0, end - from) }, () => key);
        const ranges = first === undefined || keys.length === 0 ? [] : [{ actor: first[0], from, keys }];
        return {
          clock,
          ranges,
          containers: new Map([[key, container(versions, context)]]),
          exact: undefined,
          past: new Map<string, number>(),
        };
      });
    await fc.assert(
      fc.asyncProperty(anyMessage, async (batch) => {
        const response = await node.request('/put_remote', {
          method: 'POST',
          headers: { 'Content-Type': 'application/octet-stream' },
          body: new Uint8Array(encodeRequest({ from: 'n2', to: 'n1', message: { kind: 'push', batch } })),
        });
        await response.arrayBuffer();
        expect([200, 400]).toContain(response.status);
        expect(node.failures).toEqual([]);
      }),
      { numRuns: 200 },
    );
    // A cluster without a secret believes such a message; but the replica lives, and takes writes.
    expect((await node.put('after all', 'value')).ok).toBe(true);
    expect(Object.keys(await node.clock()).length).toBeGreaterThan(0);
  });
});
