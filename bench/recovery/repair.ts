// What crosses the wire until a replica is level again that differs in `d` of `n` keys? It is cut off, the others write
// `d` keys anew, and it is healed; all bytes of its links count, from then until nothing more comes, but for those that
// an idle cluster exchanges anyway.

import type { RecoveryCluster } from './cluster.js';
import type { IdleCost } from './idle.js';
import { minus } from './metered-link.js';
import { withProgress } from './progress.js';
import { write } from './worker.js';

const AWAY = 'n4';
const DIFFERENCES = [10, 100, 1000, 10_000];

/** After it is level, for what is still on its way. */
const LATE_MS = 1500;

export interface Repair {
  readonly keys: number;
  readonly differing: number;
  /** All TCP payload. */
  readonly bytes: number;
  readonly bodyBytes: number;
  readonly seconds: number;
}

export async function measureRepairs(
  cluster: RecoveryCluster,
  keys: number,
  idle: IdleCost,
): Promise<readonly Repair[]> {
  const repairs: Repair[] = [];
  for (const differing of DIFFERENCES) {
    if (differing <= keys) repairs.push(await repair(cluster, keys, differing, idle));
  }
  return repairs;
}

async function repair(cluster: RecoveryCluster, keys: number, differing: number, idle: IdleCost): Promise<Repair> {
  const staying = cluster.names.filter((name) => name !== AWAY);
  cluster.cut(AWAY);
  const urls = cluster.urls(staying);
  await write(`${differing} of ${keys} keys differ`, { method: 'PUT', urls, indices: someOf(keys, differing) });
  const goal = await cluster.untilLevel(staying);
  const before = cluster.traffic(AWAY);
  const startedAt = performance.now();
  cluster.heal(AWAY);
  await withProgress('Repairing', differing, (progress) =>
    cluster.untilCovers(AWAY, goal, (left) => progress(differing - left)),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  await new Promise((resolve) => setTimeout(resolve, LATE_MS));
  const { bytes, bodyBytes } = minus(cluster.traffic(AWAY), before);
  const idleLinkSeconds = ((performance.now() - startedAt) / 1000) * cluster.linkCount(AWAY);
  return {
    keys,
    differing,
    bytes: bytes - idle.bytesPerSecond * idleLinkSeconds,
    bodyBytes: bodyBytes - idle.bodyBytesPerSecond * idleLinkSeconds,
    seconds,
  };
}

/** So many different indices below `keys`, at random. */
function someOf(keys: number, count: number): Uint32Array {
  const chosen = new Set<number>();
  while (chosen.size < count) chosen.add(Math.floor(Math.random() * keys));
  return Uint32Array.from(chosen);
}
