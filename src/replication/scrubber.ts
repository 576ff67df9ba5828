// Is what stands on the disk still what was written?
//
// A slow scan reads every record anew, past the cache, over and over: a damaged one is noticed before somebody needs it,
// while peers can still tell what it was. With each span of keys a peer is asked, one after the other, whether it has the
// same: records that are gone, or older than they should be, match their checksums. Where the database itself is damaged,
// nothing can be scanned, and the peer is asked which keys there should be.

import type { ReplicaStore } from '../store/replica-store.js';
import type { CommittedView } from '../store/committed-view.js';
import { compareKeys, isWithin } from '../clock/claims.js';
import type { Version } from '../clock/container.js';
import { keptAt } from '../clock/lifetime.js';
import {
  contextKey,
  keyOf,
  recordsAfter,
  SCRUBBED_LETTERS,
  versionsKey,
  type ScrubbedLetter,
} from '../store/keyspace.js';
import { CorruptRecordError } from '../store/record-codec.js';
import { StoreReadError } from '../store/errors.js';
import { differingKeys, digestOfKey, digestOfSpan, type SpanDigest } from './engine/digest.js';
import type { Observation } from './engine/output.js';
import type { ReplicaDriver } from './replica-driver.js';
import type { Cancel, Time } from './time.port.js';
import { PeerFailure, type PeerTransport } from './transport.port.js';

export interface ScrubPace {
  /** 0: no scan at all. */
  readonly recordsPerSecond: number;
  /** Of one step; at most as many keys as a peer tells digests of. */
  readonly stepRecordsMax: number;
  readonly pauseMs: number;
}

/** After a start peers have been heard by then: the first spans can be compared too. */
const START_MS = 2000;

/** A step ends with the record that takes it past this: large values count for more. */
const STEP_BYTES_MAX = 4 * 1024 * 1024;

/** No key comes before it. */
const FIRST_KEY = '\0';

export class Scrubber {
  private letter: ScrubbedLetter = SCRUBBED_LETTERS[0];
  /** The last record that was read of this letter. */
  private after: Uint8Array | undefined;
  private cancel: Cancel = () => {};
  private isStopped = true;
  private underWay: Promise<void> = Promise.resolve();
  private asked = 0;
  private endWaiting: () => void = () => {};
  private readonly stopped = new Promise<undefined>((resolve) => {
    this.endWaiting = () => resolve(undefined);
  });

  constructor(
    private readonly driver: ReplicaDriver,
    private readonly store: ReplicaStore,
    private readonly outside: {
      readonly transport: PeerTransport;
      readonly time: Time;
      observed(observation: Observation): void;
    },
    private readonly pace: ScrubPace,
  ) {}

  start(): void {
    if (this.pace.recordsPerSecond === 0) return;
    this.isStopped = false;
    this.sleep(START_MS);
  }

  /** Resolves when nothing is read any more. */
  async stop(): Promise<void> {
    this.isStopped = true;
    this.endWaiting();
    this.cancel();
    await this.underWay;
  }

  private get stepRecords(): number {
    return Math.min(this.pace.stepRecordsMax, this.pace.recordsPerSecond);
  }

  private get stepMs(): number {
    return Math.ceil((1000 * this.stepRecords) / this.pace.recordsPerSecond);
  }

  private sleep(ms: number): void {
    this.cancel = this.outside.time.after(ms, () => {
      // Not a part that can't be read, but the store as a whole: whoever writes next will hear of it.
      this.underWay = this.step().catch(() => this.wake(this.pace.pauseMs));
    });
  }

  private wake(ms: number): void {
    if (!this.isStopped && this.driver.failure === undefined) this.sleep(ms);
  }

  private async step(): Promise<void> {
    const view = this.store.view.retain();
    try {
      const isRoundOver = await this.read(view);
      this.wake(isRoundOver ? this.pace.pauseMs : this.stepMs);
    } finally {
      view.release();
    }
  }

  /** The next records. True: they were the last of a round. */
  private async read(view: CommittedView): Promise<boolean> {
    const { letter, after } = this;
    const keys = new Map<string, number>();
    let records = 0;
    let bytes = 0;
    let isWhole = true;
    let last: Uint8Array | undefined;
    let read: Uint8Array | undefined;
    try {
      for await (const record of view.checked(recordsAfter(letter, after))) {
        records++;
        bytes += record.bytes;
        read = record.recordKey;
        if (record.isDamaged) isWhole = false;
        else if (letter === 'k') this.look(keyOf(read), record.versions, keys);
        if (records < this.stepRecords && bytes < STEP_BYTES_MAX && !this.isStopped) continue;
        last = read;
        break;
      }
    } catch (error) {
      if (!(error instanceof StoreReadError)) throw error;
      if (read === undefined) return this.passOver(view, error);
      // The next step begins at what can't be read.
      last = read;
    }
    this.outside.observed({ kind: 'scrubbed', records });
    if (letter === 'k' && isWhole && !this.isStopped) {
      const span = { after: after && keyOf(after), through: last && keyOf(last) };
      this.compare({ span, clock: view.clock, keys });
    }
    return this.advance(last);
  }

  private look(key: string, versions: readonly Version[], digests: Map<string, number>): void {
    const digest = digestOfKey(key, versions);
    if (digest !== undefined) digests.set(key, digest);
    // Its entry among the deadlines is lost: nothing else would find it.
    const wallMs = this.outside.time.nowMs();
    if (keptAt(versions, wallMs) !== versions) this.driver.expire(key, wallMs);
  }

  /**
   * What stands in a part that can't be scanned, only others can say. Each key that they name is read by itself: one that
   * can't be read is thereby reported, and fetched. Entries of the log, and requests, are found by those who need them.
   */
  private async passOver(view: CommittedView, { message, through }: StoreReadError): Promise<boolean> {
    const { letter } = this;
    this.outside.observed({ kind: 'store-unreadable', reason: message });
    if (letter === 'l' || letter === 'i') return this.advance(through);
    const part = { after: this.after && keyOf(this.after), through: through && keyOf(through) };
    const named = letter === 'k' ? await this.namedByPeer(part.after) : { keys: this.store.aheadKeys, end: undefined };
    const keys = [...named.keys].filter((key) => isWithin(part, key)).sort(compareKeys);
    const next = keys.slice(0, this.stepRecords);
    for (const key of next) reportUnreadable(view, key);
    const reached = next.length < keys.length ? next.at(-1) : named.end;
    const isAll = reached === undefined || !isWithin(part, reached);
    return this.advance(isAll ? through : recordKeyOf(letter, reached));
  }

  /** The keys after `after` that a peer has, up to `end`. No answer: another peer is asked in the next round. */
  private async namedByPeer(after: string | undefined): Promise<{ keys: Iterable<string>; end: string | undefined }> {
    const nobody = { keys: [], end: undefined };
    const peer = this.nextPeer();
    if (peer === undefined) return nobody;
    // Without a place to go on from it would mean that this replica takes over all keys.
    const request = { kind: 'pull-keys', after: after ?? FIRST_KEY } as const;
    try {
      const answer = await Promise.race([this.outside.transport.send(peer.name, request), this.stopped]);
      if (answer?.kind !== 'piece') return nobody;
      return { keys: [request.after, ...answer.piece.containers.keys()], end: answer.piece.span.through };
    } catch (error) {
      if (!(error instanceof PeerFailure)) throw error;
      return nobody;
    }
  }

  private nextPeer(): { readonly name: string } | undefined {
    const peers = this.driver.peers.filter(({ isReachable }) => isReachable);
    return peers[this.asked++ % peers.length];
  }

  private advance(last: Uint8Array | undefined): boolean {
    this.after = last;
    if (last !== undefined) return false;
    this.letter = SCRUBBED_LETTERS[(SCRUBBED_LETTERS.indexOf(this.letter) + 1) % SCRUBBED_LETTERS.length]!;
    if (this.letter !== SCRUBBED_LETTERS[0]) return false;
    this.outside.observed({ kind: 'scrub-round-ended' });
    return true;
  }

  /** Asks one peer whether it has the same. No answer is no matter: another peer is asked in the next round. */
  private compare(mine: SpanDigest): void {
    const peer = this.nextPeer();
    if (peer === undefined) return;
    const { span, clock, keys } = mine;
    this.outside.transport
      .send(peer.name, { kind: 'digest', span, clock, digest: digestOfSpan(keys) })
      .then((answer) => {
        if (this.isStopped || answer.kind !== 'digests' || answer.keys === undefined) return;
        const theirs = { span: { after: span.after, through: answer.through }, keys: answer.keys };
        this.driver.suspect(differingKeys(mine, theirs).filter((key) => isWithin(span, key)));
      })
      .catch((error: unknown) => {
        if (!(error instanceof PeerFailure)) throw error;
      });
  }
}

/** Whoever watches the store for damage hears of it. */
function reportUnreadable(view: CommittedView, key: string): void {
  try {
    view.onDisk(key);
  } catch (error) {
    if (!(error instanceof CorruptRecordError)) throw error;
  }
}

function recordKeyOf(letter: 'k' | 'a', key: string): Uint8Array {
  return letter === 'k' ? versionsKey(key) : contextKey(key);
}
