// How are two scans read side by side? Each as a cursor over its chunks: fetched when used up, and read without waiting in
// between.

import { compareKeys } from '../clock/claims.js';
import { keyOf } from './keyspace.js';
import type { StoreEntry } from './store.port.js';

/** The records of one key in two scans. */
export interface Pair {
  readonly key: string;
  readonly left: StoreEntry | undefined;
  readonly right: StoreEntry | undefined;
}

type Scan = AsyncIterable<readonly StoreEntry[]>;

/** Every key that one of them has, in their order, in chunks. */
export async function* sideBySide(leftScan: Scan, rightScan: Scan): AsyncGenerator<readonly Pair[]> {
  const [left, right] = [new ScanCursor(leftScan), new ScanCursor(rightScan)];
  try {
    for (;;) {
      const [hasLeft, hasRight] = [await left.fill(), await right.fill()];
      if (!hasLeft && !hasRight) return;
      yield paired(left, right);
    }
  } finally {
    await left.close();
    await right.close();
  }
}

/** Up to where one of the two must be filled. */
function paired(left: ScanCursor, right: ScanCursor): readonly Pair[] {
  const pairs: Pair[] = [];
  let [leftKey, rightKey] = [left.key, right.key];
  while (!left.isUsedUp && !right.isUsedUp && (leftKey ?? rightKey) !== undefined) {
    const order = leftKey === undefined ? 1 : rightKey === undefined ? -1 : compareKeys(leftKey, rightKey);
    pairs.push({
      key: (order <= 0 ? leftKey : rightKey)!,
      left: order <= 0 ? left.take() : undefined,
      right: order >= 0 ? right.take() : undefined,
    });
    if (order <= 0) leftKey = left.key;
    if (order >= 0) rightKey = right.key;
  }
  return pairs;
}

class ScanCursor {
  private readonly chunks: AsyncIterator<readonly StoreEntry[]>;
  private chunk: readonly StoreEntry[] = [];
  private place = 0;
  private isAtEnd = false;

  constructor(scan: Scan) {
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
