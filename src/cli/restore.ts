// How does a snapshot become a node? Key by key, into a database that has no clock until the last commit, and no place in
// the data folder until it is whole.
//
// The node is a new actor, always: dots of the former one that the snapshot does not have may live elsewhere, and would be
// given a second time. Its clock is the snapshot's. It has no log of what came before, so its floor is that clock too: a
// peer that lacks some of it takes over all keys.

import type { Container } from '../clock/container.js';
import { observeStamp, type Stamp } from '../clock/hybrid-clock.js';
import { newIncarnation } from '../replication/incarnation.js';
import { LevelStore } from '../store/level/level-store.js';
import { blankNode } from '../store/record-codec.js';
import { ReplicaStore, type Commit } from '../store/replica-store.js';
import { RestoredFolder } from './restored-folder.js';
import { SnapshotReader } from './snapshot-reader.js';

/** Large enough that a commit costs little for each key. */
const COMMIT_KEYS_MAX = 4000;

/** Large values do not pile up: a commit stands in memory whole, and once more in LevelDB's buffer. */
const COMMIT_BYTES_MAX = 8 * 1024 * 1024;

export interface RestoreOptions {
  /** The node's data folder; made when absent. */
  readonly data: string;
  /** The node's name. */
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  /** Ends it early; everything is then as before. */
  readonly signal: AbortSignal;
  /** Told now and then how many keys there are by now. */
  readonly onProgress: (keys: number) => void;
}

export interface Restored {
  readonly actor: string;
  readonly keys: number;
  /** Whose snapshot it was. */
  readonly node: string;
  readonly takenAt: string;
  /** It was taken while its node took over all keys of another: keys may be missing. */
  readonly isPartial: boolean;
}

/**
 * The snapshot is there, whole and on disk, when this resolves. Whatever else is thrown, nothing is left of it.
 * @throws FolderUnsettledError: it may be there
 * @throws FolderInUseError, InvalidSnapshotError, LineTooLongError; StoreOpenError; errors of the file system
 */
export async function restore(chunks: AsyncIterable<Uint8Array>, options: RestoreOptions): Promise<Restored> {
  const folder = await RestoredFolder.claim(options.data);
  try {
    const restored = await fillDatabase(folder.growing, chunks, options);
    await folder.publish();
    return restored;
  } catch (error) {
    await folder.discard();
    throw error;
  }
}

async function fillDatabase(
  database: string,
  chunks: AsyncIterable<Uint8Array>,
  options: RestoreOptions,
): Promise<Restored> {
  const snapshot = await SnapshotReader.open(chunks);
  const actor = `${options.name}.${newIncarnation(options.nowMs)}`;
  // It is synced as a whole before it counts.
  const level = await LevelStore.open(database, { fsync: false });
  try {
    const store = await ReplicaStore.open(level, blankNode(actor));
    const keys = await copyKeys(snapshot, store, actor, options);
    const { isPartial, node, takenAt } = snapshot.header;
    await store.close();
    return { actor, keys, node, takenAt, isPartial };
  } finally {
    await level.close();
  }
}

async function copyKeys(
  snapshot: SnapshotReader,
  store: ReplicaStore,
  actor: string,
  { nowMs, signal, onProgress }: RestoreOptions,
): Promise<number> {
  const blank = blankNode(actor);
  let containers = new Map<string, Container>();
  let deadlines: NonNullable<Commit['deadlines']>[number][] = [];
  let bytes = 0;
  let keys = 0;
  let stamp: Stamp = 0;
  for await (const { key, container } of snapshot.keys()) {
    containers.set(key, container);
    for (const version of container.versions) {
      bytes += version.part.length + version.value.length;
      stamp = observeStamp(stamp, version.stamp, nowMs);
      if (version.deadlineMs !== undefined) deadlines.push({ deadlineMs: version.deadlineMs, key, isSet: true });
    }
    keys++;
    if (containers.size < COMMIT_KEYS_MAX && bytes < COMMIT_BYTES_MAX) continue;
    signal.throwIfAborted();
    await store.commit(commitOf(containers, { node: blank, claims: undefined, deadlines }));
    onProgress(keys);
    containers = new Map();
    deadlines = [];
    bytes = 0;
  }
  signal.throwIfAborted();
  const { clock, claims } = snapshot.header;
  const node = { ...blank, clock, floor: clock, stamp };
  await store.commit(commitOf(containers, { node, claims: claims.length === 0 ? undefined : claims, deadlines }));
  onProgress(keys);
  return keys;
}

function commitOf(
  containers: ReadonlyMap<string, Container>,
  known: Pick<Commit, 'node' | 'claims' | 'deadlines'>,
): Commit {
  return { ...known, members: undefined, containers, contexts: new Map(), log: [] };
}
