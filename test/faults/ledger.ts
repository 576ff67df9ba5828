// Which writes of a key were there, and which of them had seen which? The history of a run, entered into the oracle of the
// simulation. What it takes from the replicas are their claims: the dot of a write, and what its author's context covers.
//
// Where an outcome is legitimately open:
// - A write without an answer may have happened. If its value shows somewhere, it has: it gets its place by the dot that
//   it shows. If not, it may have happened all the same and have been replaced: what it may have seen is excused.
// - Such a write without a context replaced what its replica had at some moment between its beginning and the end of the
//   process that it was sent to. It may have seen any write begun by then, and has certainly seen none.
// - The one write that a context tells of besides its vector is replaced where it has come already.
// - An acknowledged delete whose dot could not be found out is treated as one without an answer.

import { Oracle, type OracleWrite, type WriteSet } from '../simulation/oracle.js';
import type { History, Read, Shown, Write } from './history.js';
import { seenIn, type Seen } from './token.js';

/** What is wrong, by which promise, and with which key. */
export interface Finding {
  readonly invariant: string;
  readonly key: string;
  readonly message: string;
}

/** A write that has a place in the oracle. */
export interface Placed {
  readonly write: Write;
  readonly entry: OracleWrite;
  /** What it may have seen, beyond `entry.seen`, which it has. */
  readonly mayHaveSeen: WriteSet;
}

interface Open {
  readonly write: Write;
  readonly mayHaveSeen: WriteSet;
}

export class Ledger {
  private readonly oracle = new Oracle();
  private readonly placed = new Map<string, Placed[]>();
  private readonly open = new Map<string, Open[]>();
  /** What each dot was ever shown to be. */
  private readonly shown = new Map<string, { readonly key: string; readonly value: string; time: string }>();
  private readonly byValue = new Map<string, Write>();
  private readonly dots = new Map<Write, string>();
  readonly findings: Finding[] = [];

  constructor(private readonly history: History) {
    const writes = history.events.filter((event): event is Write => event.kind === 'write');
    for (const write of writes) if (write.value !== undefined) this.byValue.set(write.value, write);
    for (const write of writes) if (write.dot !== undefined) this.dots.set(write, write.dot);
    for (const read of [...history.events, ...history.finalReads]) {
      if (read.kind === 'read') for (const version of read.siblings) this.noteShown(read, version);
    }
    this.place(writes);
  }

  placedOf(key: string): readonly Placed[] {
    return this.placed.get(key) ?? [];
  }

  openOf(key: string): readonly Open[] {
    return this.open.get(key) ?? [];
  }

  dotOf(write: Write): string | undefined {
    return this.dots.get(write);
  }

  covered(key: string, seen: Seen): WriteSet {
    return coveredBy(this.oracle, key, seen);
  }

  names(key: string, set: WriteSet): string {
    return `[${this.oracle.names(key, set).join(' ')}]`;
  }

  /** The versions of the key that one shows who knows these writes: those that must be there, and those that may. */
  visible(key: string, known: WriteSet, asOfMs: number): { readonly least: WriteSet; readonly most: WriteSet } {
    let replaced = 0n;
    let perhaps = 0n;
    for (const { entry, mayHaveSeen } of this.placedOf(key)) {
      if ((known & entry.bit) === 0n) continue;
      replaced |= entry.seen;
      perhaps |= mayHaveSeen;
    }
    for (const { write, mayHaveSeen } of this.openOf(key)) if (write.beganAtMs < asOfMs) perhaps |= mayHaveSeen;
    return {
      least: this.oracle.visibleSet(key, { known, replaced: replaced | perhaps, dropped: 0n }),
      most: this.oracle.visibleSet(key, { known, replaced, dropped: 0n }),
    };
  }

  /** Those of the key's writes that some other has seen, or may have. */
  replaced(key: string): WriteSet {
    const placed = this.placedOf(key).reduce((set, { entry, mayHaveSeen }) => set | entry.seen | mayHaveSeen, 0n);
    return this.openOf(key).reduce((set, { mayHaveSeen }) => set | mayHaveSeen, placed);
  }

  /** The set of these versions, as far as they have a place. */
  setOf(key: string, siblings: readonly Shown[]): WriteSet {
    const dots = new Set(siblings.map(({ dot }) => dot));
    let set = 0n;
    for (const { write, entry } of this.placedOf(key)) if (dots.has(this.dots.get(write)!)) set |= entry.bit;
    return set;
  }

  find(invariant: string, key: string, message: string): void {
    this.findings.push({ invariant, key, message });
  }

  /** Each version shown must be one that somebody wrote, to this key, and be under its dot what it was everywhere else. */
  private noteShown({ key, replica, disk }: Read, { dot, value, time }: Shown): void {
    const where = `${replica} (disk ${disk}) shows ${dot} of ${key} as ${value}`;
    const before = this.shown.get(dot);
    if (before === undefined) this.shown.set(dot, { key, value, time });
    else if (before.key !== key || before.value !== value) {
      this.find('dot uniqueness', key, `${where}; it was shown as ${before.value} of ${before.key}`);
    } else if (before.time !== time) {
      this.find('stamp', key, `${where}, written at ${time}; it was shown as written at ${before.time}`);
    }
    const write = this.byValue.get(value);
    if (write === undefined || write.key !== key) return this.find('invention', key, `${where}: nobody wrote that`);
    if (write.outcome === 'refused') this.find('refusal', key, `${where}: this write was refused as not done`);
    const named = this.dots.get(write);
    if (named === undefined) this.dots.set(write, dot);
    else if (named !== dot) this.find('dot uniqueness', key, `${where}: the write of this value has the dot ${named}`);
  }

  private place(writes: readonly Write[]): void {
    const dotted = writes.filter((write) => this.dots.has(write)).map((write) => ({ write, ...this.parsed(write) }));
    dotted.sort((a, b) => (a.actor === b.actor ? a.counter - b.counter : a.actor < b.actor ? -1 : 1));
    // What a context covers is a set of writes only when all of them have a place: so a first oracle takes them without.
    const places = new Oracle();
    const taken = dotted.filter(({ write, actor, counter }) => {
      const other = places.write(actor, counter);
      if (other === undefined) return places.record(write.key, actor, counter, write.value, 0n);
      const two = `${other.version?.value ?? 'a delete'} of ${other.key} and ${write.value ?? 'a delete'} of ${write.key}`;
      this.find('dot uniqueness', write.key, `${actor}:${counter} names two writes: ${two}`);
      return false;
    });
    const begun = (key: string, beforeMs: number): WriteSet => {
      let set = 0n;
      for (const { write, actor, counter } of taken) {
        if (write.key === key && write.beganAtMs < beforeMs) set |= places.write(actor, counter)!.bit;
      }
      return set;
    };
    const seenBy = (write: Write): { seen: WriteSet; mayHaveSeen: WriteSet } => {
      const token = write.context ?? write.told;
      if (token !== undefined) {
        const seen = places.covered(write.key, seenIn(token).vector);
        return { seen, mayHaveSeen: coveredBy(places, write.key, seenIn(token)) & ~seen };
      }
      return { seen: 0n, mayHaveSeen: begun(write.key, this.endAfter(write)) };
    };
    for (const { write, actor, counter } of taken) {
      const { bit } = places.write(actor, counter)!;
      const { seen, mayHaveSeen } = seenBy(write);
      const entry = this.oracle.record(write.key, actor, counter, write.value, seen & ~bit);
      append(this.placed, write.key, { write, entry, mayHaveSeen: mayHaveSeen & ~bit });
    }
    for (const write of writes) {
      if (this.dots.has(write) || write.outcome === 'refused') continue;
      const { seen, mayHaveSeen } = seenBy(write);
      append(this.open, write.key, { write, mayHaveSeen: seen | mayHaveSeen });
    }
  }

  /** When the process that the write was sent to ended. */
  private endAfter({ replica, beganAtMs }: Write): number {
    return Math.min(...(this.history.ends.get(replica) ?? []).filter((atMs) => atMs >= beganAtMs));
  }

  private parsed(write: Write): { readonly actor: string; readonly counter: number } {
    const dot = this.dots.get(write)!;
    const colon = dot.lastIndexOf(':');
    return { actor: dot.slice(0, colon), counter: Number(dot.slice(colon + 1)) };
  }
}

function coveredBy(oracle: Oracle, key: string, { vector, dot }: Seen): WriteSet {
  const covered = oracle.covered(key, vector);
  const write = dot && oracle.write(dot.actor, dot.counter);
  return write?.key === key ? covered | write.bit : covered;
}

function append<T>(lists: Map<string, T[]>, key: string, item: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [item]);
  else list.push(item);
}
