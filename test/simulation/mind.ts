// What does one node know, by the oracle's account?
//
// Three states of the same kind follow each other. `working` is what the node's steps have brought so far; a commit
// carries it to `durable`, which survives crashes; and when the commit is answered it is `visible` to readers and may be
// told to peers. Knowledge travels with messages: what a batch carries is what its sender had visible when it was read.

import { setOf } from './checks.js';
import { merged, NOTHING, withWrite, type Knowledge, type Oracle, type OracleWrite } from './oracle.js';
import { isSameMap, namesOf, vectorText, type BatchLike } from './shapes.js';
import { Violation } from './violation.js';

export interface Known {
  /** By actor, the counter up to which the node has every write's log entry. */
  readonly counters: ReadonlyMap<string, number>;
  readonly keys: ReadonlyMap<string, Knowledge>;
}

/** What a commit carries. */
export interface Carried {
  readonly known: Known;
  /** How many of the uncommitted writes are among it. */
  readonly writes: readonly OracleWrite[];
}

/** What a batch brings, by the oracle's account. */
export interface Cargo {
  readonly ranges: readonly { readonly actor: string; readonly from: number; readonly to: number }[];
  readonly keys: ReadonlyMap<string, Knowledge>;
}

const BLANK: Known = { counters: new Map(), keys: new Map() };

export class Mind {
  visible: Known = BLANK;
  durable: Known = BLANK;
  private counters = new Map<string, number>();
  private keys = new Map<string, Knowledge>();
  /** What this life of the node has had visible, in order: a batch must be one of these. */
  private shown: Known[] = [BLANK];
  private uncommitted: OracleWrite[] = [];

  constructor(
    readonly node: string,
    private readonly oracle: Oracle,
  ) {}

  /** What steps know of a key, committed or not. */
  working(key: string): Knowledge {
    return this.keys.get(key) ?? NOTHING;
  }

  counter(actor: string): number {
    return this.counters.get(actor) ?? 0;
  }

  /** A client's write is about to be taken. */
  take(write: OracleWrite): void {
    this.keys.set(write.key, withWrite(this.working(write.key), write));
    this.counters.set(write.actor, write.counter);
    this.uncommitted.push(write);
  }

  /** A batch is about to be merged; one that would leave a hole must have no effect. */
  merge(cargo: Cargo): void {
    if (cargo.ranges.some(({ actor, from }) => this.counter(actor) < from)) return;
    for (const [key, knowledge] of cargo.keys) this.keys.set(key, merged(this.working(key), knowledge));
    for (const { actor, to } of cargo.ranges) this.counters.set(actor, Math.max(this.counter(actor), to));
  }

  /** The node hands its steps so far to the disk. */
  submitted(): Carried {
    const writes = this.uncommitted;
    this.uncommitted = [];
    this.inCommit.push(...writes);
    return { known: { counters: new Map(this.counters), keys: new Map(this.keys) }, writes };
  }

  /** Writes that are with the disk, and not on it yet. */
  private readonly inCommit: OracleWrite[] = [];

  /** The disk has it: from now on it must never be lost. */
  applied(carried: Carried): void {
    this.durable = carried.known;
    this.inCommit.splice(0, carried.writes.length);
  }

  /** The node has been told that the disk has it. */
  answered(carried: Carried): void {
    this.visible = carried.known;
    this.shown.push(carried.known);
  }

  /** The process is gone; what is not on the disk has never been. */
  crash(): void {
    for (const write of [...this.inCommit, ...this.uncommitted].reverse()) this.oracle.forget(write);
    this.uncommitted = [];
    this.inCommit.length = 0;
    this.resume(this.durable);
  }

  /** The disk is gone too. */
  wipe(): void {
    this.durable = BLANK;
    this.resume(BLANK);
  }

  get isSettled(): boolean {
    return this.uncommitted.length === 0 && this.inCommit.length === 0;
  }

  /** Whether all that steps have brought is on disk. */
  get isDurable(): boolean {
    if (!this.isSettled || !isSameMap(this.counters, this.durable.counters)) return false;
    return [...this.keys].every(([key, { known }]) => known === (this.durable.keys.get(key) ?? NOTHING).known);
  }

  private resume(known: Known): void {
    this.visible = known;
    this.shown = [known];
    this.counters = new Map(known.counters);
    this.keys = new Map(known.keys);
  }

  /** Checks that a batch says exactly what this node had visible at some moment, and names what it brings. */
  pack(batch: BatchLike): Cargo {
    const keys = new Map<string, bigint>();
    for (const [key, container] of batch.containers) {
      keys.set(key, this.oracle.covered(key, container.context) | this.oracle.covered(key, batch.clock));
    }
    const source = this.sourceOf(batch, keys);
    for (const [key, { versions }] of batch.containers) {
      const expected = this.oracle.visibleSet(key, source.keys.get(key) ?? NOTHING);
      if (setOf(this.oracle, `${this.node} sends`, key, versions) === expected) continue;
      const wanted = this.oracle.names(key, expected).join(' ');
      throw new Violation('batch', `${this.node} sends ${key} as [${namesOf(versions)}] instead of [${wanted}]`);
    }
    const ranges = batch.ranges.map((range) => this.checkRange(range, batch));
    return { ranges, keys: new Map([...keys].map(([key]) => [key, source.keys.get(key) ?? NOTHING])) };
  }

  private sourceOf(batch: BatchLike, keys: ReadonlyMap<string, bigint>): Known {
    for (let i = this.shown.length - 1; i >= 0; i--) {
      const known = this.shown[i]!;
      if (!isSameMap(known.counters, batch.clock)) continue;
      let isSource = true;
      for (const [key, set] of keys) isSource &&= set === (known.keys.get(key) ?? NOTHING).known;
      if (isSource) return known;
    }
    const claims = [...keys].map(([key, set]) => `${key}: ${this.oracle.names(key, set).join(' ')}`);
    throw new Violation(
      'batch',
      `${this.node} sends what it never had committed: clock ${vectorText(batch.clock)}; ${claims.join('; ')}`,
    );
  }

  private checkRange(range: BatchLike['ranges'][number], batch: BatchLike): Cargo['ranges'][number] {
    const { actor, from } = range;
    range.keys.forEach((key, i) => {
      const write = this.oracle.write(actor, from + 1 + i);
      if (write?.key !== key) {
        throw new Violation('log', `${this.node} says that ${actor}:${from + 1 + i} wrote ${key}, not ${write?.key}`);
      }
      if (!batch.containers.has(key)) throw new Violation('batch', `${this.node} sends no container of ${key}`);
    });
    return { actor, from, to: from + range.keys.length };
  }
}
