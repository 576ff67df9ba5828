// What does a replica tell whoever runs it, and cannot ask back?

import type { Observation } from './engine/output.js';

export interface DriverEvents {
  observed(observation: Observation): void;
  /** A request to a peer got no answer, or could not be made. */
  peerFailed(peer: string, error: unknown): void;
  /** The replica can't go on: the process must end and start again from the store. */
  stopped(error: unknown): void;
}

export const DriverEvents = Symbol('DriverEvents');
