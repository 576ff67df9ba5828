// `?r=`: what does a read of several replicas show, what does it mend, and what does it never change?

import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { startCluster, type InProcessCluster } from '../support/in-process-cluster.js';
import { contextOf, sessionOf, type InProcessNode } from '../support/in-process-node.js';
import { until } from '../support/until.js';

let cluster: InProcessCluster;
let n1: InProcessNode, n2: InProcessNode, n3: InProcessNode;
beforeAll(async () => {
  cluster = await startCluster(3);
  [n1, n2, n3] = cluster.nodes as [InProcessNode, InProcessNode, InProcessNode];
});
afterEach(() => cluster.restore());
afterAll(() => cluster.remove());

/** What this node writes reaches the others only when they ask for it. */
function silence(node: InProcessNode): void {
  for (const other of cluster.nodes) if (other !== node) cluster.cut(node, other);
}

describe('a read with r', () => {
  it.each(['r=1', 'r=2', 'r=3', 'r=majority', 'r=all'])(
    '%s answers as one of a single replica does: value, tag, tokens',
    async (query) => {
      await n1.write(query, 'value', { contentType: 'text/plain', query: 'w=all' });
      const response = await n2.get(query, { query });
      expect(response.status).toBe(200);
      expect(await response.text()).toBe('value');
      expect(response.headers.get('Content-Type')).toBe('text/plain');
      expect(response.headers.get('Quartet-Siblings')).toBe('1');
      expect(response.headers.get('ETag')).toBe((await n1.get(query)).headers.get('ETag'));
      expect((await n3.get(query, { session: sessionOf(response) })).status).toBe(200);
      const again = await n3.put(query, 'new', { context: contextOf(response) });
      expect(again.headers.get('Quartet-Siblings')).toBe('1');
    },
  );

  it('sees every write that w replicas have acknowledged, as soon as r + w is more than there are', async () => {
    for (let round = 0; round < 20; round++) {
      const [writer, reader, slow] = [0, 1, 2].map((place) => cluster.nodes[(round + place) % 3]!);
      cluster.isolate(slow!);
      expect((await writer!.put('overlap', `${round}`, { query: 'w=2' })).status).toBeLessThan(202);
      expect(await (await reader!.get('overlap', { query: 'r=2' })).text()).toBe(`${round}`);
      cluster.heal();
      expect(await (await slow!.get('overlap', { query: 'r=2' })).text()).toBe(`${round}`);
    }
  });

  it('shows what only another replica has, and stores it here', async () => {
    silence(n1);
    await n1.write('elsewhere', 'value');
    expect((await n3.get('elsewhere')).status).toBe(404);
    expect(await (await n3.get('elsewhere', { query: 'r=all' })).text()).toBe('value');
    expect(await (await n3.get('elsewhere')).text()).toBe('value');
  });

  it('brings what was missing to the other replicas that it has asked, too', async () => {
    silence(n1);
    silence(n2);
    await n1.write('spread', 'value');
    const before = await n2.metric('quartet_batches_applied_total');
    expect((await n3.get('spread', { query: 'r=all' })).status).toBe(200);
    await until('n2 has it', async () => (await n2.get('spread')).status === 200);
    expect(await n2.metric('quartet_batches_applied_total')).toBeGreaterThan(before);
    expect(await n3.metric('quartet_read_repairs_total')).toBeGreaterThan(0);
  });

  it('counts as no write: no replica has one more of its own after a repair', async () => {
    silence(n1);
    await n1.write('mended', 'value');
    const [writer, ...others] = await Promise.all(cluster.nodes.map((node) => node.cluster()));
    const counts = (clock: Readonly<Record<string, number>>) => others.map(({ actor }) => clock[actor] ?? 0);
    const before = counts(writer!.clock);
    expect((await n2.get('mended', { query: 'r=all' })).status).toBe(200);
    expect((await n3.get('mended', { query: 'r=all' })).status).toBe(200);
    cluster.heal();
    await cluster.converge();
    expect(counts(await n1.clock())).toEqual(before);
    for (const node of cluster.nodes) expect((await node.siblings('mended')).siblings).toHaveLength(1);
  });

  it('shows siblings that no replica has seen together, and a write with its context replaces them', async () => {
    silence(n1);
    silence(n2);
    await n1.write('raced', 'one');
    await n2.write('raced', 'two');
    const { siblings, context } = await n3.siblings('raced', { query: 'r=all' });
    expect(siblings.map(({ value }) => value)).toEqual(['two', 'one']);
    // Somewhere else, where neither has come.
    expect((await n3.write('raced', 'merged', { context })).siblings).toBe(1);
    cluster.heal();
    await cluster.converge();
    for (const node of cluster.nodes) {
      expect((await node.siblings('raced')).siblings).toMatchObject([{ value: 'merged' }]);
    }
  });

  it('is 404 for what another replica has deleted, and brings nothing back', async () => {
    await n1.write('deleted', 'value', { query: 'w=all' });
    silence(n1);
    await n1.delete('deleted');
    expect((await n3.get('deleted')).status).toBe(200);
    const missing = await n3.get('deleted', { query: 'r=all' });
    expect(missing.status).toBe(404);
    expect((await n3.get('deleted')).status).toBe(404);
    expect((await n3.put('deleted', 'again', { context: contextOf(missing) })).status).toBe(201);
    cluster.heal();
    await cluster.converge();
    for (const node of cluster.nodes) expect(await (await node.get('deleted')).text()).toBe('again');
  });

  it('gives a session that remembers what was read: a replica that lacks it does not answer it', async () => {
    cluster.isolate(n2);
    silence(n1);
    await n1.write('remembered', 'value');
    const read = await n3.get('remembered', { query: 'r=2' });
    expect(read.status).toBe(200);
    expect((await n2.get('remembered')).status).toBe(404);
    expect((await n2.get('remembered', { session: sessionOf(read), query: 'timeout=0' })).status).toBe(503);
  });

  it('works for HEAD, for all siblings and for If-None-Match', async () => {
    const written = await n1.put('headers', 'value', { query: 'w=all' });
    const tag = written.headers.get('ETag')!;
    expect((await n2.head('headers', { query: 'r=all' })).headers.get('ETag')).toBe(tag);
    expect((await n2.siblings('headers', { query: 'r=2' })).siblings).toHaveLength(1);
    expect((await n2.get('headers', { query: 'r=2', headers: { 'If-None-Match': tag } })).status).toBe(304);
  });

  it('writes nothing anywhere when all replicas have the same', async () => {
    await n1.write('level', 'value', { query: 'w=all' });
    await cluster.converge();
    const repairs = () => Promise.all(cluster.nodes.map((node) => node.metric('quartet_read_repairs_total')));
    const before = { clocks: await n1.clock(), repairs: await repairs() };
    for (const node of cluster.nodes) expect((await node.get('level', { query: 'r=all' })).status).toBe(200);
    expect({ clocks: await n1.clock(), repairs: await repairs() }).toEqual(before);
  });
});

describe('a read that too few replicas answer', () => {
  it('is 503 QUORUM_NOT_REACHED with Retry-After, after its timeout, and says how many have', async () => {
    await n1.write('alone', 'value', { query: 'w=all' });
    cluster.isolate(n1);
    const startedAt = performance.now();
    const response = await n1.get('alone', { query: 'r=2&timeout=300' });
    expect(performance.now() - startedAt).toBeGreaterThan(290);
    expect(response.status).toBe(503);
    expect(response.headers.get('Retry-After')).toBe('1');
    const problem = (await response.json()) as { detail: string };
    expect(problem).toMatchObject({ code: 'QUORUM_NOT_REACHED', outcome: 'definite' });
    expect(problem.detail).toContain('1 of 2 replicas');
    expect((await n1.head('alone', { query: 'r=all&timeout=0' })).status).toBe(503);
    expect(await (await n1.get('alone')).text()).toBe('value');
  });

  it('is answered when they come back within the timeout', async () => {
    await n1.write('back in time', 'value', { query: 'w=all' });
    cluster.isolate(n3);
    const answer = n1.get('back in time', { query: 'r=all&timeout=20000' });
    await new Promise((resolve) => setTimeout(resolve, 200));
    cluster.heal();
    expect((await answer).status).toBe(200);
  });

  it('is answered by a majority while one replica is away', async () => {
    await n1.write('most', 'value', { query: 'w=all' });
    cluster.isolate(n3);
    expect((await n1.get('most', { query: 'r=majority' })).status).toBe(200);
  });
});

it.each(['r=0', 'r=4', 'r=most', 'r=-1', 'r=1.5', 'r=', 'r=1&r=1'])('a read refuses %s', async (query) => {
  const response = await n1.get('refused', { query });
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ code: 'INVALID_QUERY' });
});
