// Do replicas that could not reach each other, were away, or lost their disk, come to the same state by themselves?

import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { ProcessCluster } from '../support/process-cluster.js';
import { inParallel } from '../support/process-parallel.js';
import { until } from '../support/until.js';

const LEFT = ['n1', 'n2'];
const RIGHT = ['n3', 'n4'];

describe('Four replicas', () => {
  let cluster: ProcessCluster;

  beforeAll(async () => {
    cluster = await ProcessCluster.start();
  }, 30_000);

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

  test('of which one cannot send to the others, but can be reached, still converge', async () => {
    cluster.cutOneWay(['n1'], ['n2', 'n3', 'n4']);
    await cluster.client('n1').put('one-way/from-n1', 'from n1');
    await cluster.client('n2').put('one-way/from-n2', 'from n2');
    await cluster.untilLevel();
    for (const name of cluster.names) {
      expect(await valueAt(name, 'one-way/from-n1')).toBe('from n1');
      expect(await valueAt(name, 'one-way/from-n2')).toBe('from n2');
    }
  }, 30_000);

  test('of which one can only be reached through another, in a chain, still converge', async () => {
    cluster.cut(['n1'], ['n3', 'n4']);
    cluster.cut(['n2'], ['n4']);
    await cluster.client('n1').put('chain/first', 'from n1');
    await cluster.client('n4').put('chain/last', 'from n4');
    await cluster.untilLevel();
    expect(await valueAt('n4', 'chain/first')).toBe('from n1');
    expect(await valueAt('n1', 'chain/last')).toBe('from n4');
  }, 30_000);

  test('of which one was away for 2,000 writes become level by themselves when it is back', async () => {
    const keys = keysOf('away', 2000);
    await cluster.kill('n4', 'SIGKILL');
    await writeAll('n1', keys, 'while n4 was away');
    await cluster.restart('n4');
    await until('n4 has the last of them', async () => (await valueAt('n4', keys.at(-1)!)) !== undefined);
    await cluster.untilLevel();
    const found = new Set<string>();
    for await (const { key, value } of cluster.client('n4').list('away/')) {
      expect(value).toBe('while n4 was away');
      found.add(key);
    }
    expect(found).toEqual(new Set(keys));
  }, 30_000);

  // Others still know dots of its former life: if it counted from one again, two values would bear one dot.
  test('of which one lost its disk take writes there at once, refill it, and never give a dot twice', async () => {
    const dots = new Map<string, string>();
    await writeNoting('n1', keysOf('wiped/before', 300), dots);
    await cluster.untilLevel();

    await cluster.kill('n1', 'SIGKILL');
    await cluster.wipe('n1');
    await writeNoting('n2', keysOf('wiped/meanwhile', 200), dots);
    await cluster.restart('n1');
    await writeNoting('n1', keysOf('wiped/after', 300), dots);

    await cluster.untilLevel();
    expect(dots.size).toBe(800);
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
