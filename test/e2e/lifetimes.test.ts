// Values with a lifetime: `PUT /v1/kv/{key}?ttl=seconds`. They are hidden from their deadline on wherever somebody may look,
// and come back from nowhere.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startCluster, type InProcessCluster } from '../support/in-process-cluster.js';
import { contextOf, type InProcessNode } from '../support/in-process-node.js';

let cluster: InProcessCluster;
let n1: InProcessNode;
let n2: InProcessNode;
beforeAll(async () => {
  cluster = await startCluster(2);
  [n1, n2] = cluster.nodes as [InProcessNode, InProcessNode];
});
afterAll(() => cluster.remove());

const TTL_MS = 1000;

/** Written at n1 with this lifetime, and there at n2; resolves with the moments between which its deadline lies. */
async function mortal(
  key: string,
  value = 'mortal',
  ttlMs = TTL_MS,
): Promise<{ earliestMs: number; latestMs: number }> {
  const beforeMs = Date.now();
  const response = await n1.put(key, value, { query: `ttl=${ttlMs / 1000}&w=all`, contentType: 'text/plain' });
  expect(response.status).toBe(201);
  return { earliestMs: beforeMs + ttlMs, latestMs: Date.now() + ttlMs };
}

function untilMs(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms - Date.now())));
}

describe('a value with ?ttl=', () => {
  it('is there until its deadline, and hidden from then on: from reads, siblings, the listing and /get', async () => {
    const { earliestMs, latestMs } = await mortal('hidden');
    for (const node of cluster.nodes) {
      const read = await node.get('hidden');
      if (Date.now() < earliestMs) expect([read.status, await read.text()]).toEqual([200, 'mortal']);
    }
    await untilMs(latestMs);
    for (const node of cluster.nodes) {
      const read = await node.get('hidden');
      expect([read.status, read.headers.has('etag'), contextOf(read) !== '']).toEqual([404, false, true]);
      expect((await node.get('hidden', { query: 'siblings=all' })).status).toBe(404);
      expect((await node.head('hidden')).status).toBe(404);
      expect((await node.request('/get?key=hidden')).status).toBe(404);
      expect((await node.listing()).map(({ key }) => key)).not.toContain('hidden');
      expect(await (await node.request('/v1/kv?prefix=hidden')).json()).toMatchObject({ entries: [], next: null });
    }
  });

  it('shows when it ends with ?siblings=all', async () => {
    const { earliestMs, latestMs } = await mortal('shown', 'mortal', 3_600_000);
    const { siblings } = await n2.siblings('shown');
    const expiresMs = Date.parse(siblings[0]!.expires!);
    expect(expiresMs).toBeGreaterThanOrEqual(earliestMs);
    expect(expiresMs).toBeLessThanOrEqual(latestMs);
  });

  it('does not count for a condition once it is hidden', async () => {
    const written = await n1.put('condition', 'mortal', { query: 'ttl=1' });
    const etag = written.headers.get('etag')!;
    await untilMs(Date.now() + TTL_MS);
    expect((await n1.put('condition', 'new', { headers: { 'If-Match': etag } })).status).toBe(412);
    const absent = { headers: { 'If-None-Match': '*' } };
    expect((await n1.put('condition', 'new', absent)).status).toBe(201);
    expect((await n1.put('condition', 'newer', absent)).status).toBe(412);
    expect(await (await n1.get('condition')).text()).toBe('new');
  });

  it('lives as long as its last write says: a longer lifetime, or none', async () => {
    await mortal('renewed');
    await n1.write('renewed', 'longer', { query: 'ttl=3600' });
    const { latestMs } = await mortal('kept');
    await n1.write('kept', 'for ever');
    await untilMs(latestMs);
    expect(await (await n1.get('renewed')).text()).toBe('longer');
    expect(await (await n1.get('kept')).text()).toBe('for ever');
  });

  it('leaves its siblings alive: the entity tag and the count are those of what lives', async () => {
    const first = await n1.write('raced', 'first');
    const lasting = await n1.write('raced', 'lasting', { context: first.context });
    const earliestMs = Date.now() + TTL_MS;
    await n1.write('raced', 'mortal', { context: first.context, query: 'ttl=1' });
    const early = await n1.get('raced');
    if (Date.now() < earliestMs) expect(early.headers.get('quartet-siblings')).toBe('2');
    await untilMs(Date.now() + TTL_MS);
    const read = await n1.get('raced');
    expect([await read.text(), read.headers.get('quartet-siblings'), read.headers.get('etag')]).toEqual([
      'lasting',
      '1',
      `"${lasting.dot}"`,
    ]);
  });

  it('makes room for a value of another type once it is hidden', async () => {
    const { earliestMs, latestMs } = await mortal('retyped');
    const add = () =>
      n1.request('/v1/counters/retyped', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: '{"add":1}',
      });
    const early = await add();
    if (Date.now() < earliestMs) expect(early.status).toBe(409);
    await untilMs(latestMs);
    expect((await add()).ok).toBe(true);
    expect((await n1.get('retyped')).status).toBe(409);
  });

  it('is hidden after a restart too, at the same moment', async () => {
    const { latestMs } = await mortal('restarted');
    await cluster.restart(n1);
    await untilMs(latestMs);
    expect((await n1.get('restarted')).status).toBe(404);
  });

  it('stands with its deadline in a snapshot', async () => {
    await n1.put('backed up', 'mortal', { query: 'ttl=3600' });
    const lines = (await (await n1.request('/v1/snapshot')).text()).split('\n');
    const line = lines.find((each) => each.startsWith('{"key":"backed up"'))!;
    const { versions } = JSON.parse(line) as { versions: { deadlineMs: number }[] };
    expect(Math.abs(versions[0]!.deadlineMs - Date.now() - 3_600_000)).toBeLessThan(10_000);
  });
});
