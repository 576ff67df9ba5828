// Does a replica that comes back serve the past? It is not ready before it has what its peers knew when it started, gets it by
// ranges of the log or by taking over all keys, and brings back nothing that was deleted meanwhile.

import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ALL_MARKS, EVERYTHING } from '../../src/store/keyspace.js';
import { CatchUp } from '../../src/observability/catch-up.js';
import { LevelStore } from '../../src/store/level/level-store.js';
import { expectSame, untilTrimmed } from '../support/in-process-checks.js';
import { startCluster, type InProcessCluster } from '../support/in-process-cluster.js';
import type { MessageGate } from '../support/in-process-gate.js';
import { keyPath, type InProcessNode } from '../support/in-process-node.js';
import { until } from '../support/until.js';

async function writeMany(node: InProcessNode, prefix: string, count: number, query = ''): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, i) => node.write(`${prefix} ${i}`, `${prefix} ${i}`, { query })));
}

async function untilReady(node: InProcessNode): Promise<void> {
  await until(`${node.name} is ready`, async () => (await node.request('/readyz')).status === 200);
}

/** Each dot that lives anywhere, with what it wrote: the same at every replica. */
async function expectDotsUnique(nodes: readonly InProcessNode[]): Promise<void> {
  const written = new Map<string, string>();
  for (const node of nodes) {
    for (const { key } of await node.listing()) {
      for (const { dot, value } of (await node.siblings(key)).siblings) {
        const write = `${key}=${value}`;
        expect(`${dot} ${written.get(dot) ?? write}`).toBe(`${dot} ${write}`);
        written.set(dot, write);
      }
    }
  }
}

describe('a replica that was away', () => {
  let cluster: InProcessCluster;
  let n1: InProcessNode, n2: InProcessNode;
  let toN1: MessageGate, toN2: MessageGate;

  beforeEach(async () => {
    cluster = await startCluster(2);
    [n1, n2] = cluster.nodes as [InProcessNode, InProcessNode];
    [toN1, toN2] = [await cluster.gate(n2, n1), await cluster.gate(n1, n2)];
  });
  afterEach(async () => {
    for (const gate of [toN1, toN2]) gate.release();
    await cluster.remove();
  });

  /** Nothing but clocks passes between the two. */
  function holdWrites(): void {
    for (const gate of [toN1, toN2]) gate.hold(({ kind }) => kind !== 'compare' && kind !== 'members');
  }

  it('is not ready before it has what its peer knew when it started, and says how much is missing', async () => {
    await n1.write('before', 'value', { query: 'w=all' });
    await n2.stop();
    await writeMany(n1, 'missed', 20);
    holdWrites();
    await cluster.restart(n2);
    await until('it knows what is missing', async () => (await n2.cluster()).catchUp.missingDots === 20);
    expect(await n2.readiness()).toMatchObject({ isReady: false, checks: { 'caught up': '- 20 writes are missing' } });
    expect(await (await n2.request('/readyz')).text()).toBe('not ready; see /readyz?verbose\n');
    expect((await n2.cluster()).catchUp).toEqual({ isOver: false, missingDots: 20, bootstrapsFrom: null });
    expect(await n2.metric('quartet_catch_up_missing_dots')).toBe(20);
    await until('n1 has been answered', async () => (await n1.cluster()).peers[0]!.state === 'behind');
    expect((await n1.cluster()).peers[0]).toMatchObject({ state: 'behind', lagDots: 20 });

    // Who asks all the same is answered, and what is written from now on need not be waited for.
    expect(await (await n2.get('before')).text()).toBe('value');
    expect((await n2.get('missed 3')).status).toBe(404);
    expect((await n2.put('taken meanwhile', 'value')).status).toBe(201);
    await writeMany(n1, 'later', 5);
    await until('it has heard of them', async () => (await n2.cluster()).peers[0]!.missingDots === 25);
    expect((await n2.cluster()).catchUp.missingDots).toBe(20);

    for (const gate of [toN1, toN2]) gate.release();
    await untilReady(n2);
    for (let i = 0; i < 20; i++) expect(await (await n2.get(`missed ${i}`)).text()).toBe(`missed ${i}`);
    expect((await n2.cluster()).catchUp).toEqual({ isOver: true, missingDots: 0, bootstrapsFrom: null });
    expect((await n2.readiness()).checks['caught up']).toBe('+ yes');
    await cluster.converge();
    await expectSame(cluster.nodes);
  });

  it('takes over all keys when the log does not reach back, and shows from whom and how far it is', async () => {
    const large = 'x'.repeat(600_000);
    await n2.wipe();
    for (let i = 0; i < 5; i++) await n1.write(`large ${i}`, large);
    await cluster.restart(n1, { logMax: 0 });
    await untilTrimmed([n1]);
    // The first piece is more than a message carries at a time; the others wait.
    toN1.hold((message) => message.kind === 'pull-keys' && message.after !== undefined);
    toN2.hold(({ kind }) => kind === 'push');
    await cluster.restart(n2);
    await until('the first piece is there', async () => (await n2.get('large 0')).status === 200);
    await until('n1 knows that n2 takes over all keys', async () => {
      return (await n1.cluster()).peers[0]!.state === 'bootstrapping';
    });
    expect((await n2.cluster()).catchUp).toEqual({ isOver: false, missingDots: 5, bootstrapsFrom: 'n1' });
    expect((await n2.readiness()).checks['caught up']).toBe('- 5 writes are missing; taking over all keys from n1');
    expect(await n2.metric('quartet_bootstrapping')).toBe(1);
    const taken = await n2.metric('quartet_bootstrap_keys_total');
    expect(taken).toBeGreaterThan(0);
    expect(taken).toBeLessThan(5);
    expect(await firstOfSnapshot(n2)).toMatchObject({ takingOver: true, claims: expect.any(Array) });
    for (const gate of [toN1, toN2]) gate.release();
    await untilReady(n2);
    expect(await n2.metric('quartet_bootstrapping')).toBe(0);
    expect(await n2.metric('quartet_bootstrap_keys_total')).toBe(5);
    expect(await firstOfSnapshot(n2)).not.toHaveProperty('takingOver');
    await cluster.converge();
    await expectSame(cluster.nodes);
  });

  /** n2 is back, knows that it lacks three writes, and gets none of them. */
  async function comeBackBehind(): Promise<void> {
    await n2.stop();
    await writeMany(n1, 'missed', 3);
    holdWrites();
    await cluster.restart(n2);
    await until('it knows what is missing', async () => (await n2.cluster()).catchUp.missingDots === 3);
    expect((await n2.readiness()).isReady).toBe(false);
  }

  it('serves what it has when nothing comes any more, says so, and catches up all the same', async () => {
    // One a second, for sixteen seconds: six for each here.
    const look = Object.getOwnPropertyDescriptor(CatchUp.prototype, 'look')!.value as (this: CatchUp) => void;
    jest.spyOn(CatchUp.prototype, 'look').mockImplementation(function (this: CatchUp) {
      for (let looks = 0; looks < 6; looks++) look.call(this);
    });
    await comeBackBehind();
    await until('it waits no longer', async () => (await n2.readiness()).isReady);
    jest.restoreAllMocks();
    expect((await n2.readiness()).checks['caught up']).toBe('+ may be behind: 3 writes are missing, and nothing comes');
    for (const gate of [toN1, toN2]) gate.release();
    await until('it has caught up', async () => (await n2.readiness()).checks['caught up'] === '+ yes');
  });

  it('is not taken for ready because its clock is set meanwhile', async () => {
    await comeBackBehind();
    const { now } = Date;
    const set = jest.spyOn(Date, 'now').mockImplementation(() => now() + 3_600_000);
    try {
      for (let look = 0; look < 3; look++) expect((await n2.readiness()).isReady).toBe(false);
    } finally {
      set.mockRestore();
    }
  });

  it('is ready at once when no peer answers, and says that it may be behind', async () => {
    await n2.write('kept', 'value', { query: 'w=all' });
    await n1.stop();
    await cluster.restart(n2);
    await untilReady(n2);
    expect((await n2.readiness()).checks['caught up']).toBe('+ may be behind: no peer has answered');
    expect(await (await n2.get('kept')).text()).toBe('value');
    expect((await n2.put('alone', 'value')).status).toBe(201);
    await cluster.restart(n1);
    await until('n1 has caught up', async () => (await n1.get('alone')).status === 200);
    await cluster.converge();
    await until('n1 has answered', async () => (await n2.readiness()).checks['caught up'] === '+ yes');
  });
});

describe('a replica whose disk is not the one it had', () => {
  let cluster: InProcessCluster;
  let n1: InProcessNode, n2: InProcessNode, n3: InProcessNode;
  beforeAll(async () => {
    cluster = await startCluster(3);
    [n1, n2, n3] = cluster.nodes as [InProcessNode, InProcessNode, InProcessNode];
  });
  afterAll(() => cluster.remove());

  it('takes writes at once with an empty one, and no dot of its former life is given again', async () => {
    await writeMany(n2, 'first life', 12, 'w=all');
    const { actor } = await n2.cluster();
    await n2.wipe();
    const gates = [await cluster.gate(n2, n1), await cluster.gate(n2, n3), await cluster.gate(n1, n2)];
    gates.push(await cluster.gate(n3, n2));
    for (const gate of gates) gate.hold(({ kind }) => kind !== 'compare' && kind !== 'members');
    await cluster.restart(n2);
    // It has nothing yet of what the others have.
    for (let i = 0; i < 12; i++) await n2.write(`first life ${i}`, 'second life');
    expect((await n2.cluster()).actor).not.toBe(actor);
    expect((await n2.readiness()).isReady).toBe(false);
    await writeMany(n1, 'meanwhile', 4);
    for (const gate of gates) gate.release();
    await cluster.converge();
    await untilReady(n2);
    await expectSame(cluster.nodes);
    await expectDotsUnique(cluster.nodes);
    // Neither had seen the other: both are there.
    expect((await n3.siblings('first life 0')).siblings.map(({ value }) => value).sort()).toEqual([
      'first life 0',
      'second life',
    ]);
  });

  it('goes on as another actor with an old copy of it', async () => {
    await n2.write('copied', 'old', { query: 'w=all' });
    await n2.stop();
    const copy = `${n2.config.data}.copy`;
    await cp(n2.config.data, copy, { recursive: true });
    await cluster.restart(n2);
    const { dot } = await n2.write('copied', 'new', { query: 'w=all' });
    const { actor } = await n2.cluster();
    await n2.wipe();
    await cp(copy, n2.config.data, { recursive: true });
    await rm(copy, { recursive: true });
    await cluster.restart(n2);
    const again = await n2.write('after the copy', 'value');
    expect(again.dot).not.toBe(dot);
    expect((await n2.cluster()).actor).not.toBe(actor);
    await cluster.converge();
    expect(await (await n2.get('copied')).text()).toBe('new');
    await expectSame(cluster.nodes);
    await expectDotsUnique(cluster.nodes);
  });
});

describe('a replica that is away for longer than the log reaches back', () => {
  let cluster: InProcessCluster;
  let n1: InProcessNode, n2: InProcessNode, n3: InProcessNode;
  const logMax = 10;
  beforeAll(async () => {
    cluster = await startCluster(3, { logMax });
    [n1, n2, n3] = cluster.nodes as [InProcessNode, InProcessNode, InProcessNode];
  });
  afterAll(() => cluster.remove());

  it('brings back nothing that was deleted meanwhile, and loses nothing that only it has', async () => {
    await writeMany(n3, 'key', 30, 'w=all');
    cluster.isolate(n3);
    await n3.write('only here', 'value');
    await n3.write('key 29', 'changed here');
    await n3.stop();
    for (let i = 0; i < 20; i++) await (i % 2 ? n1 : n2).delete(`key ${i}`, { query: 'w=2' });
    await n2.delete('key 29', { query: 'w=2' });
    await writeMany(n1, 'meanwhile', 5, 'w=2');
    for (const node of [n1, n2]) {
      await until('the log is short', async () => (await node.cluster()).log.entries <= logMax);
    }
    cluster.heal();
    await cluster.restart(n3);
    await untilReady(n3);
    // From the moment on that it is ready.
    for (let i = 0; i < 20; i++) expect((await n3.get(`key ${i}`)).status).toBe(404);
    await cluster.converge();
    expect(await n3.metric('quartet_bootstraps_total')).toBe(1);
    for (const node of cluster.nodes) {
      const keys = (await node.listing()).map(({ key }) => key);
      expect(keys).toHaveLength(9 + 1 + 1 + 5);
      expect(await (await node.get('only here')).text()).toBe('value');
      // The delete had not seen it.
      expect(await (await node.get('key 29')).text()).toBe('changed here');
    }
    await expectSame(cluster.nodes);
  });

  it('leaves, when everything is deleted, no key, no log entry, and nothing of them on any disk', async () => {
    const keys = (await n1.listing()).map(({ key }) => key);
    await Promise.all(keys.map((key, i) => cluster.nodes[i % 3]!.delete(key, { query: 'w=all' })));
    await cluster.converge();
    await untilTrimmed(cluster.nodes);
    for (const node of cluster.nodes) {
      expect(await node.listing()).toEqual([]);
      expect(await node.metric('quartet_keys_ahead')).toBe(0);
      expect((await node.request(keyPath(keys[0]!))).status).toBe(404);
    }
    for (const node of cluster.nodes) {
      await node.stop();
      expect(await recordsOf(node)).toBeLessThanOrEqual(2);
    }
  });

  /** Records on the disk besides the marks of commits: the node's own, and the members. */
  async function recordsOf(node: InProcessNode): Promise<number> {
    const store = await LevelStore.open(join(node.config.data, 'level'));
    const snapshot = store.snapshot();
    let count = 0;
    for await (const chunk of snapshot.scan(EVERYTHING, 1000)) count += chunk.length;
    for await (const chunk of snapshot.scan(ALL_MARKS, 1000)) count -= chunk.length;
    snapshot.close();
    await store.close();
    return count;
  }
});

async function firstOfSnapshot(node: InProcessNode): Promise<object> {
  const text = await (await node.request('/v1/snapshot')).text();
  return JSON.parse(text.slice(0, text.indexOf('\n'))) as object;
}
