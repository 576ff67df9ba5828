// Does each promise hold for real processes? One short proof of each; `test/real-faults` has the long ones.

import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Prng } from '../simulation/prng.js';
import { ProcessCluster, START_MS_MAX } from '../support/process-cluster.js';
import { inParallel } from '../support/process-parallel.js';
import { Workload } from '../support/process-workload.js';

const LEFT = ['n1', 'n2'];
const RIGHT = ['n3', 'n4'];

const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
const prng = new Prng(seed);

describe('Four replicas', () => {
  let cluster: ProcessCluster;

  beforeAll(async () => {
    console.log(`test/cluster/promises: SEED=${seed}`);
    cluster = await ProcessCluster.start();
  }, START_MS_MAX);

  afterEach(() => cluster.heal());

  afterAll(() => cluster?.stop());

  test('cut into two halves serve both, and agree after healing: on conflicts, on deletes, on everything', async () => {
    const keys = keysOf('halves', 100);
    await writeAll('n1', [...keys, 'halves/deleted', 'halves/edited'], 'before');
    await cluster.untilLevel();

    cluster.cut(LEFT, RIGHT);
    await Promise.all([writeAll('n2', keys, 'left'), writeAll('n3', keys, 'right')]);
    await cluster.client('n1').delete('halves/deleted');
    await Promise.all([
      cluster.client('n1').delete('halves/edited'),
      cluster.client('n4').put('halves/edited', 'edited'),
    ]);
    expect(await valueAt('n2', keys[0]!)).toBe('left');
    expect(await valueAt('n4', keys[0]!)).toBe('right');

    cluster.heal();
    await cluster.untilLevel();
    for (const client of cluster.clients) {
      for (const key of keys) {
        expect((await client.siblings(key)).map((sibling) => sibling.value)).toEqual(['right', 'left']);
      }
      expect(await client.siblings('halves/deleted')).toEqual([]);
      expect((await client.siblings('halves/edited')).map((sibling) => sibling.value)).toEqual(['edited']);
    }
  }, 30_000);

  test('lose no acknowledged write by kill -9, twice at a random moment', async () => {
    const workload = new Workload(cluster, { pauseMs: 20 });
    workload.start();
    for (let round = 0; round < 2; round++) {
      const victim = prng.pick(cluster.names);
      await workload.untilFurther(prng.between(50, 150));
      expect(await cluster.kill(victim, 'SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' });
      await workload.untilFurther(50);
      await cluster.restart(victim);
    }
    await workload.stop();
    expect(workload.unanswered).toBeGreaterThan(0);
    await cluster.untilLevel();
    for (const client of cluster.clients) expect(await workload.brokenPromisesAt(client)).toEqual([]);
  }, 60_000);

  // Others still know dots of its former life: if it counted from one again, two values would bear one dot.
  test('of which one lost its disk take writes at once under its name, and refill it: no dot names two values', async () => {
    const dots = new Map<string, string>();
    await writeNoting('n1', keysOf('wiped/before', 150), dots);
    await cluster.untilLevel();

    await cluster.kill('n1', 'SIGKILL');
    await cluster.wipe('n1');
    await writeNoting('n2', keysOf('wiped/meanwhile', 100), dots);
    await cluster.restart('n1');
    await writeNoting('n1', keysOf('wiped/after', 150), dots);

    await cluster.untilLevel();
    expect(dots.size).toBe(400);
    for (const client of cluster.clients) {
      const held = new Map<string, string>();
      for await (const { key, value, etag } of client.list('wiped/')) held.set(etag.slice(1, -1), `${key}=${value}`);
      expect(held).toEqual(dots);
    }
  }, 40_000);

  function keysOf(prefix: string, count: number): readonly string[] {
    return Array.from({ length: count }, (_, index) => `${prefix}/${index}`);
  }

  /** Writes its own name to each key, and notes which dot the answer gave to it. */
  async function writeNoting(name: string, keys: readonly string[], dots: Map<string, string>): Promise<void> {
    await inParallel(keys, 32, async (key) => {
      const answer = await cluster.client(name).put(key, key);
      const { dot } = JSON.parse(answer.body.toString()) as { dot: string };
      expect(dots.has(dot)).toBe(false);
      dots.set(dot, `${key}=${key}`);
    });
  }

  async function writeAll(name: string, keys: readonly string[], value: string): Promise<void> {
    await inParallel(keys, 32, async (key) => void (await cluster.client(name).put(key, value)));
  }

  async function valueAt(name: string, key: string): Promise<string | undefined> {
    const { status, body } = await cluster.client(name).get(key);
    return status === 200 ? body.toString() : undefined;
  }
});

describe('A replica that is told to stop while clients write', () => {
  test('hands over what only it has, and closes its disk: it comes back as the actor that it was', async () => {
    const cluster = await ProcessCluster.start({
      replicas: 2,
      // A disk that was not closed begins with another actor.
      environmentOf: () => ({ QUARTET_DURABILITY: 'may-lose-writes-on-power-loss' }),
    });
    try {
      const before = await actorOf(cluster, 'n1');
      const workload = new Workload(cluster, { clientsPerReplica: 8, pauseMs: 0 });
      workload.start();
      await workload.untilFurther(500);
      expect(await cluster.kill('n1', 'SIGTERM')).toEqual({ code: 0, signal: null });
      await workload.stop();
      expect(await workload.brokenPromisesAt(cluster.client('n2'))).toEqual([]);
      await cluster.restart('n1');
      expect(await actorOf(cluster, 'n1')).toBe(before);
    } finally {
      await cluster.stop();
    }
  }, 60_000);
});

async function actorOf(cluster: ProcessCluster, name: string): Promise<string> {
  const { body } = await cluster.client(name).request('GET', '/v1/cluster');
  return (JSON.parse(body.toString()) as { actor: string }).actor;
}
