// How are two scans read side by side? Each as a cursor over its chunks, read without waiting in between. While one chunk is
// read, the store fetches the next.

import { keyOf } from './keyspace.js';
import type { StoreEntry } from './store.port.js';

export class ScanCursor {
  private readonly chunks: AsyncIterator<readonly StoreEntry[]>;
  private chunk: readonly StoreEntry[] = [];
  private next: Promise<IteratorResult<readonly StoreEntry[]>> | undefined;
  private place = 0;
  private isAtEnd = false;

  constructor(scan: AsyncIterable<readonly StoreEntry[]>) {
    this.chunks = scan[Symbol.asyncIterator]();
  }

  /** Goes on to the next chunk if this one is used up. False: nothing is left. */
  async fill(): Promise<boolean> {
    if (this.place < this.chunk.length) return true;
    if (this.isAtEnd) return false;
    const { done, value } = await (this.next ?? this.chunks.next());
    this.place = 0;
    this.chunk = done === true ? [] : value;
    this.isAtEnd = done === true;
    if (!this.isAtEnd) this.fetch();
    return !this.isAtEnd;
  }

  private fetch(): void {
    this.next = this.chunks.next();
    // Whoever comes so far hears of it.
    this.next.catch(() => {});
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
