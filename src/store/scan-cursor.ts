// How are two scans read side by side? Each as a cursor over its chunks: fetched when used up, and read without waiting in
// between.

import { keyOf } from './keyspace.js';
import type { StoreEntry } from './store.port.js';

export class ScanCursor {
  private readonly chunks: AsyncIterator<readonly StoreEntry[]>;
  private chunk: readonly StoreEntry[] = [];
  private place = 0;
  private isAtEnd = false;

  constructor(scan: AsyncIterable<readonly StoreEntry[]>) {
    this.chunks = scan[Symbol.asyncIterator]();
  }

  /** Fetches the next chunk if this one is used up. False: nothing is left. */
  async fill(): Promise<boolean> {
    if (this.place < this.chunk.length) return true;
    if (this.isAtEnd) return false;
    const next = await this.chunks.next();
    this.place = 0;
    this.chunk = next.done === true ? [] : next.value;
    this.isAtEnd = next.done === true;
    return !this.isAtEnd;
  }

  /** Nothing can be said of the next entry before `fill`. */
  get isUsedUp(): boolean {
    return !this.isAtEnd && this.place === this.chunk.length;
  }

  /** The key that the next entry stands for; undefined: nothing is left. */
  get key(): string | undefined {
    const entry = this.chunk[this.place];
    return entry && keyOf(entry[0]);
  }

  take(): StoreEntry {
    return this.chunk[this.place++]!;
  }

  async close(): Promise<void> {
    await this.chunks.return?.();
  }
}
