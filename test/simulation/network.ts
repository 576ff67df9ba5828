// What becomes of a message? It is lost, delayed, delivered twice, overtaken by later ones, or cut off, each way for
// itself. A request and its answer are two messages. The sender hears an answer, a refusal, or gives up.

import type { Prng } from './prng.js';
import type { Cancel, Timeline } from './timeline.js';

export interface NetworkConditions {
  loss: number;
  duplication: number;
  delayMinMs: number;
  delayMaxMs: number;
  /** Some messages take this long: they arrive after their senders have given up. */
  straggling: number;
  straggleMaxMs: number;
  /** How long a sender waits for the answer to a comparison, and to anything else. */
  compareTimeoutMs: number;
  timeoutMs: number;
}

export interface Endpoint<Parcel> {
  /** Handles a request; `reply` may never be called. False: nobody listens. */
  handle(from: string, parcel: Parcel, reply: (answer: Parcel | Refusal) => void): boolean;
}

/** The receiver answered that it can't. */
export class Refusal {
  constructor(readonly reason: string) {}
}

export interface Exchange<Parcel> {
  readonly from: string;
  readonly to: string;
  readonly kind: string;
  readonly parcel: Parcel;
  answered(answer: Parcel): void;
  failed(reason: string): void;
  describe(parcel: Parcel): string;
}

/** A message that is kept back until others have gone before it. */
export interface HeldMessage {
  /** Counted from 0, in the order of sending. */
  readonly message: number;
  /** How many have been delivered when it goes on. */
  readonly untilDelivered: number;
  /** It goes on all the same after this time: what it waits for may wait for it. */
  readonly atMostMs: number;
}

export class SimulatedNetwork<Parcel> {
  private readonly cuts = new Set<string>();
  readonly endpoints = new Map<string, Endpoint<Parcel>>();
  /** Requests sent so far, by kind. */
  readonly requests = new Map<string, number>();
  /** Requests on their way or being handled, comparisons and digests apart. */
  carryingInFlight = 0;
  sent = 0;
  delivered = 0;
  /** By message, how many had been delivered when it was sent. */
  readonly deliveredBefore: number[] = [];
  hold: HeldMessage | undefined;
  /** Whether what is held has gone on before as many were delivered as it was to wait for, or was never sent. */
  wasHeldInVain = true;
  private held: (() => void) | undefined;

  constructor(
    private readonly timeline: Timeline,
    private readonly prng: Prng,
    readonly conditions: NetworkConditions,
  ) {}

  cut(from: string, to: string): void {
    this.cuts.add(`${from} ${to}`);
  }

  mend(from: string, to: string): void {
    this.cuts.delete(`${from} ${to}`);
  }

  isCut(from: string, to: string): boolean {
    return this.cuts.has(`${from} ${to}`);
  }

  heal(): void {
    this.cuts.clear();
  }

  private releaseHeld(): void {
    const { held } = this;
    this.held = undefined;
    held?.();
  }

  request(exchange: Exchange<Parcel>): void {
    const { from, to, kind, parcel } = exchange;
    this.requests.set(kind, (this.requests.get(kind) ?? 0) + 1);
    const isCarrying = kind !== 'compare' && kind !== 'digest';
    if (isCarrying) this.carryingInFlight++;
    let isSettled = false;
    let giveUp: Cancel = () => {};
    const settle = (act: () => void): void => {
      if (isSettled) return;
      isSettled = true;
      if (isCarrying) this.carryingInFlight--;
      giveUp();
      act();
    };
    const fail = (reason: string): void => settle(() => exchange.failed(reason));
    const timeoutMs = kind === 'compare' ? this.conditions.compareTimeoutMs : this.conditions.timeoutMs;
    giveUp = this.timeline.schedule(timeoutMs, from, `${kind} timed out`, () => fail('timed out'));

    const reply = (answer: Parcel | Refusal): void =>
      this.carry(
        to,
        from,
        `answer to ${kind}`,
        () => (answer instanceof Refusal ? answer.reason : exchange.describe(answer)),
        () => {
          if (answer instanceof Refusal) fail(answer.reason);
          else settle(() => exchange.answered(answer));
        },
      );
    const deliver = (): void => {
      const isListening = this.endpoints.get(to)?.handle(from, parcel, reply) ?? false;
      if (!isListening && this.prng.chance(0.5)) reply(new Refusal('connection refused'));
    };
    this.carry(from, to, kind, () => exchange.describe(parcel), deliver);
    if (this.prng.chance(this.conditions.duplication)) {
      this.carry(from, to, `${kind} again`, () => exchange.describe(parcel), deliver);
    }
  }

  private carry(from: string, to: string, kind: string, describe: () => string, deliver: () => void): void {
    const { conditions, prng } = this;
    const number = this.sent++;
    this.deliveredBefore.push(this.delivered);
    if (prng.chance(conditions.loss)) return;
    const delayMs = prng.chance(conditions.straggling)
      ? prng.between(conditions.delayMinMs, conditions.straggleMaxMs)
      : prng.between(conditions.delayMinMs, conditions.delayMaxMs);
    const schedule = (afterMs: number): void => {
      this.timeline.schedule(
        afterMs,
        to,
        kind,
        () => {
          if (this.isCut(from, to)) return;
          deliver();
          this.delivered++;
          if (this.held === undefined || this.delivered < this.hold!.untilDelivered) return;
          this.wasHeldInVain = false;
          this.releaseHeld();
        },
        () => `from ${from}${this.isCut(from, to) ? ', cut off' : ''}: ${describe()}`,
      );
    };
    const { hold } = this;
    if (hold?.message !== number) return schedule(delayMs);
    this.held = () => schedule(0);
    this.timeline.schedule(hold.atMostMs, to, 'held long enough', () => this.releaseHeld());
  }
}
