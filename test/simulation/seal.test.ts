// What died with a disk is given up by all, and nobody takes over all keys for it: also while clients write, when no two
// replicas are ever level.

import { expect, test } from '@jest/globals';
import { MESSAGE_LIMITS } from '../../src/replication/message-reader.js';
import { Cluster } from './cluster.js';
import { Prng } from './prng.js';
import { OPTIONS, Scenario } from './scenario.js';

/** Replicas are never level then: each lacks what the others write on its way. */
const FAR = { ...OPTIONS.network, delayMinMs: 40, delayMaxMs: 40 };

/** Ten seconds until a replica has found that all others know the same of it, after some in which they tell each other. */
const SEALED_MS_MAX = 25_000;

test.each([
  { seed: 1, everyMs: 50, network: OPTIONS.network },
  { seed: 2, everyMs: 10, network: FAR },
  { seed: 3, everyMs: 10, network: FAR },
])('while clients write (seed $seed)', async ({ seed, everyMs, network }) => {
  const cluster = new Cluster({ ...OPTIONS, seed, nodes: 4, keys: 6, limits: MESSAGE_LIMITS, network }, false);
  const scenario = new Scenario(cluster);
  const prng = new Prng(seed);
  const count = (kind: string): number => cluster.counts.get(kind) ?? 0;
  let writes = 0;
  const writeFor = async (ms: number, isOver = (): boolean => false): Promise<void> => {
    const endMs = cluster.timeline.nowMs + ms;
    while (cluster.timeline.nowMs < endMs && !isOver()) {
      await scenario.runFor(Math.max(1, Math.round(prng.intervalMs(everyMs))));
      void cluster.write(cluster.names[writes % 4]!, `k${2 + (writes % 5)}`, `v${writes++}`);
    }
  };
  await scenario.settle();
  // A client has read what only the disk of n4 had, and brings the context of it to n1.
  for (const name of ['n1', 'n2', 'n3']) scenario.crash(name);
  await scenario.runFor(2000);
  await scenario.put('n4', 'A');
  const reading = scenario.read('n4');
  scenario.wipe('n4');
  for (const name of cluster.names) {
    await scenario.start(name);
    await scenario.runFor(prng.between(1, 700));
  }
  await scenario.runFor(3000);
  await scenario.put('n1', 'B', { reading });
  const before = count('bootstrap-started');
  await writeFor(SEALED_MS_MAX, () => count('actor-sealed') > 0);
  await writeFor(8000);
  expect([count('actor-sealed'), count('bootstrap-started') - before]).toEqual([4, 0]);
});
