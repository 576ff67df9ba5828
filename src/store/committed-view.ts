// What had this replica committed, at one moment? One snapshot of the store together with the node clock of the same
// commit. A container must be filled with exactly that clock: with an older one it loses context and its reader later
// makes false siblings; with a newer one it claims replacements it has not got.

import { EMPTY_CONTAINER, type Container, type Version } from '../clock/container.js';
import { claimedByAny, claimOf, type Claims, type KeySpan } from '../clock/claims.js';
import { beyond, EMPTY_VECTOR, join, type VersionVector } from '../clock/version-vector.js';
import {
  ALL_MARKS,
  commitOf,
  contextKey,
  contextsRange,
  deadlineOf,
  deadlineRange,
  isContextKey,
  isLogKey,
  isRequestKey,
  keyOf,
  spanRange,
  versionsKey,
  versionsRange,
} from './keyspace.js';
import {
  CorruptRecordError,
  decodeContainer,
  decodeContext,
  decodeLogged,
  decodeRequest,
  decodeVersions,
  unreadContainer,
  versionsBytes,
  type NodeRecord,
} from './record-codec.js';
import { LogRecords } from './log-records.js';
import type { Recent } from './recent-log.js';
import { RecordReader, SCAN_CHUNK, type DamageListener } from './record-reader.js';
import { RequestRecords } from './request-records.js';
import { sideBySide } from './side-by-side.js';
import type { KeyRange, StoreEntry, StoreSnapshot } from './store.port.js';

const NOTHING: KeyRange = { gte: Buffer.of(0), lt: Buffer.of(0) };

export interface KeyedContainer {
  readonly key: string;
  /** Stripped, as stored: fill with the clock of the same view before use. */
  readonly container: Container;
}

/** What a key's records say of it; `versions` undefined: it has none. @throws CorruptRecordError */
type ContainerReader = (versions: StoreEntry | undefined, context: VersionVector) => Container;

/** A version of the key has, or had, its deadline then. */
export interface Deadline {
  /** Wall time. */
  readonly deadlineMs: number;
  readonly key: string;
}

export interface CheckedRecord {
  readonly recordKey: Uint8Array;
  readonly bytes: number;
  readonly isDamaged: boolean;
  /** Of a key's versions; none for other records. */
  readonly versions: readonly Version[];
}

/** Closed when its last holder releases it; who keeps one across an `await` retains it first. */
export class CommittedView {
  private holders = 1;
  private readonly records: RecordReader;
  readonly log: LogRecords;
  /** Requests with names. */
  readonly requests: RequestRecords;

  constructor(
    readonly node: NodeRecord,
    readonly claims: Claims,
    /** How many keys have a context record; none, and reads need not look for one. */
    private readonly aheadCount: number,
    private readonly snapshot: StoreSnapshot,
    private readonly recent: Recent,
    damaged: DamageListener = () => {},
  ) {
    this.records = new RecordReader(snapshot, damaged);
    this.log = new LogRecords(snapshot, this.records, recent.log);
    this.requests = new RequestRecords(this.records, recent.log);
  }

  get clock(): VersionVector {
    return this.node.clock;
  }

  retain(): this {
    this.holders++;
    return this;
  }

  release(): void {
    if (--this.holders === 0) this.snapshot.close();
  }

  /** What is known of a key: the clock, and what is claimed of its range beyond. A stored container is filled with it. */
  knownOf(key: string): VersionVector {
    return this.claims.length === 0 ? this.clock : join(this.clock, claimOf(this.claims, key));
  }

  /**
   * The container as stored: stripped of what is known of its key.
   * @throws CorruptRecordError
   */
  stored(key: string): Container {
    return (this.holders > 0 ? this.recent.container(key) : undefined) ?? this.onDisk(key);
  }

  /** As `stored`, by its records: whether they can be read, no cache tells. @throws CorruptRecordError */
  onDisk(key: string): Container {
    const recordKey = versionsKey(key);
    const record = this.records.get(recordKey);
    const context = this.context(key);
    if (record !== undefined) {
      return this.records.decode((at, bytes) => decodeContainer(at, bytes, context), recordKey, record);
    }
    return context.size === 0 ? EMPTY_CONTAINER : { versions: [], context };
  }

  /**
   * The live versions alone.
   * @throws CorruptRecordError
   */
  versions(key: string): readonly Version[] {
    const recordKey = versionsKey(key);
    const record = this.records.get(recordKey);
    return record === undefined ? [] : this.records.decode(decodeVersions, recordKey, record);
  }

  /**
   * The container, stripped of what the clock covers: as it goes into a message with that clock.
   * @throws CorruptRecordError
   */
  container(key: string): Container {
    return this.beyondClock(key, this.stored(key));
  }

  /**
   * Keys with live versions that begin with `prefix` and follow `after`, in the order of their UTF-8 bytes.
   * @throws CorruptRecordError
   */
  async *containers(prefix: string, after?: string, wanted?: number): AsyncGenerator<KeyedContainer> {
    for await (const [recordKey, record] of this.records.scan(versionsRange(prefix, after), wanted)) {
      const key = keyOf(recordKey);
      const stored = { versions: this.records.decode(decodeVersions, recordKey, record), context: this.context(key) };
      yield { key, container: this.beyondClock(key, stored) };
    }
  }

  /**
   * Every key of the span that a record tells of, deleted ones whose context is kept too, with what is stored, in chunks
   * in the order of their UTF-8 bytes.
   * @throws CorruptRecordError
   */
  storedWithin(span: KeySpan): AsyncGenerator<readonly KeyedContainer[]> {
    return this.within(span, (record, context) => ({ versions: this.versionsIn(record), context }));
  }

  /**
   * As `storedWithin`, to be passed on: versions are read when somebody looks at them.
   * @throws CorruptRecordError
   */
  unreadWithin(span: KeySpan): AsyncGenerator<readonly KeyedContainer[]> {
    return this.within(span, (record, context) => {
      const bytes = record && this.records.decode(versionsBytes, ...record);
      return bytes === undefined ? { versions: this.versionsIn(record), context } : unreadContainer(bytes, context);
    });
  }

  private versionsIn(record: StoreEntry | undefined): readonly Version[] {
    return record === undefined ? [] : this.records.decode(decodeVersions, ...record);
  }

  private async *within(span: KeySpan, read: ContainerReader): AsyncGenerator<readonly KeyedContainer[]> {
    const contextRange = this.aheadCount === 0 ? NOTHING : spanRange('a', span);
    const scan = (range: KeyRange) => this.snapshot.scan(range, SCAN_CHUNK);
    for await (const pairs of sideBySide(scan(spanRange('k', span)), scan(contextRange))) {
      yield pairs.map(({ key, left: versions, right: record }) => {
        const context = record === undefined ? EMPTY_VECTOR : this.records.decode(decodeContext, ...record);
        return { key, container: read(versions, context) };
      });
    }
  }

  /** Roughly the bytes that all live versions take on disk. */
  versionsSize(): Promise<number> {
    return this.snapshot.size(versionsRange('', undefined));
  }

  /** Reads records of keys and of the log anew, past every cache, and says of each whether it is whole. */
  async *checked(range: KeyRange): AsyncGenerator<CheckedRecord> {
    for await (const [recordKey, record] of this.records.scan(range)) {
      const checked = { recordKey, bytes: recordKey.length + record.length };
      try {
        yield { ...checked, isDamaged: false, versions: this.check(recordKey, record) };
      } catch (error) {
        if (!(error instanceof CorruptRecordError)) throw error;
        yield { ...checked, isDamaged: true, versions: [] };
      }
    }
  }

  private check(recordKey: Uint8Array, record: Uint8Array): readonly Version[] {
    if (isLogKey(recordKey)) this.records.decode(decodeLogged, recordKey, record);
    else if (isRequestKey(recordKey)) this.records.decode(decodeRequest, recordKey, record);
    else if (isContextKey(recordKey)) this.records.decode(decodeContext, recordKey, record);
    else return this.records.decode(decodeVersions, recordKey, record);
    return [];
  }

  /** Deadlines after `afterMs` up to and with `throughMs`, in order; of what has been dropped too, for some time. */
  async *deadlines(afterMs: number, throughMs: number): AsyncGenerator<Deadline> {
    for await (const [recordKey] of this.records.scan(deadlineRange(afterMs, throughMs))) yield deadlineOf(recordKey);
  }

  /** Keys with a context record that follow `after`, in the order of their UTF-8 bytes. */
  async *aheadKeys(after: string | undefined): AsyncGenerator<string> {
    for await (const [recordKey] of this.records.scan(contextsRange(after))) yield keyOf(recordKey);
  }

  /**
   * What a client has seen that was shown a key with this context: what the key's versions may depend on, too. For its
   * session, and not for a write, whose context says something of its own key alone.
   */
  seen(context: VersionVector): VersionVector {
    return join(join(context, this.clock), this.node.past);
  }

  /** What versions shown with this context may depend on besides. @param past of a read of several replicas */
  pastOf(context: VersionVector, past = EMPTY_VECTOR): VersionVector {
    return beyond(join(this.node.past, past), context);
  }

  /** Everything that any key may know or depend on: the clock, contexts of keys ahead and claims. */
  async knownOfAny(): Promise<VersionVector> {
    let known = join(this.seen(this.clock), claimedByAny(this.claims));
    if (this.aheadCount === 0) return known;
    for await (const key of this.aheadKeys(undefined)) known = join(known, this.context(key));
    return known;
  }

  /** The numbers of the commits whose marks are kept, in order. */
  async *marks(): AsyncGenerator<{ readonly mark: number; readonly isFirst: boolean }> {
    for await (const [recordKey, record] of this.records.scan(ALL_MARKS)) {
      yield { mark: commitOf(recordKey), isFirst: record.length > 0 };
    }
  }

  /**
   * What the key knows beyond the clock.
   * @throws CorruptRecordError
   */
  context(key: string): VersionVector {
    if (this.aheadCount === 0) return EMPTY_VECTOR;
    const recordKey = contextKey(key);
    const record = this.records.get(recordKey);
    return record === undefined ? EMPTY_VECTOR : this.records.decode(decodeContext, recordKey, record);
  }

  private beyondClock(key: string, stored: Container): Container {
    if (this.claims.length === 0) return stored;
    const claim = beyond(claimOf(this.claims, key), this.clock);
    return claim.size === 0 ? stored : { versions: stored.versions, context: join(stored.context, claim) };
  }
}
