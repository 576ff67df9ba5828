// How does a replica's state come to disk, and back?
//
// One commit holds everything that a group of steps changed: containers, log entries and the node record. It is atomic
// and durable before anybody hears of it, and the view that readers use moves on only then. Commits run one at a time.

import { LRUCache } from 'lru-cache';
import { isEmpty, type Container } from '../clock/container.js';
import type { Actor, Dot } from '../clock/dot.js';
import type { VersionVector } from '../clock/version-vector.js';
import { CommittedView } from './committed-view.js';
import { contextKey, EVERYTHING, logKey, NODE_KEY, versionsKey } from './keyspace.js';
import {
  CorruptRecordError,
  decodeNode,
  encodeContext,
  encodeLogged,
  encodeNode,
  encodeVersions,
  type NodeRecord,
} from './record-codec.js';
import type { Store, StoreChange } from './store.port.js';

/** Decoded containers kept for reads and steps: the hot keys of a replica, without a trip to the store. */
const CACHE_BYTES_MAX = 32 * 1024 * 1024;

/** What a cached container costs beyond its key and values: objects, map entry, strings, the allocator (measured). */
const CACHED_BYTES_MIN = 1000;

export interface LogEntry extends Dot {
  readonly key: string;
}

/** Everything that one commit writes. */
export interface Commit {
  readonly containers: ReadonlyMap<string, Container>;
  /** Keys whose context alone differs; none of them is in `containers`. */
  readonly contexts: ReadonlyMap<string, VersionVector>;
  readonly log: readonly LogEntry[];
  readonly node: NodeRecord;
}

/** Commits are missing that later ones build upon: the store can't be trusted, and its replica must not serve from it. */
export class DamagedStoreError extends Error {
  readonly code = 'STORE_DAMAGED';

  constructor(what: string) {
    super(`the database has lost commits (${what}): move it away, and the replica gets everything from its peers`);
  }
}

export class ReplicaStore {
  private readonly cache = new LRUCache<string, Container>({
    maxSize: CACHE_BYTES_MAX,
    sizeCalculation: cachedBytes,
  });

  private constructor(
    private readonly store: Store,
    private latest: CommittedView,
    /** Keys with a context record. */
    private readonly ahead: Set<string>,
  ) {}

  /**
   * Loads what the store holds; a fresh store begins with `fresh`, on disk before this returns.
   * @throws DamagedStoreError when commits are missing
   * @throws CorruptRecordError when the node record is damaged
   */
  static async open(store: Store, fresh: NodeRecord): Promise<ReplicaStore> {
    if (await isBlank(store)) {
      await store.commit([{ type: 'put', key: NODE_KEY, value: encodeNode(NODE_KEY, fresh) }]);
    }
    const snapshot = store.snapshot();
    const record = snapshot.get(NODE_KEY);
    if (record === undefined) throw new DamagedStoreError('the node record is missing');
    const node = decodeNode(NODE_KEY, record);
    const scanned = new CommittedView(node, 0, snapshot);
    await checkLog(scanned);
    const ahead = new Set<string>();
    for await (const key of scanned.aheadKeys(undefined)) ahead.add(key);
    return new ReplicaStore(store, new CommittedView(node, ahead.size, snapshot), ahead);
  }

  /** What is committed now. Valid until the next `await`; retain it to keep it longer. */
  get view(): CommittedView {
    return this.latest;
  }

  /**
   * The committed container, stripped by the clock of `view`. Shared: never changed.
   * @throws CorruptRecordError
   */
  container(key: string): Container {
    const cached = this.cache.get(key);
    if (cached !== undefined) return cached;
    const container = this.latest.container(key);
    if (!isEmpty(container)) this.cache.set(key, container);
    return container;
  }

  /** The contexts that reach beyond the node clock, by key. A damaged one is left out: its key can't be read either. */
  async aheadContexts(): Promise<Map<string, VersionVector>> {
    const contexts = new Map<string, VersionVector>();
    for await (const key of this.latest.aheadKeys(undefined)) {
      try {
        contexts.set(key, this.latest.context(key));
      } catch (error) {
        if (!(error instanceof CorruptRecordError)) throw error;
      }
    }
    return contexts;
  }

  /** One commit at a time. After a rejection the state on disk is unknown: the store must be opened anew. */
  async commit(commit: Commit): Promise<void> {
    await this.store.commit(this.encode(commit));
    for (const [key, container] of commit.containers) this.remember(key, container);
    for (const [key, context] of commit.contexts) {
      const cached = this.cache.peek(key);
      this.remember(key, cached && { versions: cached.versions, context }, context);
    }
    const previous = this.latest;
    this.latest = new CommittedView(commit.node, this.ahead.size, this.store.snapshot());
    previous.release();
  }

  /** How many keys know more than the clock. */
  get aheadCount(): number {
    return this.ahead.size;
  }

  /** Approximate bytes on disk. */
  size(): Promise<number> {
    return this.store.size();
  }

  async close(): Promise<void> {
    this.latest.release();
    await this.store.close();
  }

  private encode(commit: Commit): StoreChange[] {
    const changes: StoreChange[] = [];
    for (const [key, context] of commit.contexts) this.encodeContext(key, context, changes);
    for (const [key, container] of commit.containers) {
      changes.push(versionsChange(key, container));
      this.encodeContext(key, container.context, changes);
    }
    for (const { actor, counter, key } of commit.log) {
      const recordKey = logKey(actor, counter);
      changes.push({ type: 'put', key: recordKey, value: encodeLogged(recordKey, key) });
    }
    changes.push({ type: 'put', key: NODE_KEY, value: encodeNode(NODE_KEY, commit.node) });
    return changes;
  }

  private encodeContext(key: string, context: VersionVector, changes: StoreChange[]): void {
    const recordKey = contextKey(key);
    if (context.size > 0) changes.push({ type: 'put', key: recordKey, value: encodeContext(recordKey, context) });
    else if (this.ahead.has(key)) changes.push({ type: 'del', key: recordKey });
  }

  private remember(key: string, container: Container | undefined, context = container?.context): void {
    if (context !== undefined && context.size > 0) this.ahead.add(key);
    else this.ahead.delete(key);
    if (container === undefined || isEmpty(container)) this.cache.delete(key);
    else this.cache.set(key, container);
  }
}

async function isBlank(store: Store): Promise<boolean> {
  const snapshot = store.snapshot();
  try {
    for await (const chunk of snapshot.scan(EVERYTHING, 1)) return chunk.length === 0;
    return true;
  } finally {
    snapshot.close();
  }
}

/**
 * LevelDB skips a damaged stretch of its own log when it recovers, and keeps the commits behind it. The clock would then
 * claim dots whose writes are gone. Every write has a log entry, so a lost commit leaves a hole in the counters.
 */
async function checkLog(view: CommittedView): Promise<void> {
  const reached = new Map<Actor, number>();
  for await (const { actor, counter } of view.loggedDots()) {
    const expected = (reached.get(actor) ?? 0) + 1;
    if (counter !== expected)
      throw new DamagedStoreError(`the log has ${actor}:${counter} but not ${actor}:${expected}`);
    reached.set(actor, counter);
  }
  for (const [actor, counter] of view.clock) {
    if (reached.get(actor) !== counter) throw new DamagedStoreError(`the log does not reach ${actor}:${counter}`);
  }
}

function versionsChange(key: string, container: Container): StoreChange {
  const recordKey = versionsKey(key);
  if (container.versions.length === 0) return { type: 'del', key: recordKey };
  return { type: 'put', key: recordKey, value: encodeVersions(recordKey, container.versions) };
}

function cachedBytes(container: Container, key: string): number {
  let bytes = CACHED_BYTES_MIN + key.length * 2;
  for (const version of container.versions) bytes += version.value.length;
  return bytes;
}
