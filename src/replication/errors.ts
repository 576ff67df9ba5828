// What can a replica not do, whoever asks it?

import type { Actor } from '../clock/dot.js';

/** The replica has stopped, or is stopping. What was under way may or may not be on disk. */
export class ReplicaStoppedError extends Error {
  readonly code = 'REPLICA_STOPPED';
}

/** The disk is nearly full: keys of other replicas are not taken. */
export class NearlyFullError extends Error {
  readonly code = 'STORE_FULL';
}

/** The other members have removed this node: nobody would get its writes. */
export class ForgottenError extends Error {
  readonly code = 'FORGOTTEN';

  constructor(actor: Actor) {
    super(`${actor} was removed from the cluster: with an empty data folder it can join again`);
  }
}

/** The log does not reach back to where a reader of the change feed stands. */
export class CursorExpiredError extends Error {
  readonly code = 'CURSOR_EXPIRED';

  constructor() {
    super('the log does not reach back to the cursor: list the keys, and go on from the cursor of the listing');
  }
}
