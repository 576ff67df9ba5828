// What can be measured? A server, or several that make one store, each with what it takes to ask it for the rows of the
// benchmark.

import type { Measurement } from '../load.js';

/** What is asked for; see `rows.ts`. */
export type RowId = 'get' | 'get-large' | 'put' | 'put-majority' | 'mixed' | 'list' | 'batch' | 'counter';

export interface Target {
  readonly id: string;
  readonly title: string;
  /** Version, and settings that matter for what is compared. */
  readonly settings: string;
  /** How many servers hold each key. */
  readonly replicas: number;
  readonly pids: readonly number[];
  readonly folders: readonly string[];
  /** Rows that it can't do, or that it does without what they promise, are not among them. */
  readonly rows: readonly RowId[];
  /** Writes the keys that rows read. */
  load(): Promise<void>;
  /** Sends as many requests as it takes for so long. */
  measure(row: RowId, seconds: number): Promise<Measurement>;
  stop(): Promise<void>;
}
