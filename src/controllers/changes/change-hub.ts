// How do many readers follow the changes at the price of one? Those who stand at the same cursor wait at one place. What lies
// beyond it is read once, and a tree of their prefixes tells for whom some of it is: only these get a batch, which is made once
// for all who ask for the same. The place moves on with the others, who cost nothing. Who falls behind stands at a cursor of its
// own: it gets fewer and larger batches, and is among the others again when it has caught up.
//
// After a commit the first batches go out at once; the next ones no more often than every few milliseconds, so that many
// small commits cost many readers one batch. Between two places, and between two batches, requests are answered.

import { setImmediate as turn } from 'node:timers/promises';
import { countBeyond, descends } from '../../clock/version-vector.js';
import type { ReplicaDriver } from '../../replication/replica-driver.js';
import type { Stretches } from '../../replication/stretches.js';
import type { CommittedView } from '../../store/committed-view.js';
import { Problem } from '../http/problem.js';
import type { BatchReader } from './batch.js';
import { Place, type Waiting } from './place.js';

/** Far below what a reader notices, far above what it costs to write a batch to hundreds of them. */
const PULSE_MS = 15;

/** How often it is looked for lifetimes that have ended, which no commit tells. */
const LOOK_EVERY_MS = 1000;

/** Who lacks no more has its turn at each pulse, however many are further behind: a millisecond, and a pulse brings fewer. */
const NEAR_DOTS = 1000;

export class ChangeHub {
  /** By token. */
  private readonly places = new Map<string, Place>();
  private readonly leaveSessions: () => void;
  private readerCount = 0;
  private pulse: NodeJS.Timeout | undefined;
  private lastPulseMs = -Infinity;
  private underWay: Promise<void> | undefined;
  private isLookDue = false;
  private isStopped = false;
  private readonly looking = setInterval(() => {
    this.isLookDue = true;
    this.schedulePulse();
  }, LOOK_EVERY_MS);

  constructor(
    private readonly driver: Pick<ReplicaDriver, 'view' | 'sessions'>,
    private readonly batches: BatchReader,
    private readonly readersMax: number,
  ) {
    this.leaveSessions = driver.sessions.watch(() => this.schedulePulse());
  }

  /** Readers that wait, or are being served. */
  get readers(): number {
    return this.readerCount;
  }

  /**
   * Counts one reader until `follow` has ended.
   * @throws Problem OVERLOADED
   */
  async admit(follow: () => Promise<void>): Promise<void> {
    if (this.readerCount >= this.readersMax) {
      throw new Problem('OVERLOADED', `${this.readersMax} readers wait already; try another replica`, {
        'Retry-After': '1',
      });
    }
    this.readerCount++;
    try {
      await follow();
    } finally {
      this.readerCount--;
    }
  }

  /** The reader is told its next batch, once, as soon as there is something that it has asked for. */
  join(reader: Waiting): void {
    if (this.isStopped) return reader.tell(undefined);
    const { cursor, token } = reader.standing;
    const place = this.places.get(token) ?? new Place(cursor, token);
    this.places.set(token, place);
    place.add(reader);
    if (this.isBehind(place)) this.schedulePulse();
  }

  leave(reader: Waiting): void {
    const place = reader.standing;
    if (!(place instanceof Place)) return;
    place.delete(reader);
    if (place.size === 0 && this.places.get(place.token) === place) this.places.delete(place.token);
  }

  /** Nobody is kept waiting, and nobody new is let to. Resolves when nothing is read any more. */
  async stop(): Promise<void> {
    this.isStopped = true;
    this.leaveSessions();
    clearTimeout(this.pulse);
    clearInterval(this.looking);
    for (const place of this.places.values()) for (const reader of place.takeAll()) reader.tell(undefined);
    this.places.clear();
    await this.underWay;
  }

  private isBehind({ cursor, mayHaveMore }: Place): boolean {
    return mayHaveMore || !descends(cursor.clock, this.driver.view.clock);
  }

  private schedulePulse(): void {
    if (this.pulse !== undefined || this.underWay !== undefined || this.places.size === 0 || this.isStopped) return;
    const waitMs = Math.max(0, this.lastPulseMs + PULSE_MS - performance.now());
    this.pulse = setTimeout(() => this.beat(), waitMs);
  }

  private beat(): void {
    this.pulse = undefined;
    this.lastPulseMs = performance.now();
    const isMeant = this.isLookDue ? (): boolean => true : (place: Place): boolean => this.isBehind(place);
    this.isLookDue = false;
    this.underWay = this.serveAll([...this.places.values()].filter(isMeant)).finally(() => {
      this.underWay = undefined;
      // What has come meanwhile has not been noted.
      if (this.isLookDue || [...this.places.values()].some((place) => this.isBehind(place))) this.schedulePulse();
    });
  }

  /** All in one view: then those who are near stand at one place afterwards. Of the others, as many as there is time for. */
  private async serveAll(places: readonly Place[]): Promise<void> {
    const view = this.driver.view.retain();
    const wallMs = Date.now();
    const isNear = ({ cursor }: Place): boolean => countBeyond(view.clock, cursor.clock) <= NEAR_DOTS;
    try {
      for (const place of places.filter(isNear)) await this.serve(place, view, wallMs);
      for (const place of places.filter((each) => !isNear(each))) {
        await this.serve(place, view, wallMs);
        if (performance.now() - this.lastPulseMs > PULSE_MS) return;
      }
    } finally {
      view.release();
    }
  }

  private async serve(place: Place, view: CommittedView, wallMs: number): Promise<void> {
    // Others were at the cursor that it came to, or all have left.
    if (this.places.get(place.token) !== place) return;
    // Who comes to this cursor from now on does not move on with those for whom it has been read.
    this.places.delete(place.token);
    const asking: Waiting[] = [];
    try {
      const stretches = this.batches.begin(view, place.cursor, wallMs);
      try {
        await this.pass(place, stretches, asking);
        await this.tellEach(stretches, asking);
      } finally {
        await stretches.end();
      }
    } catch (error) {
      for (const reader of [...asking, ...place.takeAll()]) reader.tell(error as Error);
    }
    await turn();
  }

  /** The place moves on past everything that is read; for whom there is something in it leaves for `asking`. */
  private async pass(place: Place, stretches: Stretches, asking: Waiting[]): Promise<void> {
    let cursor = stretches.from;
    let mayHaveMore = true;
    for await (const stretch of stretches) {
      for (const key of stretch.keys) for (const reader of place.take(key)) asking.push(reader);
      if (place.size === 0) return;
      cursor = stretch.passed(cursor, stretch.keys.length);
      mayHaveMore = !stretch.isLast;
    }
    place.moveTo({ cursor, token: this.batches.token(cursor) }, mayHaveMore);
    const there = this.places.get(place.token);
    if (this.isStopped) for (const reader of place.takeAll()) reader.tell(undefined);
    else if (there === undefined) this.places.set(place.token, place);
    else this.merge(place, there);
  }

  private merge(left: Place, right: Place): void {
    const [few, many] = left.size < right.size ? [left, right] : [right, left];
    many.mayHaveMore ||= few.mayHaveMore;
    for (const reader of few.takeAll()) many.add(reader);
    this.places.set(many.token, many);
  }

  private async tellEach(stretches: Stretches, asking: readonly Waiting[]): Promise<void> {
    const alike = new Map<string, Waiting[]>();
    for (const reader of asking) {
      const others = alike.get(reader.selectionName);
      if (others === undefined) alike.set(reader.selectionName, [reader]);
      else others.push(reader);
    }
    for (const readers of alike.values()) {
      const left = readers.filter(({ isClosed }) => !isClosed);
      if (left.length === 0) continue;
      const outcome = this.isStopped
        ? undefined
        : await this.batches.pick(stretches, left[0]!.selection).catch((error: unknown) => error as Error);
      for (const reader of left) reader.tell(outcome);
      await turn();
    }
  }
}
