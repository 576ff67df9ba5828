// What does a replica's disk do? A commit is applied as a whole at some moment after it was handed over, and answered
// at another, later one. A crash may fall before, between or after the two.

import { compareText } from './text.js';

interface Revision {
  readonly number: number;
  value: Uint8Array | undefined;
}

/** Old revisions of a key are looked over once there are this many. */
const REVISIONS_MAX = 8;

/** Survives its process. Every record keeps its past revisions for the snapshots that may still look at them. */
export class Disk {
  /** By key (one character a byte, so that text order is byte order), oldest revision first. */
  private readonly records = new Map<string, Revision[]>();
  private readonly keys: string[] = [];
  private readonly open = new Map<number, number>();
  revision = 0;

  apply(changes: readonly { readonly key: string; readonly value: Uint8Array | undefined }[]): void {
    this.revision++;
    for (const { key, value } of changes) {
      const revisions = this.records.get(key);
      if (revisions === undefined) {
        if (value === undefined) continue;
        this.keys.splice(this.placeOf(key), 0, key);
        this.records.set(key, [{ number: this.revision, value }]);
        continue;
      }
      revisions.push({ number: this.revision, value });
      if (revisions.length > REVISIONS_MAX) this.prune(revisions);
    }
  }

  get(key: string, revision: number): Uint8Array | undefined {
    const revisions = this.records.get(key);
    if (revisions === undefined) return undefined;
    for (let i = revisions.length - 1; i >= 0; i--) {
      if (revisions[i]!.number <= revision) return revisions[i]!.value;
    }
    return undefined;
  }

  /** What stands on the disk changes by itself, under the eyes of every snapshot that looks at the same bytes. */
  alter(key: string, change: (value: Uint8Array) => Uint8Array | undefined): void {
    const before = this.get(key, this.revision);
    if (before === undefined) return;
    const after = change(before);
    for (const revision of this.records.get(key)!) if (revision.value === before) revision.value = after;
  }

  /** Keys from `first` (included) to `end` (excluded), in order. */
  range(first: string, end: string): readonly string[] {
    return this.keys.slice(this.placeOf(first), this.placeOf(end));
  }

  hold(revision: number): void {
    this.open.set(revision, (this.open.get(revision) ?? 0) + 1);
  }

  release(revision: number): void {
    const holders = this.open.get(revision)! - 1;
    if (holders > 0) this.open.set(revision, holders);
    else this.open.delete(revision);
  }

  /** The process is gone, and its snapshots with it. */
  releaseAll(): void {
    this.open.clear();
  }

  /** The keys that have a record now. */
  present(): readonly string[] {
    return this.keys.filter((key) => this.get(key, this.revision) !== undefined);
  }

  copy(): Disk {
    const copy = new Disk();
    for (const key of this.keys) copy.apply([{ key, value: this.get(key, this.revision) }]);
    return copy;
  }

  get snapshots(): number {
    return this.open.size;
  }

  private prune(revisions: Revision[]): void {
    const oldest = Math.min(this.revision, ...this.open.keys());
    let keep = revisions.length - 1;
    while (keep > 0 && revisions[keep]!.number > oldest) keep--;
    revisions.splice(0, keep);
  }

  /** Where the key stands or would stand. */
  private placeOf(key: string): number {
    let low = 0;
    let high = this.keys.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compareText(this.keys[middle]!, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
