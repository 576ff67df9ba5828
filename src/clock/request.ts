// What names a client's request, so that one that comes again is known? The first dot that it wrote carries the name, and
// every replica that learns of that dot remembers it.

import type { Dot } from './dot.js';

/** Both are hashes, written in hexadecimal digits. */
export interface RequestName {
  /** 16 bytes, of the idempotency key and the key that is written. */
  readonly id: string;
  /** 8 bytes, of all that the request demands: the same id with another fingerprint is a mistake of the client. */
  readonly fingerprint: string;
}

/** What stands in the log with the first dot of a request. */
export interface LoggedRequest extends RequestName {
  /** How many dots it has written, one after the other. */
  readonly dots: number;
}

/** What a replica remembers of a request. */
export interface KeptRequest extends RequestName {
  readonly key: string;
  /** The last one that it has written. */
  readonly dot: Dot;
  /** The wall time of the replica that remembers, when it heard of it. */
  readonly sinceMs: number;
}

/** Where a remembered request stands. */
export type RequestPlace = Pick<KeptRequest, 'key' | 'id'>;

/** One that is to be forgotten, and since when it was remembered; no time: its record can't be read. */
export interface OverdueRequest extends RequestPlace {
  readonly sinceMs?: number | undefined;
}

/** Undefined: it is not remembered any more. */
export type RequestChange = readonly [place: RequestPlace, request: KeptRequest | undefined];

/** As the log entry of its first dot tells it. */
export function keptRequest(
  key: string,
  first: Dot,
  { id, fingerprint, dots }: LoggedRequest,
  sinceMs: number,
): KeptRequest {
  return { id, fingerprint, key, dot: { actor: first.actor, counter: first.counter + dots - 1 }, sinceMs };
}
