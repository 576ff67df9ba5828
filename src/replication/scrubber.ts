// Is what stands on the disk still what was written?
//
// A slow scan reads every record anew, past the cache, over and over: a damaged one is noticed before somebody needs it,
// while peers can still tell what it was. With each span of keys a peer is asked, one after the other, whether it has the
// same: records that are gone, or older than they should be, match their checksums.

import type { ReplicaStore } from '../store/replica-store.js';
import type { CommittedView } from '../store/committed-view.js';
import { isWithin } from '../clock/claims.js';
import { keyOf, recordsAfter, SCRUBBED_LETTERS, type ScrubbedLetter } from '../store/keyspace.js';
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

export class Scrubber {
  private letter: ScrubbedLetter = SCRUBBED_LETTERS[0];
  /** The last record that was read of this letter. */
  private after: Uint8Array | undefined;
  private cancel: Cancel = () => {};
  private isStopped = true;
  private underWay: Promise<void> = Promise.resolve();
  private asked = 0;

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
      // A scan that fails has a store that fails: whoever writes next will hear of it.
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
    for await (const record of view.checked(recordsAfter(letter, after))) {
      records++;
      bytes += record.bytes;
      if (record.isDamaged) isWhole = false;
      else if (letter === 'k') keys.set(keyOf(record.recordKey), digestOfKey(keyOf(record.recordKey), record.versions));
      if (records < this.stepRecords && bytes < STEP_BYTES_MAX && !this.isStopped) continue;
      last = record.recordKey;
      break;
    }
    this.outside.observed({ kind: 'scrubbed', records });
    if (letter === 'k' && isWhole && !this.isStopped) {
      const span = { after: after && keyOf(after), through: last && keyOf(last) };
      this.compare({ span, clock: view.clock, keys });
    }
    return this.advance(last);
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
    const peers = this.driver.peers.filter(({ isReachable }) => isReachable);
    const peer = peers[this.asked++ % peers.length];
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
