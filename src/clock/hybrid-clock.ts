// When was it written, as nearly as unsynchronised clocks can say?
//
// A hybrid logical clock: it stays close to wall time, never runs backwards, and an event that follows another has the
// greater stamp. It orders siblings for `latest` and dates versions for people; causality never depends on it.
// One number holds both parts: wall time in microseconds, whose part below a millisecond counts logical ticks and
// carries over when a millisecond has more than a thousand. Exact until the year 2255 (2^53 microseconds).
// Source: Kulkarni et al.: Logical Physical Clocks (2014), with the compact form of its section 6.

/** Microseconds since 1970, an integer. */
export type Stamp = number;

/** A stamp this far ahead of local wall time is not followed: one wrong clock must not drag the others along. */
export const DRIFT_MAX_MS = 60_000;

/** The stamp of a local event: after everything stamped or seen here, and not before wall time. */
export function nextStamp(last: Stamp, wallMs: number): Stamp {
  return Math.max(last + 1, wallMs * 1000);
}

/** Whether a stamp from elsewhere is too far ahead of local wall time to be believed. */
export function isTooFarAhead(remote: Stamp, wallMs: number): boolean {
  return remote > (wallMs + DRIFT_MAX_MS) * 1000;
}

/** The clock after it has seen a stamp from elsewhere. */
export function observeStamp(last: Stamp, remote: Stamp, wallMs: number): Stamp {
  return isTooFarAhead(remote, wallMs) ? last : Math.max(last, remote);
}

/** Milliseconds since 1970. */
export function stampToMs(stamp: Stamp): number {
  return Math.floor(stamp / 1000);
}
