// Do replicas that could reach each other one way only, through a third one, or not at all for a while, come to the same
// state by themselves?

import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { ProcessCluster, START_MS_MAX } from '../support/process-cluster.js';
import { inParallel } from '../support/process-parallel.js';
import { until } from '../support/until.js';

describe('Four replicas', () => {
  let cluster: ProcessCluster;

  beforeAll(async () => {
    cluster = await ProcessCluster.start();
  }, START_MS_MAX);

  afterEach(() => cluster.heal());

  afterAll(() => cluster?.stop());

  test('of which one cannot send to the others, but can be reached, still converge', async () => {
    cluster.cutOneWay(['n1'], ['n2', 'n3', 'n4']);
    await cluster.client('n1').put('one-way/from-n1', 'from n1');
    await cluster.client('n2').put('one-way/from-n2', 'from n2');
    await cluster.untilLevel();
    for (const name of cluster.names) {
      expect(await valueAt(name, 'one-way/from-n1')).toBe('from n1');
      expect(await valueAt(name, 'one-way/from-n2')).toBe('from n2');
    }
  });

  test('of which one can only be reached through another, in a chain, still converge', async () => {
    cluster.cut(['n1'], ['n3', 'n4']);
    cluster.cut(['n2'], ['n4']);
    await cluster.client('n1').put('chain/first', 'from n1');
    await cluster.client('n4').put('chain/last', 'from n4');
    await cluster.untilLevel();
    expect(await valueAt('n4', 'chain/first')).toBe('from n1');
    expect(await valueAt('n1', 'chain/last')).toBe('from n4');
  });

  test('of which one was away for 2,000 writes become level by themselves when it is back', async () => {
    const keys = Array.from({ length: 2000 }, (_, index) => `away/${index}`);
    await cluster.kill('n4', 'SIGKILL');
    await inParallel(keys, 32, async (key) => void (await cluster.client('n1').put(key, 'while n4 was away')));
    await cluster.restart('n4');
    await until('n4 has the last of them', async () => (await valueAt('n4', keys.at(-1)!)) !== undefined);
    await cluster.untilLevel();
    const found = new Set<string>();
    for await (const { key, value } of cluster.client('n4').list('away/')) {
      expect(value).toBe('while n4 was away');
      found.add(key);
    }
    expect(found).toEqual(new Set(keys));
  });

  async function valueAt(name: string, key: string): Promise<string | undefined> {
    const { status, body } = await cluster.client(name).get(key);
    return status === 200 ? body.toString() : undefined;
  }
});
