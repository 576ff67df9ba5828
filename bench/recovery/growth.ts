// What changes with the number of keys, and what does not? One cluster of four grows from a thousand keys to a million.
// At each size it is asked what a repair sends; at the first and the last, what it sends at rest and what it takes of
// disk and memory. With all keys, a fifth replica joins.

import { measureBootstrap, type Bootstrap } from './bootstrap.js';
import { RecoveryCluster } from './cluster.js';
import { restartAll, settledDisk, type Restart } from './footprint.js';
import { measureIdle, type IdleCost } from './idle.js';
import { measureRepairs, type Repair } from './repair.js';
import { write } from './worker.js';

const NAMES = ['n1', 'n2', 'n3', 'n4'];
const JOINING = 'n5';

export interface Growth {
  readonly keys: number;
  /** Loading the last and largest part, through all four at once. */
  readonly loadPerSecond: number;
  readonly idle: readonly IdleCost[];
  readonly repairs: readonly Repair[];
  /** One replica's folder. */
  readonly loadedDiskBytes: number;
  readonly settledDiskBytes: number;
  readonly few: { readonly keys: number } & Restart;
  readonly all: Restart;
  readonly bootstrap: Bootstrap;
}

/** @param sizes growing */
export async function measureGrowth(
  sizes: readonly number[],
  { idleSeconds, quietSeconds }: { readonly idleSeconds: number; readonly quietSeconds: number },
): Promise<Growth> {
  const cluster = await RecoveryCluster.create(NAMES);
  try {
    await cluster.start();
    const first = sizes[0]!;
    await load(cluster, 0, first);
    const few = { keys: first, ...(await restartAll(cluster)) };
    const idle = [await measureIdle(cluster, first, idleSeconds)];
    const repairs = [...(await measureRepairs(cluster, first, idle[0]!))];
    let keys = first;
    let loadPerSecond = 0;
    for (const size of sizes.slice(1, -1)) {
      await load(cluster, keys, size);
      repairs.push(...(await measureRepairs(cluster, size, idle[0]!)));
      keys = size;
    }

    const last = sizes.at(-1)!;
    loadPerSecond = await load(cluster, keys, last);
    const loadedDiskBytes = await cluster.diskBytes('n1');
    const settled = await settledDisk(cluster, 'n1');
    idle.push(await measureIdle(cluster, last, idleSeconds));
    repairs.push(...(await measureRepairs(cluster, last, idle[1]!)));
    const all = await restartAll(cluster, [...NAMES, JOINING]);
    const bootstrap = await measureBootstrap(cluster, JOINING, last, quietSeconds);
    return {
      keys: last,
      loadPerSecond,
      idle,
      repairs,
      loadedDiskBytes,
      settledDiskBytes: settled.bytes,
      few,
      all,
      bootstrap,
    };
  } finally {
    await cluster.close();
  }
}

/** Resolves when all have them. @returns keys a second, up to the last acknowledgement */
async function load(cluster: RecoveryCluster, from: number, to: number): Promise<number> {
  const indices = Uint32Array.from({ length: to - from }, (_, place) => from + place);
  const seconds = await write(`Up to ${to.toLocaleString('en')} keys`, {
    method: 'PUT',
    urls: cluster.urls(),
    indices,
  });
  await cluster.untilLevel();
  return indices.length / seconds;
}
