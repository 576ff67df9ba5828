// What can happen to a replica? Everything that the protocol reacts to, as values. Time comes with them.

import type { Container, Version } from '../../clock/container.js';
import type { Dot } from '../../clock/dot.js';
import type { AuthorContext } from '../../clock/dotted-vector.js';
import type { Members } from '../../clock/membership.js';
import type { OverdueRequest, RequestName } from '../../clock/request.js';
import type { PeerAnswer, PeerRequest } from './messages.js';
import type { Operation } from './operation.js';

/** Tells the answers of different requests apart; chosen by the shell. */
export type RequestId = number;

/** What a request to a peer was for: the kind of its message, or why it is sent. */
export type RequestKind = Exclude<PeerRequest['kind'], 'digest'> | 'read' | 'repair';

/** Everything that is stored here from the start of a span up to `through`, as of after the piece was asked for. */
export interface LocalKeys {
  readonly containers: ReadonlyMap<string, Container>;
  /** The end of the span, or before it: the piece is taken up to here. */
  readonly through: string | undefined;
}

/** A client's operation on a key. */
export interface WriteInput {
  readonly kind: 'write';
  readonly id: RequestId;
  readonly key: string;
  readonly operation: Operation;
  /** What the author of a put or a delete had seen; undefined, as for all other operations: what this replica has. */
  readonly context: AuthorContext | undefined;
  /** Checked against the live versions, just before the write; false: nothing is written. */
  readonly precondition: ((live: readonly Version[]) => boolean) | undefined;
  /** Undefined: it is carried out however often it comes. */
  readonly requestName?: RequestName | undefined;
  /** How many replicas, this one included, must have committed before the answer. */
  readonly acksNeeded: number;
  readonly wallMs: number;
}

/** A client's read that other replicas are asked for, or that must see the steps before it. */
export interface ReadInput {
  readonly kind: 'read';
  readonly id: RequestId;
  readonly key: string;
  /** How many replicas, this one included, must tell what they have. */
  readonly answersNeeded: number;
  /** How long the client waits for those of others. */
  readonly timeoutMs: number;
}

export type Input =
  | WriteInput
  | ReadInput
  /** The author of a batch waits until so many replicas have a write of it; it is committed here. */
  | {
      readonly kind: 'await-acks';
      readonly id: RequestId;
      readonly dot: Dot;
      /** Whether it was written before the batch. */
      readonly isRepeated: boolean;
      readonly acksNeeded: number;
    }
  /** Whoever asked waits no longer: for acknowledgements of a write, or for answers to a read. */
  | { readonly kind: 'give-up'; readonly id: RequestId }
  | {
      readonly kind: 'peer-request';
      readonly id: RequestId;
      readonly from: string;
      readonly request: PeerRequest;
      readonly wallMs: number;
    }
  | {
      readonly kind: 'peer-answer';
      readonly from: string;
      readonly to: RequestKind;
      /** The read that it answers. */
      readonly readId?: RequestId;
      readonly answer: PeerAnswer;
      /** With a piece: which request it answers, and what is stored here of its span. */
      readonly local?: LocalKeys & { readonly attempt: number };
      readonly wallMs: number;
    }
  | {
      readonly kind: 'peer-failure';
      readonly from: string;
      readonly to: RequestKind;
      /** The read that it does not answer. */
      readonly readId?: RequestId;
      /** The peer is there, and refused. */
      readonly wasAnswered: boolean;
    }
  /** A name service lists these members. */
  | { readonly kind: 'found'; readonly members: Members }
  /** An operator removes a member. */
  | { readonly kind: 'forget'; readonly id: RequestId; readonly name: string }
  /** A record of the key can't be read. */
  | {
      readonly kind: 'damaged';
      readonly key: string;
      /** The key's versions where they are known all the same; undefined: they are lost here. */
      readonly versions: readonly Version[] | undefined;
      /** Whether what the key knows beyond its versions is known too. */
      readonly isContextKnown: boolean;
    }
  /** These requests need not be remembered any more, unless they have come anew meanwhile. */
  | { readonly kind: 'forget-requests'; readonly places: readonly OverdueRequest[] }
  /** Replicas that know the same differ in these keys. */
  | { readonly kind: 'suspected'; readonly keys: readonly string[] }
  /** Deadlines of the key have passed, so long ago that no clock is so far behind. */
  | { readonly kind: 'expire'; readonly key: string; readonly wallMs: number }
  | { readonly kind: 'tick' };
