// What does a key cost beyond itself, on disk and in memory? The folder as `du` counts it, and the resident memory of an
// idle replica that has just been started: what is left of a load in caches and in the heap is not the key's.

import { readCluster } from './clocks.js';
import type { RecoveryCluster } from './cluster.js';
import { pause, withProgress } from './progress.js';

const SETTLED_AFTER_SECONDS = 4;
const SETTLE_SECONDS_MAX = 60;
const IDLE_SECONDS = 5;

export interface Restart {
  /** Mean of the replicas. */
  readonly memoryBytes: number;
  /** Mean of the replicas, which start one after the other. */
  readonly readySeconds: number;
}

/** Resolves when the replica's files and its log have stopped changing, and says how large they are. */
export async function settledDisk(
  cluster: RecoveryCluster,
  name: string,
): Promise<{ readonly bytes: number; readonly logEntries: number; readonly isSettled: boolean }> {
  return withProgress('Waiting for compaction', SETTLE_SECONDS_MAX, async (progress) => {
    const startedAt = Date.now();
    let [bytes, logEntries, since] = [-1, -1, startedAt];
    for (;;) {
      const [bytesNow, state] = [await cluster.diskBytes(name), await readCluster(cluster.replica(name).client)];
      const now = Date.now();
      if (bytesNow !== bytes || state.log.entries !== logEntries) since = now;
      [bytes, logEntries] = [bytesNow, state.log.entries];
      const isSettled = now - since >= SETTLED_AFTER_SECONDS * 1000;
      if (isSettled || now - startedAt > SETTLE_SECONDS_MAX * 1000) return { bytes, logEntries, isSettled };
      progress((now - startedAt) / 1000);
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  });
}

export async function restartAll(cluster: RecoveryCluster, members = cluster.names): Promise<Restart> {
  const names = cluster.running;
  await cluster.stop();
  await cluster.setMembers(members);
  const readyMs: number[] = [];
  for (const name of names) readyMs.push(...(await cluster.start([name])));
  await cluster.untilLevel();
  await pause('Idle after a restart', IDLE_SECONDS);
  return {
    memoryBytes: mean(names.map((name) => cluster.replica(name).memoryMiB() * 2 ** 20)),
    readySeconds: mean(readyMs) / 1000,
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
