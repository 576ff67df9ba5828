// How far has a replica come since its start? What readiness and status are told from.

import type { VersionVector } from '../../clock/version-vector.js';
import type { Bootstrap } from './state.js';

/** How far a replica has come since its start. */
export interface Progress {
  /** Whether every peer has answered or failed once. */
  readonly isIntroduced: boolean;
  /** Whether any peer has answered since. */
  readonly answered: boolean;
  /** What the peers knew that answered by then: whose clock covers it has caught up. */
  readonly caughtUpAt: VersionVector;
  /** All keys are being taken over; undefined: they are not. */
  readonly bootstrap: Pick<Bootstrap, 'through' | 'from' | 'attempt'> | undefined;
  /** By actor, how far the log has been trimmed. */
  readonly floor: VersionVector;
}
