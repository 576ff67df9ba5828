// What is asked of a replica on behalf of a client? What the engine is told, and how long others may take.

import type { VersionVector } from '../clock/version-vector.js';
import type { ReadInput, WriteInput } from './engine/input.js';

export interface WriteRequest extends Pick<
  WriteInput,
  'key' | 'operation' | 'context' | 'precondition' | 'requestName' | 'acksNeeded'
> {
  /** How long to wait for acknowledgements of other replicas. */
  readonly timeoutMs: number;
}

export type ReadRequest = Pick<ReadInput, 'key' | 'answersNeeded' | 'timeoutMs'>;

/** A key's context, as a client was shown it; `past`: what its versions may depend on besides, if not from here alone. */
export interface Shown {
  readonly context: VersionVector;
  readonly past?: VersionVector;
}
