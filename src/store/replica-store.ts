// How does a replica's state come to disk, and back?
//
// One commit holds everything that a group of steps changed: containers, log entries and the node record. It is atomic
// and durable before anybody hears of it, and the view that readers use moves on only then. Commits run one at a time.

import type { Container } from '../clock/container.js';
import { NO_CLAIMS, type Claims } from '../clock/claims.js';
import { NO_MEMBERS, type Members } from '../clock/membership.js';
import type { Actor } from '../clock/dot.js';
import type { RequestChange } from '../clock/request.js';
import { counterOf, type VersionVector } from '../clock/version-vector.js';
import { CommittedView, type Deadline } from './committed-view.js';
import { ContainerCache } from './container-cache.js';
import {
  CLAIMS_KEY,
  contextKey,
  deadlineKey,
  deadlineRange,
  EVERYTHING,
  logEndingIn,
  markKey,
  MEMBERS_KEY,
  NODE_KEY,
  requestKey,
  versionsKey,
} from './keyspace.js';
import { logChanges, type LogEntry } from './log-records.js';
import { checkLog, checkMarks, CommitMarks, DamagedStoreError } from './lost-commits.js';
import {
  CorruptRecordError,
  decodeClaims,
  decodeNode,
  decodeMembers,
  encodeClaims,
  encodeContext,
  encodeMembers,
  encodeNode,
  encodeRequest,
  encodeVersions,
  type NodeRecord,
} from './record-codec.js';
import { RecentLog } from './recent-log.js';
import type { DamageListener } from './record-reader.js';
import type { Store, StoreChange, StoreSnapshot } from './store.port.js';

/** Keys of a commit that come from a bulk transfer: they must not push out those that are in use. */
const BULK_KEYS_MIN = 500;

const NO_BYTES = new Uint8Array(0);

/** Everything that one commit writes. */
export interface Commit {
  /** Undefined: as before. */
  readonly claims: Claims | undefined;
  /** Undefined: as before. */
  readonly members: Members | undefined;
  readonly containers: ReadonlyMap<string, Container>;
  /** Keys whose context alone differs; none of them is in `containers`. */
  readonly contexts: ReadonlyMap<string, VersionVector>;
  readonly log: readonly LogEntry[];
  /** Entries of the index of deadlines that come and go; absent: none. */
  readonly deadlines?: readonly (Deadline & { readonly isSet: boolean })[];
  readonly requests?: readonly RequestChange[];
  readonly node: NodeRecord;
}

export class ReplicaStore {
  private readonly cache = new ContainerCache();
  private readonly marks: CommitMarks;
  private readonly recent: RecentLog;
  private damageListener: DamageListener = () => {};
  private deadlineListener: (deadlineMs: number) => void = () => {};
  /** What nobody reads any more is being removed. */
  private clearing: Promise<void> = Promise.resolve();

  private constructor(
    private readonly store: Store,
    private latest: CommittedView,
    /** The number of the last commit. */
    private commits: number,
    /** Keys with a context record. */
    private readonly ahead: Set<string>,
    /** The members when it was opened. */
    readonly members: Members,
  ) {
    this.recent = new RecentLog(latest.clock);
    this.marks = new CommitMarks(commits > 0 ? commits : undefined);
  }

  /**
   * Loads what the store holds; a fresh store begins with `fresh`, on disk before this returns.
   * @throws DamagedStoreError when commits are missing
   * @throws CorruptRecordError when the node record is damaged
   */
  static async open(store: Store, fresh: NodeRecord): Promise<ReplicaStore> {
    if (await isBlank(store)) {
      await store.commit([
        { type: 'put', key: NODE_KEY, value: encodeNode(NODE_KEY, fresh, 1) },
        { type: 'put', key: markKey(1), value: Buffer.alloc(0) },
      ]);
    }
    const snapshot = store.snapshot();
    const record = snapshot.get(NODE_KEY);
    if (record === undefined) throw new DamagedStoreError('the node record is missing');
    const { node, commit } = decodeNode(NODE_KEY, record);
    const claimed = snapshot.get(CLAIMS_KEY);
    const claims = claimed === undefined ? NO_CLAIMS : decodeClaims(CLAIMS_KEY, claimed);
    const nothingRecent = { log: new RecentLog(node.clock), container: () => undefined };
    const scanned = new CommittedView(node, claims, 0, snapshot, nothingRecent);
    await checkMarks(scanned, commit);
    const unlogged = await checkLog(scanned);
    const ahead = new Set<string>();
    for await (const key of scanned.aheadKeys(undefined)) ahead.add(key);
    const listed = snapshot.get(MEMBERS_KEY);
    const members = listed === undefined ? NO_MEMBERS : decodeMembers(MEMBERS_KEY, listed);
    const replica = new ReplicaStore(store, scanned, commit, ahead, members);
    replica.latest = replica.viewOf(node, claims, snapshot, commit);
    replica.clearLog(unlogged, node.floor);
    return replica;
  }

  /** What is committed now. Valid until the next `await`; retain it to keep it longer. */
  get view(): CommittedView {
    return this.latest;
  }

  /**
   * The committed container as stored: fill it with what `view` knows of the key. Shared: never changed.
   * @throws CorruptRecordError
   */
  container(key: string): Container {
    const cached = this.cached(key);
    if (cached !== undefined) return cached;
    const container = this.latest.onDisk(key);
    this.cache.set(key, container, this.commits);
    return container;
  }

  /** As `container`, where that need not look in the database; undefined: it must. */
  cached(key: string): Container | undefined {
    return this.cache.get(key);
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
    const changes = this.encode(commit);
    const number = ++this.commits;
    changes.push({ type: 'put', key: NODE_KEY, value: encodeNode(NODE_KEY, commit.node, number) });
    changes.push(...this.marks.mark(number, changes));
    await this.store.commit(changes);
    const isBulk = commit.containers.size > BULK_KEYS_MIN;
    for (const [key, container] of commit.containers) {
      this.keepAhead(key, container.context);
      if (!isBulk || this.cache.has(key)) this.cache.set(key, container, number);
    }
    for (const [key, context] of commit.contexts) {
      this.keepAhead(key, context);
      this.cache.setContext(key, context, number);
    }
    this.recent.add(commit.log);
    const previous = this.latest;
    const claims = commit.claims ?? previous.claims;
    this.latest = this.viewOf(commit.node, claims, this.store.snapshot(), number);
    previous.release();
    for (const { deadlineMs, isSet } of commit.deadlines ?? []) if (isSet) this.deadlineListener(deadlineMs);
    const firstMark = this.marks.committed();
    if (firstMark !== undefined) this.clear(() => this.store.clear({ gte: markKey(0), lt: markKey(firstMark) }));
    if (commit.node.floor !== previous.node.floor) this.clearLog(previous.node.floor, commit.node.floor);
  }

  /**
   * Goes on as another actor: dots of the one so far may exist that this database does not know. Before the first use.
   */
  async renew(actor: Actor): Promise<void> {
    const node = { ...this.latest.node, actor };
    const nothing = { claims: undefined, members: undefined, containers: new Map(), contexts: new Map(), log: [] };
    await this.commit({ ...nothing, node });
  }

  /** Keys that know more than the clock, in no order. */
  get aheadKeys(): Iterable<string> {
    return this.ahead;
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
    await this.clearing;
    await this.store.close();
  }

  /** `listener` hears of every record that can't be read, whoever reads it. One listener. */
  watchDamage(listener: DamageListener): void {
    this.damageListener = listener;
  }

  /** `listener` hears of every deadline that is committed. One listener. */
  watchDeadlines(listener: (deadlineMs: number) => void): void {
    this.deadlineListener = listener;
  }

  /** Removes what is told of deadlines up to and with this one. */
  clearDeadlines(throughMs: number): void {
    this.clear(() => this.store.clear(deadlineRange(-1, throughMs)));
  }

  private viewOf(node: NodeRecord, claims: Claims, snapshot: StoreSnapshot, commit: number): CommittedView {
    const recent = { log: this.recent, container: (key: string) => this.cache.asOf(key, commit) };
    return new CommittedView(node, claims, this.ahead.size, snapshot, recent, (error) => this.damageListener(error));
  }

  /** Removes the log entries after `from` up to and with `floor`. */
  private clearLog(from: VersionVector, floor: VersionVector): void {
    for (const [actor, counter] of floor) {
      const after = counterOf(from, actor);
      if (after < counter) this.clear(() => this.store.clear(logEndingIn({ actor, from: after, to: counter })));
    }
  }

  /** One after the other. What fails stays until the next start; what can't be written fails every later commit, too. */
  private clear(remove: () => Promise<void>): void {
    this.clearing = this.clearing.then(remove).catch(() => {});
  }

  private encode(commit: Commit): StoreChange[] {
    const changes: StoreChange[] = [];
    for (const [key, context] of commit.contexts) this.encodeContext(key, context, changes);
    for (const [key, container] of commit.containers) {
      changes.push(versionsChange(key, container));
      this.encodeContext(key, container.context, changes);
    }
    changes.push(...logChanges(commit.log));
    for (const { deadlineMs, key, isSet } of commit.deadlines ?? []) {
      const recordKey = deadlineKey(deadlineMs, key);
      changes.push(isSet ? { type: 'put', key: recordKey, value: NO_BYTES } : { type: 'del', key: recordKey });
    }
    for (const change of commit.requests ?? []) changes.push(requestChange(change));
    if (commit.claims !== undefined) changes.push(claimsChange(commit.claims));
    if (commit.members !== undefined) {
      changes.push({ type: 'put', key: MEMBERS_KEY, value: encodeMembers(MEMBERS_KEY, commit.members) });
    }
    return changes;
  }

  private encodeContext(key: string, context: VersionVector, changes: StoreChange[]): void {
    // Nearly every key, and it costs nothing then.
    if (context.size === 0 && !this.ahead.has(key)) return;
    const recordKey = contextKey(key);
    if (context.size === 0) changes.push({ type: 'del', key: recordKey });
    else changes.push({ type: 'put', key: recordKey, value: encodeContext(recordKey, context) });
  }

  private keepAhead(key: string, context: VersionVector): void {
    if (context.size > 0) this.ahead.add(key);
    else this.ahead.delete(key);
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

function claimsChange(claims: Claims): StoreChange {
  if (claims.length === 0) return { type: 'del', key: CLAIMS_KEY };
  return { type: 'put', key: CLAIMS_KEY, value: encodeClaims(CLAIMS_KEY, claims) };
}

function versionsChange(key: string, container: Container): StoreChange {
  const recordKey = versionsKey(key);
  if (container.versions.length === 0) return { type: 'del', key: recordKey };
  return { type: 'put', key: recordKey, value: encodeVersions(recordKey, container.versions) };
}

function requestChange([place, request]: RequestChange): StoreChange {
  const recordKey = requestKey(place);
  if (request === undefined) return { type: 'del', key: recordKey };
  return { type: 'put', key: recordKey, value: encodeRequest(recordKey, request) };
}
