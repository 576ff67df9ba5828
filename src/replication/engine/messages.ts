// What do replicas say to each other?
//
// Eight requests, each with one answer. All are idempotent: repeats, reorderings and losses are harmless.
//
// | request      | says                                | answer                                             |
// |--------------|-------------------------------------|----------------------------------------------------|
// | `push`       | my own writes that you lack         | `clock`: what I know now (unchanged: a gap)        |
// | `compare`    | what I know                         | `clock`: what I know                               |
// | `pull`       | what I know: send what I lack, or   | `batch`, `below-floor`: no log that far back, or   |
// |              | say only whether a batch is the way | `take-all`: all keys are the shorter way           |
// | `pull-ahead` | send your keys ahead of your clock  | `batch` without ranges                             |
// | `pull-keys`  | send all keys after this one        | `piece`: the next ones, and what is known of them  |
// | `members`    | whom I know                         | `members`: whom I know now                         |
// | `fetch`      | send these keys, a reader wants     | `batch` without ranges                             |
// |              | them or mine are damaged            |                                                    |
// | `digest`     | what I have in a span of keys       | `digests`, if clocks are the same and it is not    |

import type { KeySpan } from '../../clock/claims.js';
import type { Container } from '../../clock/container.js';
import type { Actor } from '../../clock/dot.js';
import type { Members } from '../../clock/membership.js';
import type { KeptRequest, LoggedRequest } from '../../clock/request.js';
import type { VersionVector } from '../../clock/version-vector.js';

/** The keys that one actor's dots wrote: `keys[i]` by the dot `from + 1 + i`. */
export interface DotRange {
  readonly actor: Actor;
  /** The counter that the receiver must have reached already. */
  readonly from: number;
  readonly keys: readonly string[];
  /** By counter, of those dots that were the first of a request with a name; undefined: none was. */
  readonly requests?: ReadonlyMap<number, LoggedRequest> | undefined;
}

/**
 * State read from one snapshot: the sender's clock, ranges of dots with the key of *every* dot (deletes and superseded
 * ones too, so that the receiver can pass them on), and the whole stripped container of each of those keys.
 */
export interface Batch {
  readonly clock: VersionVector;
  readonly ranges: readonly DotRange[];
  readonly containers: ReadonlyMap<string, Container>;
  /** Keys whose state is the same as of an earlier clock, which the receiver's covers once it has the ranges. */
  readonly exact: Exact | undefined;
  /** What the sender's versions may depend on that its clock does not cover. */
  readonly past: VersionVector;
}

export interface Exact {
  readonly clock: VersionVector;
  /** Some of the batch's. The sender's clock covers no dot of theirs that `clock` does not. */
  readonly keys: ReadonlySet<string>;
}

/** The clock as of which the batch has the state of this key. */
export function clockOf({ clock, exact }: Batch, key: string): VersionVector {
  return exact?.keys.has(key) === true ? exact.clock : clock;
}

/** The state of every key of a span, as known by one clock: a key that is not in `containers` has no live version. */
export interface Piece {
  readonly span: KeySpan;
  /** What the sender knows of every key in the span. */
  readonly clock: VersionVector;
  /** Stripped by `clock`. */
  readonly containers: ReadonlyMap<string, Container>;
  /** What the sender's versions may depend on that its clock does not cover. */
  readonly past: VersionVector;
  /** What the sender remembers of requests that wrote keys of the span, up to a limit. */
  readonly requests: readonly KeptRequest[];
}

/** The dots of an actor after `from` that are not with all members are with nobody: its disk is lost. */
export interface Seal {
  readonly from: number;
  /** The highest counter that is known of: it is final. */
  readonly to: number;
  /** Names what all members knew of dots after `from`, in keys ahead and in claims. */
  readonly digest: number;
}

export interface ClockMessage {
  readonly clock: VersionVector;
  /** Names the set of keys ahead of the clock, with their contexts; 0 for none. */
  readonly aheadDigest: number;
  /** Names what is claimed of ranges of keys beyond the clock; 0 for nothing. */
  readonly claimsDigest: number;
  /** The actor that the sender goes by now. */
  readonly actor: Actor;
  /** Names the members that the sender knows; 0 when it can't tell them. */
  readonly membersDigest: number;
  /** By actor that no member goes by, the name of what the sender knows of its dots beyond the clock. */
  readonly dead: ReadonlyMap<Actor, number>;
  /** What the sender has sealed since it started, by actor whose disk is lost. */
  readonly sealed: ReadonlyMap<Actor, Seal>;
  /** Of the receiver's actor, what the sender has heard of beyond its clock; empty: nothing, or not asked for (`push`). */
  readonly yours: VersionVector;
  /** While the sender takes over all keys: what it will know when it has them. Logs are kept from there on. */
  readonly awaited: VersionVector;
}

/** `way`: only whether all keys are the shorter way, and no dots: their origins push them. */
export type PullWants = 'dots' | 'way';

export type PeerRequest =
  | { readonly kind: 'push'; readonly batch: Batch }
  | ({ readonly kind: 'compare' } & ClockMessage)
  | { readonly kind: 'pull'; readonly since: VersionVector; readonly wants: PullWants }
  | { readonly kind: 'pull-ahead'; readonly after: string | undefined }
  | { readonly kind: 'pull-keys'; readonly after: string | undefined }
  | { readonly kind: 'members'; readonly members: Members }
  | { readonly kind: 'fetch'; readonly keys: readonly string[] }
  | {
      readonly kind: 'digest';
      readonly span: KeySpan;
      /** The sender's, with which the span was read. */
      readonly clock: VersionVector;
      readonly digest: number;
    };

export type PeerAnswer =
  | ({ readonly kind: 'clock' } & ClockMessage)
  | {
      readonly kind: 'batch';
      readonly batch: Batch;
      /** Where the next `pull-ahead` goes on, or the first key of a `fetch` left for another; undefined: this was all. */
      readonly next: string | undefined;
    }
  /** The log begins after `floor`: another peer's may reach further back. */
  | { readonly kind: 'below-floor'; readonly clock: VersionVector; readonly floor: VersionVector }
  /** All keys are the shorter way, or the log has a hole. */
  | { readonly kind: 'take-all'; readonly clock: VersionVector }
  | { readonly kind: 'piece'; readonly piece: Piece }
  | { readonly kind: 'members'; readonly members: Members }
  | {
      readonly kind: 'digests';
      /** Digests of the keys here, up to `through`; undefined: the same, or nothing can be said. */
      readonly keys: ReadonlyMap<string, number> | undefined;
      readonly through: string | undefined;
    };

/** The highest counter that a range reaches. */
export function rangeEnd(range: DotRange): number {
  return range.from + range.keys.length;
}
