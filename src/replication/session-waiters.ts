// Who waits for this replica to have seen more? Sessions, for what they have seen, each with a limit of its own; and whoever
// watches, for anything new.

import { descends, type VersionVector } from '../clock/version-vector.js';
import type { Cancel, Time } from './time.port.js';

interface Waiter {
  readonly session: VersionVector;
  readonly settle: (isCovered: boolean) => void;
}

export class SessionWaiters {
  private readonly waiters = new Set<Waiter>();
  private readonly watchers = new Set<() => void>();
  private isAbandoned = false;

  constructor(private readonly time: Time) {}

  /** Resolves with whether the clock came to cover `session` within `timeoutMs`. */
  async wait(session: VersionVector, timeoutMs: number): Promise<boolean> {
    if (this.isAbandoned || timeoutMs <= 0) return false;
    return new Promise((resolve) => {
      const settle = (isCovered: boolean): void => {
        cancel();
        this.waiters.delete(waiter);
        resolve(isCovered);
      };
      const waiter: Waiter = { session, settle };
      const cancel = this.time.after(timeoutMs, () => settle(false));
      this.waiters.add(waiter);
    });
  }

  /** After every commit `noted` is called; it only takes note. */
  watch(noted: () => void): Cancel {
    this.watchers.add(noted);
    return () => this.watchers.delete(noted);
  }

  /** The committed clock has moved. */
  advance(clock: VersionVector): void {
    for (const waiter of [...this.waiters]) if (descends(clock, waiter.session)) waiter.settle(true);
    for (const noted of this.watchers) noted();
  }

  /** Nobody is to wait any more. */
  abandon(): void {
    this.isAbandoned = true;
    for (const waiter of [...this.waiters]) waiter.settle(false);
  }
}
