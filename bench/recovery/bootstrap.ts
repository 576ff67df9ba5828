// How soon does a new member with an empty disk have everything, and what do the others' clients notice of it? The others
// know of it since their last start; it is started, and gets all it needs by itself.

import type { RecoveryCluster } from './cluster.js';
import { countOf } from './clocks.js';
import type { Latencies } from './light-load.js';
import { minus, type Traffic } from './metered-link.js';
import { pause, withProgress } from './progress.js';
import { LightLoad } from './worker.js';

/** At each of the others; one of them serves the new one, and only afterwards it is known which. */
const REQUESTS_PER_SECOND = 25;

export interface Bootstrap {
  /** From its first contact, until its clock covers what the others knew then. */
  readonly seconds: number;
  readonly readySeconds: number;
  readonly traffic: Traffic;
  /** The one that sent the most. */
  readonly source: string;
  readonly sourceBefore: Latencies;
  readonly sourceMeanwhile: Latencies;
  /** Resident memory of the new one when it is level. */
  readonly memoryBytes: number;
  readonly diskBytes: number;
}

export async function measureBootstrap(
  cluster: RecoveryCluster,
  joining: string,
  keys: number,
  quietSeconds: number,
): Promise<Bootstrap> {
  const others = cluster.running;
  const targets = others.map((name) => ({
    name,
    url: cluster.urls([name])[0]!,
    requestsPerSecond: REQUESTS_PER_SECOND,
  }));
  const load = await LightLoad.start(targets, keys);
  try {
    await pause('Light load alone', 2);
    await load.begin();
    await pause('Light load alone, measured', quietSeconds);
    const before = await load.end();

    const contact = cluster.firstContact(joining);
    const traffic = cluster.traffic(joining);
    const readyMs = cluster.start([joining]);
    let seconds = 0;
    const source = await cluster.busiestPeerOf(joining, async () => {
      await contact;
      await load.begin();
      const startedAt = performance.now();
      const goal = await cluster.clock(others);
      const total = countOf(goal);
      await withProgress(`${joining} joins with an empty disk`, total, (progress) =>
        cluster.untilCovers(joining, goal, (left) => progress(total - left)),
      );
      seconds = (performance.now() - startedAt) / 1000;
    });
    const meanwhile = await load.end();
    await load.finish();
    await cluster.untilLevel();
    await cluster.checkEqual();
    return {
      seconds,
      readySeconds: (await readyMs)[0]! / 1000,
      traffic: minus(cluster.traffic(joining), traffic),
      source,
      sourceBefore: before.get(source)!,
      sourceMeanwhile: meanwhile.get(source)!,
      memoryBytes: cluster.replica(joining).memoryMiB() * 2 ** 20,
      diskBytes: await cluster.diskBytes(joining),
    };
  } finally {
    load.stop();
  }
}
