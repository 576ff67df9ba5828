// Does an acknowledged write survive the end of the process that acknowledged it?

import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Prng } from '../simulation/prng.js';
import { ProcessCluster, START_MS_MAX } from '../support/process-cluster.js';
import { Workload } from '../support/process-workload.js';

const KILLS = 3;

const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
const prng = new Prng(seed);

describe('Four replicas under load from eight clients', () => {
  let cluster: ProcessCluster;
  let workload: Workload;

  beforeAll(async () => {
    console.log(`test/real-faults/kill: SEED=${seed}`);
    cluster = await ProcessCluster.start();
  }, START_MS_MAX);

  afterAll(() => cluster?.stop());

  beforeEach(() => {
    workload = new Workload(cluster);
  });

  test(`lose no acknowledged write by kill -9, ${KILLS} times at a random moment`, async () => {
    workload.start();
    for (let round = 0; round < KILLS; round++) {
      const victim = prng.pick(cluster.names);
      await workload.untilFurther(prng.between(50, 400));
      expect(await cluster.kill(victim, 'SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' });
      await workload.untilFurther(prng.between(50, 200));
      await cluster.restart(victim);
    }
    await workload.untilFurther(100);
    await workload.stop();
    expect(workload.unanswered).toBeGreaterThan(0);
    await expectPromisesKept();
  }, 60_000);

  test('lose none when all of them are killed at once', async () => {
    workload = new Workload(cluster);
    workload.start();
    await workload.untilFurther(prng.between(50, 400));
    await Promise.all(cluster.names.map((name) => cluster.kill(name, 'SIGKILL')));
    await workload.stop();
    await Promise.all(cluster.names.map((name) => cluster.restart(name)));
    await expectPromisesKept();
  }, 60_000);

  test('lose none by SIGTERM, after which the process ends with status 0', async () => {
    const victim = prng.pick(cluster.names);
    workload.start();
    await workload.untilFurther(prng.between(50, 400));
    expect(await cluster.kill(victim, 'SIGTERM')).toEqual({ code: 0, signal: null });
    await workload.untilFurther(50);
    await cluster.restart(victim);
    await workload.untilFurther(50);
    await workload.stop();
    await expectPromisesKept();
  }, 60_000);

  async function expectPromisesKept(): Promise<void> {
    await cluster.untilLevel();
    for (const client of cluster.clients) expect(await workload.brokenPromisesAt(client)).toEqual([]);
  }
});
