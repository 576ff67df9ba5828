// What does the edge need to know of the node that it stands before?

import type { Resolution } from '../../clock/resolution.js';

/** What the routes of keys need to know of the node. */
export interface KvOptions {
  /** This node included. */
  readonly memberCount: () => number;
  readonly resolve: Resolution;
  readonly valueBytesMax: number;
  /** Throws a Problem when no write can be taken now. */
  readonly checkWritable: () => void;
}

export const KV_OPTIONS = Symbol('KvOptions');
