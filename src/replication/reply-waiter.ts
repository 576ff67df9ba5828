// Who waits for the answer to an input?

import type { Reply } from './engine/output.js';

/** Called once, one or the other; neither throws. */
export interface ReplyWaiter {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: unknown) => void;
}

/** As that, of who needs to hear only that what has run is on disk. */
export interface CommitWaiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}
