// The store in memory: the same contract without a disk, for tests and simulation. Nothing survives it.

import { compareBytes } from '../../clock/resolution.js';
import type { KeyRange, Store, StoreChange, StoreEntry, StoreSnapshot } from '../store.port.js';

/** Entries by key, in the text form of the bytes: one UTF-16 unit a byte, so that text order is byte order. */
type Entries = ReadonlyMap<string, Uint8Array>;

export class MemoryStore implements Store {
  private entries: Map<string, Uint8Array>;
  /** Snapshots share `entries`; the next commit then copies them first. */
  private isShared = false;

  constructor(entries: Iterable<StoreEntry> = []) {
    this.entries = new Map(Array.from(entries, ([key, value]) => [toText(key), value]));
  }

  async commit(changes: readonly StoreChange[]): Promise<void> {
    if (this.isShared) this.entries = new Map(this.entries);
    this.isShared = false;
    for (const change of changes) {
      if (change.type === 'put') this.entries.set(toText(change.key), change.value);
      else this.entries.delete(toText(change.key));
    }
  }

  async clear({ gte, lt }: KeyRange): Promise<void> {
    const [first, end] = [toText(gte), toText(lt)];
    this.entries = new Map([...this.entries].filter(([key]) => key < first || key >= end));
    this.isShared = false;
  }

  snapshot(): StoreSnapshot {
    this.isShared = true;
    return new MemorySnapshot(this.entries);
  }

  async size(): Promise<number> {
    let bytes = 0;
    for (const [key, value] of this.entries) bytes += key.length + value.length;
    return bytes;
  }

  async close(): Promise<void> {}
}

class MemorySnapshot implements StoreSnapshot {
  private scansUnderWay = 0;
  private isClosing = false;

  constructor(private readonly entries: Entries) {}

  get(key: Uint8Array): Uint8Array | undefined {
    this.requireOpen();
    const value = this.entries.get(toText(key));
    return value && new Uint8Array(value);
  }

  async *scan(range: KeyRange, chunkMax: number): AsyncGenerator<readonly StoreEntry[]> {
    this.requireOpen();
    const found = [...this.entries]
      .map(([key, value]): StoreEntry => [toBytes(key), value])
      .filter(([key]) => compareBytes(key, range.gte) >= 0 && compareBytes(key, range.lt) < 0)
      .sort(([left], [right]) => compareBytes(left, right));
    this.scansUnderWay++;
    try {
      for (let start = 0; start < found.length; start += chunkMax) {
        yield found.slice(start, start + chunkMax).map(([key, value]): StoreEntry => [key, new Uint8Array(value)]);
      }
    } finally {
      this.scansUnderWay--;
    }
  }

  async size(range: KeyRange): Promise<number> {
    let bytes = 0;
    for await (const chunk of this.scan(range, 1000)) {
      for (const [key, value] of chunk) bytes += key.length + value.length;
    }
    return bytes;
  }

  close(): void {
    this.isClosing = true;
  }

  /** As a real store would: a snapshot used after its end is a bug that must not hide in tests. */
  private requireOpen(): void {
    if (this.isClosing && this.scansUnderWay === 0) throw new Error('the snapshot is closed');
  }
}

function toText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

function toBytes(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}
