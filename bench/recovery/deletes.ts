// What is left when everything is deleted? Keys are written and then deleted, at random replicas, round after round, and
// each round has keys of its own: whatever a deleted key left behind would add up.

import { RecoveryCluster } from './cluster.js';
import { settledDisk } from './footprint.js';
import { write } from './worker.js';

const NAMES = ['n1', 'n2', 'n3', 'n4'];

/** Of one replica. */
export interface DeleteRound {
  /** Disk, when the keys are there. */
  readonly writtenBytes: number;
  /** Disk, some time after all are deleted and all replicas know. */
  readonly deletedBytes: number;
  readonly isSettled: boolean;
  readonly logEntries: number;
  /** At all replicas together. */
  readonly keysListed: number;
}

export interface Deletes {
  readonly keys: number;
  /** Disk of a replica that has never had a key. */
  readonly emptyBytes: number;
  readonly rounds: readonly DeleteRound[];
}

export async function measureDeletes(keys: number, rounds: number): Promise<Deletes> {
  const cluster = await RecoveryCluster.create(NAMES);
  try {
    await cluster.start();
    const emptyBytes = await cluster.diskBytes('n1');
    const results: DeleteRound[] = [];
    for (let round = 0; round < rounds; round++) results.push(await measureRound(cluster, round, keys));
    return { keys, emptyBytes, rounds: results };
  } finally {
    await cluster.close();
  }
}

async function measureRound(cluster: RecoveryCluster, round: number, keys: number): Promise<DeleteRound> {
  const indices = Uint32Array.from({ length: keys }, (_, place) => round * keys + place);
  const urls = cluster.urls();
  await write(`Round ${round + 1}: writing`, { method: 'PUT', urls, indices });
  // A delete replaces what its replica has; where the write has not come yet, it would replace nothing.
  await cluster.untilLevel();
  const writtenBytes = await cluster.diskBytes('n1');
  await write(`Round ${round + 1}: deleting`, { method: 'DELETE', urls, indices });
  await cluster.untilLevel();
  const { bytes, logEntries, isSettled } = await settledDisk(cluster, 'n1');
  return { writtenBytes, deletedBytes: bytes, isSettled, logEntries, keysListed: await listed(cluster) };
}

async function listed(cluster: RecoveryCluster): Promise<number> {
  let keys = 0;
  for (const name of cluster.names) {
    const { body } = await cluster.replica(name).client.request('GET', '/v1/kv?limit=1000');
    keys += (JSON.parse(body.toString()) as { entries: unknown[] }).entries.length;
  }
  return keys;
}
