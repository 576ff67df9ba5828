// When is a request forgotten? Once it has been remembered for the stated time: a slow scan looks for such, a bounded number at
// a time, over and over. It forgets those too whose records can't be read, for they would be refused for ever: other replicas may
// remember them, but nobody is asked. Until then such a request is refused here, which is safe, and after that carried out anew.

import type { RequestPlace } from '../clock/request.js';
import { placeOf } from '../store/keyspace.js';
import type { ReplicaStore } from '../store/replica-store.js';
import type { ReplicaDriver } from './replica-driver.js';
import type { Cancel, Time } from './time.port.js';

/** Records of one step: a few milliseconds. */
const STEP_RECORDS = 1000;

const STEP_EVERY_MS = 1000;

/** Between two rounds; for shorter times a tenth of them. */
const PAUSE_MS_MAX = 60_000;

export class RequestSweeper {
  /** The last record that was looked at; undefined: the next one is the first. */
  private after: Uint8Array | undefined;
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
    return Math.min(PAUSE_MS_MAX, Math.ceil(this.keptMs / 10));
  }

  private sleep(ms: number): void {
    if (this.isStopped || this.driver.failure !== undefined) return;
    this.cancel = this.time.after(ms, () => {
      // A part of the store that can't be read is the scrubber's business: the next round begins anew.
      this.underWay = this.step().catch(() => {
        this.after = undefined;
        this.sleep(PAUSE_MS_MAX);
      });
    });
  }

  private async step(): Promise<void> {
    const view = this.store.view.retain();
    const old: RequestPlace[] = [];
    let records = 0;
    let last: Uint8Array | undefined;
    try {
      for await (const { recordKey, sinceMs } of view.requests.times(this.after)) {
        if (this.isOver(sinceMs)) old.push(placeOf(recordKey));
        if (++records < STEP_RECORDS && !this.isStopped) continue;
        last = recordKey;
        break;
      }
    } finally {
      view.release();
    }
    this.after = last;
    if (!this.isStopped) this.driver.forgetRequests(old);
    this.sleep(last === undefined ? this.pauseMs : STEP_EVERY_MS);
  }

  /** A time in the future is that of a clock that has been set back: it is not waited for longer than twice as long. */
  private isOver(sinceMs: number | undefined): boolean {
    return sinceMs === undefined || Math.abs(this.time.nowMs() - sinceMs) > this.keptMs;
  }
}
