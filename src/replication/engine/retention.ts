// How long are log entries kept for readers of the change feed?
//
// Nobody knows who they are: a reader comes back with a cursor, at any replica. So entries stay for a while after every
// member has them. The age of an entry is told by marks: what the clock was, some ticks ago. Marks are not stored. After a
// restart they begin anew, and entries stay a little longer, never shorter.

import { countBeyond, join, meet, type VersionVector } from '../../clock/version-vector.js';

/** How exactly the age of entries is known: a 64th of the retention, or of the log's bound. */
const MARKS = 64;

interface Mark {
  readonly tick: number;
  readonly clock: VersionVector;
}

export interface Retention {
  readonly tick: number;
  /** Oldest first; of those past the retention only the last one. */
  readonly marks: readonly Mark[];
}

/** What of a replica's state it is about. */
interface Retaining {
  readonly clock: VersionVector;
  readonly floor: VersionVector;
  readonly logMax: number;
  readonly retentionTicks: number;
  retention: Retention;
}

/** @param clock what was loaded: nobody knows how old it is */
export function beginRetention(clock: VersionVector): Retention {
  return { tick: 0, marks: [{ tick: 0, clock }] };
}

/** One more tick is over. */
export function tickRetention(state: Retaining): void {
  const { clock, logMax, retention, retentionTicks } = state;
  const tick = retention.tick + 1;
  let { marks } = retention;
  const last = marks.at(-1)!;
  const isDue = tick - last.tick >= retentionTicks / MARKS || countBeyond(clock, last.clock) >= logMax / MARKS;
  if (isDue && clock !== last.clock) marks = [...marks, { tick, clock }];
  const passed = marks.filter((mark) => isPast(mark, tick, retentionTicks)).length;
  // Older ones than the log may reach back to say nothing any more; the newest says what the log is bounded to.
  const beyond = marks.findIndex((mark) => countBeyond(clock, mark.clock) <= logMax);
  state.retention = { tick, marks: marks.slice(Math.max(0, passed - 1, beyond < 0 ? marks.length - 1 : beyond - 1)) };
}

/**
 * What need not be kept any more, of what no member lacks. Members come first: what they leave of the log's bound is the
 * readers', who are told less of the past then.
 */
export function expiredOf(state: Readonly<Retaining>, unneeded: VersionVector): VersionVector {
  const { clock, floor, logMax, retention, retentionTicks } = state;
  if (retentionTicks === 0) return unneeded;
  const [oldest, ...younger] = retention.marks;
  const oldestKept = isPast(oldest!, retention.tick, retentionTicks) ? oldest!.clock : floor;
  for (const kept of [oldestKept, ...younger.map((mark) => mark.clock)]) {
    const expired = meet(unneeded, kept);
    if (countBeyond(clock, join(floor, expired)) <= logMax) return expired;
  }
  return unneeded;
}

function isPast(mark: Mark, tick: number, retentionTicks: number): boolean {
  return tick - mark.tick >= retentionTicks;
}
