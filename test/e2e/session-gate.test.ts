// What becomes of a request that waits for what its session has seen? The session of these tests is one write ahead of the
// replica, whose only peer does not answer.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import { Tokens } from '../../src/controllers/http/tokens.js';
import { InProcessNode } from '../support/in-process-node.js';
import { RawClient, rawRequest } from '../support/raw-client.js';
import { until } from '../support/until.js';
import { vector } from '../support/clock-arbitraries.js';

/** More than what a connection holds of a body that nobody reads. */
const BODY = 'x'.repeat(300_000);

const JSON_TYPE = { 'Content-Type': 'application/json' };

const WITHIN = /within (\d+) ms/;

let node: InProcessNode;
let clients: RawClient[];
let session: string;

beforeAll(async () => {
  const peers = [{ name: 'n4', url: 'http://127.0.0.1:1', isNamed: true }];
  node = await InProcessNode.start({ peers, requestTimeoutMs: 100, bodyBytesMax: 700_000 });
});
beforeEach(async () => {
  clients = [];
  await node.write('a', 'value');
  await node.request('/v1/counters/b', { method: 'POST', headers: JSON_TYPE, body: '{"add":1}' });
  const { actor, clock } = await node.cluster();
  session = new Tokens(undefined).session(vector({ [actor]: clock[actor]! + 1 }));
});
afterEach(() => {
  for (const client of clients) client.leave();
});
afterAll(() => node.remove());

async function connected(): Promise<RawClient> {
  const client = await RawClient.connect(node.port);
  clients.push(client);
  return client;
}

/** Its head has come, and it waits. */
async function waiting(method: string, target: string, body = ''): Promise<RawClient> {
  const client = await connected();
  const headers = { 'Quartet-Session': session, Expect: '100-continue', ...JSON_TYPE };
  const text = rawRequest(method, target, { headers, body });
  const head = text.length - body.length;
  expect((await client.send(text.slice(0, head)).response()).status).toBe(100);
  return client.send(text.slice(head));
}

/** The replica comes to what the session has seen. */
const open = (): Promise<unknown> => node.write('opens', 'value');

describe('a request that has waited for its session', () => {
  it('waits for other replicas, for their answers or acknowledgements, no longer than for what is left of its time', async () => {
    const reads = [
      await waiting('GET', '/v1/kv/a?r=all&timeout=5000'),
      await waiting('GET', '/v1/counters/b?r=all&timeout=5000'),
    ];
    const query = '?w=all&timeout=5000';
    const writes = [
      await waiting('PUT', `/v1/kv/c${query}`, 'value'),
      await waiting('DELETE', `/v1/kv/a${query}`),
      await waiting('POST', `/v1/counters/d${query}`, '{"add":1}'),
      await waiting('DELETE', `/v1/counters/b${query}`),
    ];
    const ended: string[] = [];
    const written = writes.map((write) => write.response().then(({ status }) => ended.push(`written ${status}`)));
    await pause(2500);
    await open();
    // It ends 1250 ms later than the writes, which would have 1250 more than it if they had all of their time again.
    const read = node.get('c', { query: 'r=all&timeout=3750' }).then(() => ended.push('read'));
    for (const each of reads) {
      const { status, body } = await each.response();
      expect(status).toBe(503);
      expect(Number(WITHIN.exec(body)![1])).toBeLessThan(5000);
    }
    await Promise.all([...written, read]);
    expect(ended).toEqual([...writes.map(() => 'written 202'), 'read']);
  });
});

describe('a large write that waits for its session', () => {
  it('is not told that it is slow, and counts among the bodies that are kept', async () => {
    const set = JSON.stringify({ add: ['x'], remove: BODY.match(/.{1000}/g) });
    const large = [
      await waiting('PUT', '/v1/kv/large?timeout=60000', BODY),
      await waiting('POST', '/v1/sets/large%20set?timeout=60000', set),
    ];
    // Where there is room, it is refused for another reason.
    const absent = { headers: { 'If-Match': '*' } };
    await until('they are kept', async () => (await node.put('other', BODY, absent)).status === 429);
    // Of this one, which came later, something is missing.
    const slow = await connected();
    slow.send(rawRequest('PUT', '/v1/kv/slow', { headers: { 'Content-Length': '5' }, body: 'half' }));
    expect((await slow.response()).status).toBe(408);
    await open();
    for (const client of large) expect((await client.response()).status).toBe(201);
    expect((await node.put('other', BODY)).ok).toBe(true);
  });
});
