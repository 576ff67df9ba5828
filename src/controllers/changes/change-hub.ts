// How do many readers follow the changes at the price of one? Those who stand at the same cursor and ask for the same get
// the same batch, read and encoded once. Who falls behind stands at a cursor of its own: it gets fewer and larger batches,
// and is among the others again when it has caught up.
//
// After a commit the first batch goes out at once; the next ones no more often than every few milliseconds, so that many
// small commits cost many readers one batch.

import { descends } from '../../clock/version-vector.js';
import type { Cursor } from '../../replication/cursor.js';
import type { ReplicaDriver } from '../../replication/replica-driver.js';
import { Problem } from '../http/problem.js';
import type { Batch, BatchReader, Selection } from './batch.js';

/** Far below what a reader notices, far above what it costs to write a batch to hundreds of them. */
const PULSE_MS = 15;

/** What came of waiting: undefined when the replica stops, or the reader has left. */
type Outcome = Batch | Error | undefined;

/** Readers at one cursor that ask for the same. */
interface Group {
  readonly name: string;
  readonly selection: Selection;
  readonly cursor: Cursor;
  readonly readers: Set<(outcome: Outcome) => void>;
  isReading: boolean;
}

export class ChangeHub {
  private readonly groups = new Map<string, Group>();
  private readonly leave: () => void;
  private readerCount = 0;
  private pulse: NodeJS.Timeout | undefined;
  private lastPulseMs = -Infinity;
  private isStopped = false;

  constructor(
    private readonly driver: ReplicaDriver,
    private readonly batches: BatchReader,
    private readonly readersMax: number,
  ) {
    this.leave = driver.sessions.watch(() => this.schedulePulse());
  }

  /** Readers that wait, or are being served. */
  get readers(): number {
    return this.readerCount;
  }

  /**
   * Counts one reader until `follow` has ended.
   * @throws Problem OVERLOADED
   */
  async admit(follow: () => Promise<void>): Promise<void> {
    if (this.readerCount >= this.readersMax) {
      throw new Problem('OVERLOADED', `${this.readersMax} readers wait already; try another replica`, {
        'Retry-After': '1',
      });
    }
    this.readerCount++;
    try {
      await follow();
    } finally {
      this.readerCount--;
    }
  }

  /**
   * Tells the next batch after this cursor, once, as soon as there is one; it may be without entries when only other keys
   * have changed. The result ends the waiting.
   */
  next(selection: Selection, cursor: Cursor, token: string, reader: (outcome: Outcome) => void): () => void {
    if (this.isStopped) {
      reader(undefined);
      return () => {};
    }
    const name = `${token} ${JSON.stringify(selection)}`;
    const group = this.groups.get(name) ?? this.begin(name, selection, cursor);
    group.readers.add(reader);
    return () => {
      group.readers.delete(reader);
      if (group.readers.size === 0 && !group.isReading) this.groups.delete(name);
    };
  }

  /** Nobody is kept waiting, and nobody new is let to. */
  stop(): void {
    this.isStopped = true;
    this.leave();
    clearTimeout(this.pulse);
    for (const group of [...this.groups.values()]) this.tell(group, undefined);
  }

  private begin(name: string, selection: Selection, cursor: Cursor): Group {
    const group: Group = { name, selection, cursor, readers: new Set(), isReading: false };
    this.groups.set(name, group);
    if (this.isBehind(group)) this.schedulePulse();
    return group;
  }

  private isBehind({ cursor }: Group): boolean {
    return !descends(cursor.clock, this.driver.view.clock);
  }

  private schedulePulse(): void {
    if (this.pulse !== undefined || this.groups.size === 0) return;
    const waitMs = Math.max(0, this.lastPulseMs + PULSE_MS - performance.now());
    this.pulse = setTimeout(() => this.beat(), waitMs);
  }

  private beat(): void {
    this.pulse = undefined;
    this.lastPulseMs = performance.now();
    for (const group of [...this.groups.values()]) {
      if (!group.isReading && this.isBehind(group)) void this.read(group);
    }
  }

  private async read(group: Group): Promise<void> {
    group.isReading = true;
    this.tell(group, await this.batches.read(group.cursor, group.selection).catch((error: unknown) => error as Error));
  }

  private tell(group: Group, outcome: Outcome): void {
    if (this.groups.get(group.name) === group) this.groups.delete(group.name);
    for (const reader of [...group.readers]) reader(outcome);
    group.readers.clear();
  }
}
