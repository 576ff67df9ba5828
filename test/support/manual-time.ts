// How does a test of the driver get time that passes when it is told to?

import { setImmediate } from 'node:timers/promises';
import type { Time } from '../../src/replication/time.port.js';

export class ManualTime implements Time {
  private now = 1_700_000_000_000;
  private timers: { readonly atMs: number; readonly action: () => void }[] = [];

  nowMs(): number {
    return this.now;
  }

  after(delayMs: number, action: () => void) {
    const timer = { atMs: this.now + delayMs, action };
    this.timers.push(timer);
    return () => (this.timers = this.timers.filter((other) => other !== timer));
  }

  soon(action: () => void): void {
    void setImmediate().then(action);
  }

  async pass(ms: number): Promise<void> {
    this.now += ms;
    const due = this.timers.filter(({ atMs }) => atMs <= this.now);
    this.timers = this.timers.filter((timer) => !due.includes(timer));
    for (const { action } of due) action();
    await settled();
  }
}

/** What promises lead to has happened. */
export async function settled(turns = 5): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await setImmediate();
}
