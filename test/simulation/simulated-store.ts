// The store port over a simulated disk, for one life of one process. Whatever the process waits for when it dies is
// never answered: its promises stay open, and nobody holds them.

import type { KeyRange, Store, StoreChange, StoreEntry, StoreSnapshot } from '../../src/store/store.port.js';
import type { Disk } from './disk.js';
import { toBytes, toText } from './text.js';

/** What the simulation decides and wants to know about a store's work. `Carried` travels from one call to the next. */
export interface StoreConditions<Carried> {
  /** Runs `action` after the time that a commit takes, if the process lives then. */
  afterCommitDelay(kind: string, action: () => void): void;
  /** Resolves after the time that a scan takes; undefined when it takes none. */
  scanPause(): Promise<void> | undefined;
  /** Whether this commit fails; `applied` when it has come to disk all the same. */
  commitFault(): 'none' | 'lost' | 'applied';
  submitted(): Carried;
  applied(carried: Carried): void;
  answered(carried: Carried): void;
}

export class SimulatedStore<Carried> implements Store {
  private isCommitting = false;

  constructor(
    private readonly disk: Disk,
    private readonly conditions: StoreConditions<Carried>,
  ) {}

  commit(changes: readonly StoreChange[]): Promise<void> {
    if (this.isCommitting) throw new Error('a commit began before the one before it had ended');
    this.isCommitting = true;
    const { conditions } = this;
    const carried = conditions.submitted();
    const records = changes.map((change) => ({
      key: toText(change.key),
      value: change.type === 'put' ? change.value : undefined,
    }));
    const fault = conditions.commitFault();
    return new Promise((resolve, reject) => {
      conditions.afterCommitDelay('commit applied', () => {
        if (fault !== 'lost') {
          this.disk.apply(records);
          conditions.applied(carried);
        }
        conditions.afterCommitDelay(fault === 'none' ? 'commit answered' : 'commit failed', () => {
          this.isCommitting = false;
          if (fault !== 'none') return reject(new DiskFailure('the disk is full'));
          conditions.answered(carried);
          resolve();
        });
      });
    });
  }

  clear(range: KeyRange): Promise<void> {
    return new Promise((resolve) => {
      this.conditions.afterCommitDelay('range cleared', () => {
        const keys = this.disk.range(toText(range.gte), toText(range.lt));
        this.disk.apply(keys.map((key) => ({ key, value: undefined })));
        resolve();
      });
    });
  }

  snapshot(): StoreSnapshot {
    return new SimulatedSnapshot(this.disk, this.conditions);
  }

  async size(): Promise<number> {
    return 0;
  }

  async close(): Promise<void> {}
}

/** The disk refused a commit on purpose. */
export class DiskFailure extends Error {}

class SimulatedSnapshot implements StoreSnapshot {
  private readonly revision: number;
  private isClosed = false;
  private scans = 0;

  constructor(
    private readonly disk: Disk,
    private readonly conditions: Pick<StoreConditions<unknown>, 'scanPause'>,
  ) {
    this.revision = disk.revision;
    disk.hold(this.revision);
  }

  get(key: Uint8Array): Uint8Array | undefined {
    this.requireOpen();
    return this.disk.get(toText(key), this.revision);
  }

  async *scan(range: KeyRange, chunkMax: number): AsyncGenerator<readonly StoreEntry[]> {
    this.requireOpen();
    this.scans++;
    try {
      const pause = this.conditions.scanPause();
      if (pause !== undefined) await pause;
      let chunk: StoreEntry[] = [];
      for (const key of this.disk.range(toText(range.gte), toText(range.lt))) {
        const value = this.disk.get(key, this.revision);
        if (value === undefined) continue;
        chunk.push([toBytes(key), value]);
        if (chunk.length < chunkMax) continue;
        yield chunk;
        chunk = [];
      }
      if (chunk.length > 0) yield chunk;
    } finally {
      this.scans--;
      this.releaseIfDone();
    }
  }

  async size(): Promise<number> {
    return 0;
  }

  close(): void {
    this.requireOpen();
    this.isClosed = true;
    this.releaseIfDone();
  }

  private releaseIfDone(): void {
    if (this.isClosed && this.scans === 0) this.disk.release(this.revision);
  }

  private requireOpen(): void {
    if (this.isClosed) throw new Error('a closed snapshot was used');
  }
}
