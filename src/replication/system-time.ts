// Time as the machine has it: the adapter of the port in production.

import type { Cancel, Time } from './time.port.js';

/** The system's clock and timers; a timer keeps no process alive. */
export class SystemTime implements Time {
  nowMs(): number {
    return Date.now();
  }

  after(delayMs: number, action: () => void): Cancel {
    const timer = setTimeout(action, delayMs).unref();
    return () => clearTimeout(timer);
  }

  /** Requests that came in the same turn of the loop as the one that asks for it are carried out by then. */
  soon(action: () => void): void {
    setImmediate(action);
  }
}
