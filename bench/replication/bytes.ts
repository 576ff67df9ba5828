// What crosses the network for a write? Every link between replicas is counted while they take writes as fast as they can.

import { RecoveryCluster } from '../recovery/cluster.js';
import { minus } from '../recovery/metered-link.js';
import { write } from '../recovery/worker.js';
import { KEY_BYTES, VALUE_BYTES } from '../recovery/write-load.js';
import { REPLICAS } from './visibility.js';

const WARM_WRITES = 20_000;

export interface WireBytes {
  /** To one peer: requests and answers, heads and bodies. */
  readonly bytesPerWrite: number;
  readonly bodyBytesPerWrite: number;
  readonly writesPerRequest: number;
  /** Of key and value. */
  readonly written: number;
}

export async function measureBytes(writes: number): Promise<WireBytes> {
  const names = Array.from({ length: REPLICAS }, (_, place) => `n${place + 1}`);
  const cluster = await RecoveryCluster.create(names);
  try {
    await cluster.start();
    const take = async (first: number, count: number): Promise<void> => {
      const indices = Uint32Array.from({ length: count }, (_, place) => first + place);
      await write('Writes, every link counted', { method: 'PUT', urls: cluster.urls(), indices });
      await cluster.untilLevel();
    };
    // Just started, with code that is not compiled, replicas sent up to 1.8 times key and value in one of three runs.
    await take(0, WARM_WRITES);
    const before = cluster.traffic();
    await take(WARM_WRITES, writes);
    const { bytes, bodyBytes, messages } = minus(cluster.traffic(), before);
    const sent = writes * (REPLICAS - 1);
    return {
      bytesPerWrite: bytes / sent,
      bodyBytesPerWrite: bodyBytes / sent,
      writesPerRequest: sent / (messages / 2),
      written: KEY_BYTES + VALUE_BYTES,
    };
  } finally {
    await cluster.close();
  }
}
