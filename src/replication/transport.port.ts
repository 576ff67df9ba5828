// How does a request reach a peer? One promise for each: the answer, or a failure that says nothing about whether the
// peer got it. Requests are idempotent, so the shell never needs to know.

import type { PeerAnswer, PeerRequest } from './engine/messages.js';

/** What a peer says of itself is anybody's text: it gets into logs and answers short, and without what moves a cursor. */
const REASON_LENGTH_MAX = 300;

function printable(reason: string): string {
  return reason.slice(0, REASON_LENGTH_MAX).replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, ' ');
}

interface PeerFailureOptions extends ErrorOptions {
  /** Why the peer, which is there, does not take part: until somebody sets one of the two up otherwise. */
  readonly refusal?: string | undefined;
}

/** No answer: unreachable, too late, refused, or not understood. The message says what an operator needs. */
export class PeerFailure extends Error {
  readonly code = 'PEER_FAILED';
  readonly refusal: string | undefined;

  /** @param wasAnswered the peer is there, and refused */
  constructor(
    message: string,
    readonly wasAnswered: boolean,
    { refusal, ...options }: PeerFailureOptions = {},
  ) {
    super(printable(message), options);
    this.refusal = refusal && printable(refusal);
  }
}

export interface PeerTransport {
  /**
   * @param timeoutMs who asks waits no longer; left out, as long as such a request may take
   * @throws PeerFailure
   */
  send(to: string, request: PeerRequest, timeoutMs?: number): Promise<PeerAnswer>;
}

export const PeerTransport = Symbol('PeerTransport');
