// How does the shell learn the time, and wait? Production uses the system's clock; simulation owns its own.

export interface Time {
  /** Milliseconds since 1970, an integer; may jump. */
  nowMs(): number;
  /** Calls `action` once after `delayMs`, unless cancelled. */
  after(delayMs: number, action: () => void): Cancel;
  /** Calls `action` once, after all that is at hand. */
  soon(action: () => void): void;
}

export type Cancel = () => void;

export const Time = Symbol('Time');
