// Which reads wait for answers of other replicas, and what has been told so far? Forgotten when the process ends, with the
// clients that wait.

import type { Container, Version } from '../../clock/container.js';
import type { VersionVector } from '../../clock/version-vector.js';
import type { RequestId } from './input.js';

export interface QuorumRead {
  readonly id: RequestId;
  readonly key: string;
  /** How many replicas, this one included, must tell what they have. */
  readonly answersNeeded: number;
  /** How long the client waits for them. */
  readonly timeoutMs: number;
  /** What the answers so far amount to, filled. */
  found: Container;
  /** What it may depend on besides. */
  past: VersionVector;
  /** By peer, what it had. */
  readonly answers: Map<string, readonly Version[]>;
  /** Peers whose answers are on their way. */
  readonly asked: Set<string>;
}

/** Reads that wait for answers of peers. */
export type QuorumReads = Map<RequestId, QuorumRead>;
