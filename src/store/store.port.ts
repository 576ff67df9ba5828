// What must an embedded database do for a replica?
//
// Keep bytes under bytes, in order; commit many changes at once or not at all, durable when the promise resolves; and
// show a consistent past while new commits land. Nothing here knows what the bytes mean: `ReplicaStore` does.
// It does not lock, does not retry, and is opened by one process at a time.

/** One change of a commit. Keys and values belong to the store once handed over. */
export type StoreChange =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: Uint8Array };

export type StoreEntry = readonly [key: Uint8Array, value: Uint8Array];

/** Keys from `gte` (included) to `lt` (excluded), in the order of unsigned bytes. */
export interface KeyRange {
  readonly gte: Uint8Array;
  readonly lt: Uint8Array;
}

/** The store as it was at one moment. Costs memory and disk until closed; closing waits for scans under way. */
export interface StoreSnapshot {
  /**
   * Synchronous: an embedded read takes microseconds, less than a promise costs.
   * @throws StoreReadError
   */
  get(key: Uint8Array): Uint8Array | undefined;
  /**
   * Entries in key order, in chunks of at most `chunkMax`; ending the iteration early releases what it holds. A chunk
   * leaves nothing out: where a part can't be read, the scan ends before the chunk that it falls into.
   * @throws StoreReadError
   */
  scan(range: KeyRange, chunkMax: number): AsyncIterable<readonly StoreEntry[]>;
  /** Roughly the bytes that the range takes on disk, as of now; the newest writes may not count. */
  size(range: KeyRange): Promise<number>;
  close(): void;
}

export interface Store {
  /**
   * Applies all changes, in order, or none; after the commits that were asked for before, though nobody waited for them.
   * Resolved: they survive power loss, and a snapshot taken from now on has them. Rejected: unknown, and the store must
   * be opened anew.
   * @throws StoreWriteError when the database's files are damaged
   */
  commit(changes: readonly StoreChange[]): Promise<void>;
  /**
   * Removes a range, in the order of its keys. Not atomic, and a crash may undo some of it: for what nobody reads any
   * more. May run beside commits to other keys.
   */
  clear(range: KeyRange): Promise<void>;
  snapshot(): StoreSnapshot;
  /** Approximate bytes on disk. */
  size(): Promise<number>;
  close(): Promise<void>;
}

/** The token under which the composition root provides the adapter. */
export const Store = Symbol('Store');
