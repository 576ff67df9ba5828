// What does it cost a replica to apply what another one has taken? One of four takes all writes; the others get them.

import { ProcessCluster } from '../../test/support/process-cluster.js';
import { cpuSeconds } from '../processes.js';
import { write } from '../recovery/worker.js';
import { newestNode } from '../targets/node-binaries.js';
import { untilLevel } from './level.js';
import { REPLICAS } from './visibility.js';

const WARM_WRITES = 20_000;

export interface Shares {
  /** Processor time of the replica that takes a write and tells the others of it. */
  readonly takenMicros: number;
  /** Of each of the others. */
  readonly appliedMicros: number;
}

export async function measureShares(writes: number): Promise<Shares> {
  const cluster = await ProcessCluster.start({ replicas: REPLICAS, isCuttable: false, node: newestNode().path });
  try {
    const [taker, ...others] = cluster.replicas;
    const take = async (first: number, count: number): Promise<void> => {
      const indices = Uint32Array.from({ length: count }, (_, place) => first + place);
      await write('Writes at one of four', { method: 'PUT', urls: [taker!.client.url], indices });
      await untilLevel(cluster);
    };
    await take(0, WARM_WRITES);
    const spent = (): number[] => [cpuSeconds([taker!.pid]), cpuSeconds(others.map(({ pid }) => pid)) / others.length];
    const before = spent();
    await take(WARM_WRITES, writes);
    const [taken, applied] = spent().map((seconds, place) => ((seconds - before[place]!) * 1e6) / writes);
    return { takenMicros: taken!, appliedMicros: applied! };
  } finally {
    await cluster.stop();
  }
}
