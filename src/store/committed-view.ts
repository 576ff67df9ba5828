// What had this replica committed, at one moment? One snapshot of the store together with the node clock of the same
// commit. A container must be filled with exactly that clock: with an older one it loses context and its reader later
// makes false siblings; with a newer one it claims replacements it has not got.

import type { Actor, Dot } from '../clock/dot.js';
import { EMPTY_CONTAINER, type Container } from '../clock/container.js';
import { EMPTY_VECTOR, type VersionVector } from '../clock/version-vector.js';
import {
  contextKey,
  contextsRange,
  dotOf,
  keyOf,
  logRange,
  versionsKey,
  versionsRange,
  WHOLE_LOG,
} from './keyspace.js';
import { decodeContext, decodeLogged, decodeVersions, type NodeRecord } from './record-codec.js';
import type { KeyRange, StoreEntry, StoreSnapshot } from './store.port.js';

/** Entries a scan fetches in one hop to the store. */
const SCAN_CHUNK = 1000;

export interface KeyedContainer {
  readonly key: string;
  /** Stripped, as stored: fill with the clock of the same view before use. */
  readonly container: Container;
}

/** Closed when its last holder releases it; who keeps one across an `await` retains it first. */
export class CommittedView {
  private holders = 1;

  constructor(
    readonly node: NodeRecord,
    /** How many keys have a context record; none, and reads need not look for one. */
    private readonly aheadCount: number,
    private readonly snapshot: StoreSnapshot,
  ) {}

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

  /**
   * The container as stored, stripped.
   * @throws CorruptRecordError
   */
  container(key: string): Container {
    const recordKey = versionsKey(key);
    const record = this.snapshot.get(recordKey);
    const context = this.context(key);
    if (record === undefined) return context.size === 0 ? EMPTY_CONTAINER : { versions: [], context };
    return { versions: decodeVersions(recordKey, record), context };
  }

  /**
   * Keys with live versions that begin with `prefix` and follow `after`, in the order of their UTF-8 bytes.
   * @throws CorruptRecordError
   */
  async *containers(prefix: string, after: string | undefined): AsyncGenerator<KeyedContainer> {
    for await (const [recordKey, record] of this.scan(versionsRange(prefix, after))) {
      const key = keyOf(recordKey);
      yield { key, container: { versions: decodeVersions(recordKey, record), context: this.context(key) } };
    }
  }

  /** Keys with a context record that follow `after`, in the order of their UTF-8 bytes. */
  async *aheadKeys(after: string | undefined): AsyncGenerator<string> {
    for await (const [recordKey] of this.scan(contextsRange(after))) yield keyOf(recordKey);
  }

  /** Every dot in the log, actor by actor and in the order of their counters. */
  async *loggedDots(): AsyncGenerator<Dot> {
    for await (const [recordKey] of this.scan(WHOLE_LOG)) yield dotOf(recordKey);
  }

  /** The keys that the actor's dots wrote, from the one after `from` up to and with `to`, in order. */
  async *logged(actor: Actor, from: number, to: number): AsyncGenerator<string> {
    for await (const [recordKey, record] of this.scan(logRange(actor, from, to))) yield decodeLogged(recordKey, record);
  }

  /**
   * What the key knows beyond the clock.
   * @throws CorruptRecordError
   */
  context(key: string): VersionVector {
    if (this.aheadCount === 0) return EMPTY_VECTOR;
    const recordKey = contextKey(key);
    const record = this.snapshot.get(recordKey);
    return record === undefined ? EMPTY_VECTOR : decodeContext(recordKey, record);
  }

  private async *scan(range: KeyRange): AsyncGenerator<StoreEntry> {
    for await (const chunk of this.snapshot.scan(range, SCAN_CHUNK)) yield* chunk;
  }
}
