// What do replicas that agree say to each other? Nobody writes; every byte on every link is counted.

import type { RecoveryCluster } from './cluster.js';
import { minus } from './metered-link.js';
import { pause } from './progress.js';

/** So that the last acknowledgements, and what follows them, are over. */
const SETTLE_SECONDS = 5;

export interface IdleCost {
  readonly keys: number;
  /** Of a directed link: one replica's requests with the other one's answers. All TCP payload. */
  readonly bytesPerSecond: number;
  readonly bodyBytesPerSecond: number;
  readonly messagesPerSecond: number;
}

export async function measureIdle(cluster: RecoveryCluster, keys: number, seconds: number): Promise<IdleCost> {
  await cluster.untilLevel();
  await pause('Settling', SETTLE_SECONDS);
  const before = cluster.traffic();
  const startedAt = performance.now();
  await pause('Idle', seconds);
  const elapsed = (performance.now() - startedAt) / 1000;
  const { bytes, bodyBytes, messages } = minus(cluster.traffic(), before);
  const perLink = elapsed * cluster.linkCount();
  return {
    keys,
    bytesPerSecond: bytes / perLink,
    bodyBytesPerSecond: bodyBytes / perLink,
    messagesPerSecond: messages / perLink,
  };
}
