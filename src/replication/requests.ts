// What is asked of a replica on behalf of a client? What the engine is told, and how long others may take.

import type { ReadInput, WriteInput } from './engine/input.js';

export interface WriteRequest extends Pick<
  WriteInput,
  'key' | 'operation' | 'context' | 'precondition' | 'requestName' | 'acksNeeded'
> {
  /** How long to wait for acknowledgements of other replicas. */
  readonly timeoutMs: number;
}

export interface ReadRequest extends Pick<ReadInput, 'key' | 'answersNeeded'> {
  /** How long to wait for answers of other replicas. */
  readonly timeoutMs: number;
}
