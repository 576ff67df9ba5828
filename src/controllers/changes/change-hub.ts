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
import { Batch, type BatchReader, type Selection } from './batch.js';

/** Far below what a reader notices, far above what it costs to write a batch to hundreds of them. */
const PULSE_MS = 15;

/** How often it is looked for lifetimes that have ended, which no commit tells. */
const LOOK_EVERY_MS = 1000;

/** What came of waiting: undefined when the replica stops, or the reader has left. */
type Outcome = Batch | Error | undefined;

/** Readers at one cursor that ask for the same. */
interface Group {
  readonly name: string;
  readonly selection: Selection;
  readonly cursor: Cursor;
  readonly token: string;
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
  private readonly looking = setInterval(() => this.readAll(() => true), LOOK_EVERY_MS);

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
   * have changed, or time has gone on. The result ends the waiting.
   */
  next(selection: Selection, cursor: Cursor, token: string, reader: (outcome: Outcome) => void): () => void {
    if (this.isStopped) {
      reader(undefined);
      return () => {};
    }
    const name = `${token} ${JSON.stringify(selection)}`;
    const group = this.groups.get(name) ?? this.begin(name, selection, cursor, token);
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
    clearInterval(this.looking);
    for (const group of [...this.groups.values()]) this.tell(group, undefined);
  }

  private begin(name: string, selection: Selection, cursor: Cursor, token: string): Group {
    const group: Group = { name, selection, cursor, token, readers: new Set(), isReading: false };
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
    this.readAll((group) => this.isBehind(group));
  }

  private readAll(isMeant: (group: Group) => boolean): void {
    for (const group of [...this.groups.values()]) if (!group.isReading && isMeant(group)) void this.read(group);
  }

  private async read(group: Group): Promise<void> {
    group.isReading = true;
    const outcome = await this.batches.read(group.cursor, group.selection).catch((error: unknown) => error as Error);
    const isNothing = outcome instanceof Batch && outcome.entries === 0 && outcome.token === group.token;
    if (isNothing && group.readers.size > 0 && !this.isStopped) this.wait(group);
    else this.tell(group, outcome);
  }

  /** There was nothing; what has come since it was looked for has not been noted. */
  private wait(group: Group): void {
    group.isReading = false;
    if (this.isBehind(group)) this.schedulePulse();
  }

  private tell(group: Group, outcome: Outcome): void {
    if (this.groups.get(group.name) === group) this.groups.delete(group.name);
    for (const reader of [...group.readers]) reader(outcome);
    group.readers.clear();
  }
}
