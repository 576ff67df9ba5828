// What is asked of the process that plays the readers, and what does it tell?

/** Times are of the machine's steady clock, which all of its processes share. */
export const steadyMs = (): number => Number(process.hrtime.bigint()) / 1e6;

/** Each write has a number of its own, which stands at the beginning of its value. */
export const KEYS = 1000;

export type FollowOrder =
  /** One reader for each address. Of stalled ones each takes nothing of what it is sent. */
  | { readonly kind: 'follow'; readonly urls: readonly string[]; readonly stalledUrls: readonly string[] }
  /** From now on latencies count. */
  | { readonly kind: 'begin' }
  /** When writes were acknowledged, from the number `first` on. */
  | { readonly kind: 'acknowledged'; readonly writes: readonly (readonly [write: number, atMs: number])[] }
  /** The last write has this number. */
  | { readonly kind: 'end'; readonly last: number };

export interface Followed {
  readonly kind: 'followed';
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Of a write to a reader. */
  readonly told: number;
  /** Events, over all readers. */
  readonly events: number;
  /** Readers that were not told the last state of some key. */
  readonly incomplete: number;
  /** Streams that were cut off, of those that take nothing. */
  readonly cutOff: number;
  /** Of one core, from 0 to 1. */
  readonly busy: number;
}

export type FollowAnswer = { readonly kind: 'ready' } | Followed;
