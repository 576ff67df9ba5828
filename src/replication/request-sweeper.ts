// When is a request forgotten? Once it has been remembered for the stated time: a slow scan looks for such, a bounded number at
// a time, over and over. The more there are, the sooner its steps follow each other: were it behind what comes, there would be no
// bound. It forgets those too whose records can't be read, for they would be refused for ever: other replicas may remember them,
// but nobody is asked. Until then such a request is refused here, which is safe, and after that carried out anew.

import type { OverdueRequest } from '../clock/request.js';
import { placeOf } from '../store/keyspace.js';
import type { ReplicaStore } from '../store/replica-store.js';
import type { ReplicaDriver } from './replica-driver.js';
import type { Cancel, Time } from './time.port.js';

/** Records of one step: a few milliseconds. */
const STEP_RECORDS = 1000;

/** Between two steps, and less where a round of them would take more than a tenth of the stated time. */
const STEP_EVERY_MS_MAX = 1000;

/** Between two rounds, and a tenth of the stated time where that is less. */
const PAUSE_MS_MAX = 60_000;

export class RequestSweeper {
  /** The last record that was looked at; undefined: the next one is the first. */
  private after: Uint8Array | undefined;
  /** Of this round so far. */
  private steps = 0;
  /** Of the last round that came to its end. */
  private stepsBefore = 0;
  /** The clock at the last step. */
  private lastMs = Infinity;
  /** When the clock was set back last; before the first step nobody knows. */
  private setBackMs = 0;
  private cancel: Cancel = () => {};
  private isStopped = true;
  private underWay: Promise<void> = Promise.resolve();

  constructor(
    private readonly driver: ReplicaDriver,
    private readonly store: ReplicaStore,
    private readonly time: Time,
    private readonly keptMs: number,
  ) {}

  start(): void {
    this.isStopped = false;
    this.sleep(this.pauseMs);
  }

  /** Resolves when nothing is read any more. */
  async stop(): Promise<void> {
    this.isStopped = true;
    this.cancel();
    await this.underWay;
  }

  private get pauseMs(): number {
    return Math.min(PAUSE_MS_MAX, this.roundMs);
  }

  private get roundMs(): number {
    return Math.ceil(this.keptMs / 10);
  }

  /** How many steps a round takes the last one tells; one that takes more gets faster as it goes on. */
  private get stepEveryMs(): number {
    return Math.min(STEP_EVERY_MS_MAX, Math.ceil(this.roundMs / Math.max(this.steps, this.stepsBefore)));
  }

  private sleep(ms: number): void {
    if (this.isStopped || this.driver.failure !== undefined) return;
    this.cancel = this.time.after(ms, () => {
      // A part of the store that can't be read is the scrubber's business: the next round begins anew.
      this.underWay = this.step().catch(() => {
        this.after = undefined;
        this.steps = 0;
        this.sleep(PAUSE_MS_MAX);
      });
    });
  }

  private async step(): Promise<void> {
    this.steps++;
    const nowMs = this.readClock();
    const view = this.store.view.retain();
    const old: OverdueRequest[] = [];
    let records = 0;
    let last: Uint8Array | undefined;
    try {
      for await (const { recordKey, sinceMs } of view.requests.times(this.after)) {
        if (this.isOver(sinceMs, nowMs)) old.push({ ...placeOf(recordKey), sinceMs });
        if (++records < STEP_RECORDS && !this.isStopped) continue;
        last = recordKey;
        break;
      }
    } finally {
      view.release();
    }
    this.after = last;
    if (!this.isStopped) this.driver.forgetRequests(old);
    if (last !== undefined) return this.sleep(this.stepEveryMs);
    this.stepsBefore = this.steps;
    this.steps = 0;
    this.sleep(this.pauseMs);
  }

  private readClock(): number {
    const nowMs = this.time.nowMs();
    if (nowMs < this.lastMs) this.setBackMs = nowMs;
    this.lastMs = nowMs;
    return nowMs;
  }

  /**
   * A time in the future is that of a clock that has been set back, and is waited for. When it is further ahead than the stated
   * time, the request counts from when the clock was set back, or this process began: it has been remembered for longer.
   */
  private isOver(sinceMs: number | undefined, nowMs: number): boolean {
    if (sinceMs === undefined || nowMs - sinceMs > this.keptMs) return true;
    return sinceMs - nowMs > this.keptMs && nowMs - this.setBackMs > this.keptMs;
  }
}
