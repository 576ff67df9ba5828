// What does a replica want done? The result of a step: values that the shell acts upon, in this order: commit the
// writes, and only then send and answer.

import type { Claims, KeySpan } from '../../clock/claims.js';
import type { Container, Version } from '../../clock/container.js';
import type { Actor, Dot, DotSpan } from '../../clock/dot.js';
import type { AuthorContext } from '../../clock/dotted-vector.js';
import type { Members } from '../../clock/membership.js';
import type { Stamp } from '../../clock/hybrid-clock.js';
import type { LoggedRequest, RequestChange } from '../../clock/request.js';
import type { ValueType } from '../../clock/value-type.js';
import type { VersionVector } from '../../clock/version-vector.js';
import type { DeadlineChange } from './deadlines.js';
import type { RequestId } from './input.js';
import type { ClockMessage, PullWants } from './messages.js';

/** What a replica is and knows, apart from its keys. */
export interface NodeState {
  readonly actor: Actor;
  readonly clock: VersionVector;
  readonly stamp: Stamp;
  /** By actor, the highest counter whose log entry need not be kept any more. */
  readonly floor: VersionVector;
  /** What versions that are stored here may depend on and the clock does not cover. */
  readonly past: VersionVector;
  /** How far taking over all keys has come; undefined: it is not under way. */
  readonly bootstrap: { readonly through: string | undefined } | undefined;
}

/** An entry of the log: the key that a dot wrote. */
export interface LoggedDot extends Dot {
  readonly key: string;
  /** With the first dot of a request that has a name. */
  readonly request?: LoggedRequest | undefined;
}

/** What to put on disk. `node` is the state after the step; absent when nothing changed. */
export interface Writes {
  /** Undefined: as before. */
  readonly claims: Claims | undefined;
  /** Undefined: as before. */
  readonly members: Members | undefined;
  /** Keys whose context alone differs, with what is left of it. They come before `containers`. */
  readonly contexts: readonly (readonly [key: string, context: VersionVector])[];
  readonly containers: readonly (readonly [key: string, container: Container])[];
  /** In order: of two about the same deadline of a key, the later one counts. */
  readonly deadlines: readonly DeadlineChange[];
  readonly log: readonly LoggedDot[];
  /** In the order of the steps. */
  readonly requests: readonly RequestChange[];
  readonly node: NodeState | undefined;
}

/** A request to a peer. What a push carries is read when it is sent, from the committed snapshot of that moment. */
export type Send = { readonly to: string } & (
  | { readonly kind: 'push'; readonly actor: Actor; readonly since: VersionVector }
  | ({ readonly kind: 'compare' } & ClockMessage)
  | { readonly kind: 'pull'; readonly since: VersionVector; readonly wants: PullWants }
  | { readonly kind: 'pull-ahead'; readonly after: string | undefined }
  | { readonly kind: 'pull-keys'; readonly after: string | undefined; readonly attempt: number }
  | { readonly kind: 'members'; readonly members: Members }
  | { readonly kind: 'fetch'; readonly keys: readonly string[] }
  /** A `fetch` of one key, for a client's read, which waits no longer than this. */
  | { readonly kind: 'read'; readonly id: RequestId; readonly key: string; readonly timeoutMs: number }
  /** A `push` of one key without ranges: a read has found that the peer lacks something of it. */
  | { readonly kind: 'repair'; readonly key: string }
);

/** What a write came to. */
export type WriteResult =
  | {
      readonly kind: 'written';
      /** The last one, when there are several; undefined: there was nothing to do. */
      readonly dot: Dot | undefined;
      /** The key's state right after the write, filled; without what has passed its deadline. */
      readonly container: Container;
      /**
       * What its author has seen of the key by now, if that is less than the container: siblings live that it has not shown.
       * Undefined: the container's context says it.
       */
      readonly seen: AuthorContext | undefined;
      /** What the key's versions may depend on besides, as of this write: by the answer, the clock may cover it. */
      readonly past: VersionVector;
      /** Whether the key had a live value here before. */
      readonly existed: boolean;
      /** Replicas that have committed it, this one included. */
      readonly acks: number;
      /** Whether an earlier request of the same name has done it. */
      readonly isRepeated: boolean;
    }
  /** Another request had the same name. */
  | { readonly kind: 'request-reused'; readonly live: readonly Version[] }
  | { readonly kind: 'precondition-failed'; readonly live: readonly Version[] }
  | { readonly kind: 'too-many-siblings'; readonly live: readonly Version[] }
  | { readonly kind: 'too-large'; readonly live: readonly Version[] }
  /** The key has values of another type. */
  | { readonly kind: 'wrong-type'; readonly type: ValueType; readonly live: readonly Version[] };

/** What a read came to. `answers`: replicas that have told what they have, this one included. */
export type ReadResult =
  /** The key's state as all of them know it, filled. */
  | {
      readonly kind: 'read';
      readonly container: Container;
      /** What it may depend on besides. */
      readonly past: VersionVector;
      readonly answers: number;
    }
  /** Too few have. */
  | { readonly kind: 'not-reached'; readonly answers: number };

/** `unnamed`: the list of members has its address only. */
export type ForgetResult = 'forgotten' | 'unknown' | 'itself' | 'unnamed';

export type Reply = { readonly id: RequestId } & (
  | { readonly kind: 'write'; readonly result: WriteResult }
  /** How many replicas have the last write of a batch. */
  | { readonly kind: 'acks'; readonly acks: number }
  | { readonly kind: 'read'; readonly result: ReadResult }
  | ({ readonly kind: 'clock' } & ClockMessage)
  /** Answer with a batch read from the committed snapshot of the moment of answering. */
  | { readonly kind: 'batch'; readonly to: string; readonly since: VersionVector; readonly wants: PullWants }
  | { readonly kind: 'ahead-batch'; readonly after: string | undefined }
  | { readonly kind: 'piece'; readonly after: string | undefined }
  | { readonly kind: 'members'; readonly members: Members }
  | { readonly kind: 'forget'; readonly result: ForgetResult }
  | { readonly kind: 'fetched'; readonly keys: readonly string[] }
  | { readonly kind: 'digest'; readonly span: KeySpan; readonly clock: VersionVector; readonly digest: number }
);

/** Something that an operator may want to count or read. Changes nothing. */
export type Observation =
  | { readonly kind: 'conflict'; readonly key: string; readonly siblings: number }
  /** `missing`: dots that the batch's sender knows and this replica still lacks. */
  | {
      readonly kind: 'batch-applied';
      readonly from: string;
      readonly dots: number;
      readonly keys: number;
      readonly missing: number;
    }
  | { readonly kind: 'gap'; readonly from: string; readonly actor: Actor }
  | { readonly kind: 'stamp-too-far-ahead'; readonly from: string; readonly key: string; readonly stamp: Stamp }
  | { readonly kind: 'peer-up'; readonly peer: string }
  | { readonly kind: 'peer-unreachable'; readonly peer: string }
  | { readonly kind: 'pull-started'; readonly peer: string; readonly dots: number }
  | { readonly kind: 'bootstrap-started'; readonly peer: string; readonly after: string | undefined }
  | { readonly kind: 'bootstrap-progressed'; readonly peer: string; readonly keys: number }
  | { readonly kind: 'bootstrap-ended'; readonly dots: number }
  | { readonly kind: 'log-trimmed'; readonly dots: number }
  | { readonly kind: 'member-joined'; readonly peer: string; readonly url: string }
  | { readonly kind: 'member-forgotten'; readonly peer: string }
  | { readonly kind: 'too-many-members'; readonly from: string }
  /** This node's own name. */
  | { readonly kind: 'forgotten' }
  | { readonly kind: 'actor-sealed'; readonly actor: Actor; readonly counter: number }
  | { readonly kind: 'damaged'; readonly key: string }
  /** What these dots wrote can't be read, or not what the first of them did. Who lacks one takes over all keys. */
  | ({ readonly kind: 'log-damaged' } & DotSpan)
  /** What is remembered of a request that wrote the key can't be read. */
  | { readonly kind: 'request-damaged'; readonly key: string }
  /** `isWhole`: nothing is lost; else writes that only this replica had are. */
  | { readonly kind: 'repaired'; readonly key: string; readonly isWhole: boolean }
  /** Replicas that know the same had different states of the key. `wasRight`: this one had what it has now. */
  | { readonly kind: 'disagreement-settled'; readonly key: string; readonly wasRight: boolean }
  /** A read has found `stale` replicas, this one included, that lacked something of the key; they get it. */
  | { readonly kind: 'read-repaired'; readonly key: string; readonly stale: number }
  | { readonly kind: 'scrubbed'; readonly records: number }
  /** A part of the store is passed over; keys that peers name are read one by one. */
  | { readonly kind: 'store-unreadable'; readonly reason: string }
  /** All records have been read once more. */
  | { readonly kind: 'scrub-round-ended' }
  /** So many versions of the key were past their deadlines, and are gone. */
  | { readonly kind: 'expired'; readonly key: string; readonly versions: number }
  | { readonly kind: 'new-incarnation'; readonly actor: Actor; readonly retired: Actor };

export interface Output {
  readonly writes: Writes;
  readonly sends: readonly Send[];
  readonly replies: readonly Reply[];
  readonly observations: readonly Observation[];
}
