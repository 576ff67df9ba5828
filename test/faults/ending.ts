// What do the replicas say in the end? Everything is made to work again, and every key is read at every replica.

import { inParallel } from '../support/process-parallel.js';
import { until } from '../support/until.js';
import type { FaultyCluster } from './faulty-cluster.js';
import type { History, Read, Recorder, Shown } from './history.js';
import type { Finding } from './ledger.js';
import { judge } from './verdict.js';

const READERS = 8;
const LEVEL_MS_MAX = 30_000;

/** Damaged records may yet be repaired from peers; what is damaged after this is given up with its disk. */
const REPAIR_MS_MAX = 10_000;

/** Everything works again: links, processes, disks; and all replicas come to agree. @throws when they don't */
export async function heal(cluster: FaultyCluster, recorder: Recorder): Promise<void> {
  cluster.healLinks();
  for (const name of cluster.names) if (cluster.isRunning(name)) cluster.signal(name, 'SIGCONT');
  await cluster.smallDisk?.makeRoom();
  for (const name of cluster.names) {
    await revive(cluster, name);
    cluster.setOpen(name, true);
  }
  const torn = cluster.names.filter((name) => cluster.isTorn(name));
  for (const name of cluster.names) if (!torn.includes(name)) await settle(cluster, name);
  if (torn.length > 0) {
    const isRepaired = await cluster.untilLevel(REPAIR_MS_MAX).then(
      () => true,
      () => false,
    );
    if (isRepaired) return;
    for (const name of torn) {
      await noteAll(cluster, name, recorder);
      await cluster.giveUpDisk(name, 'it still differs, and gets an empty disk');
    }
  }
  await cluster.untilLevel(LEVEL_MS_MAX);
}

/**
 * Commits go in order: what a replica was sent before has landed, or never will, once this has. Clients have left, but a disk
 * that has stood still may have their writes yet.
 */
async function settle(cluster: FaultyCluster, name: string): Promise<void> {
  const isTaken = (): Promise<boolean> => {
    return cluster
      .client(name)
      .put('the end', name)
      .then(
        () => true,
        () => false,
      );
  };
  await until(`${name} takes writes`, isTaken, LEVEL_MS_MAX);
}

/** What it shows of all keys: to say that a record is damaged is right, to show less than it knows is not. */
async function noteAll(cluster: FaultyCluster, name: string, recorder: Recorder): Promise<void> {
  for (const key of recorder.keys()) {
    const read = await finalRead(cluster, name, key).catch((error: unknown) => error as Error);
    if (read instanceof Error) cluster.note(read.message);
    else recorder.note(read);
  }
}

/** Starts it if it is down; with an empty disk if it refuses the one it has, as its message asks. */
async function revive(cluster: FaultyCluster, name: string): Promise<void> {
  try {
    await cluster.restart(name);
  } catch (error) {
    if (!cluster.isTorn(name)) throw error;
    await cluster.giveUpDisk(name, 'refuses its disk, gets an empty one');
  }
}

/** Every key at every replica. @throws when one can't be read */
export async function finalReads(cluster: FaultyCluster, keys: readonly string[]): Promise<Read[]> {
  const reads: Read[] = [];
  await inParallel(keys, READERS, async (key) => {
    for (const replica of cluster.names) reads.push(await finalRead(cluster, replica, key));
  });
  return reads;
}

export function historyOf(cluster: FaultyCluster, { events }: Recorder, finalReads: readonly Read[]): History {
  return { events, finalReads, destructions: cluster.destructions, ends: cluster.ends };
}

/** Heals everything, reads everything, judges everything; an empty list says that all promises were kept. */
export async function verdictAfterHealing(cluster: FaultyCluster, recorder: Recorder): Promise<readonly Finding[]> {
  await heal(cluster, recorder);
  const history = historyOf(cluster, recorder, await finalReads(cluster, recorder.keys()));
  return [...cluster.findings, ...judge(history)];
}

async function finalRead(cluster: FaultyCluster, replica: string, key: string): Promise<Read> {
  const beganAtMs = cluster.nowMs();
  const answer = await cluster.client(replica).request('GET', `/v1/kv/${key}?siblings=all`);
  if (![200, 300, 404].includes(answer.status)) throw new Error(`${replica} answers ${answer.status} for ${key}`);
  const body = answer.status === 404 ? { siblings: [] } : JSON.parse(answer.body.toString());
  return {
    ...{ kind: 'read', client: 'the end', replica, disk: cluster.diskOf(replica), key, beganAtMs },
    endedAtMs: cluster.nowMs(),
    token: answer.headers['quartet-context'] as string,
    siblings: (body.siblings as Shown[]).map(({ dot, value, time }) => ({ dot, value, time })),
    session: undefined,
  };
}
