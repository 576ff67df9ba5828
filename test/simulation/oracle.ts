// What must a replica show, if causality is tracked exactly?
//
// The oracle knows every write and what its author had seen of the key, as sets of writes. From the set of writes that
// have reached a replica follows what it must show: those that no write among them replaced. There is no version vector
// here, no context, no merge rule, and not one line shared with the code that it judges.
//
// A set of one key's writes is a bigint with one bit for each write, in the order in which they were taken.

import { Violation } from './violation.js';

export type WriteSet = bigint;

/** How far apart clocks may be. */
export const DRIFT_MS = 60_000;

/** For so long after its deadline a version stays on disk, hidden: who was away for less than a minute meets it there. */
export const KEPT_MS = 3 * DRIFT_MS;

/** What has been seen of one key. With a write comes all that its author had seen. */
export interface Knowledge {
  readonly known: WriteSet;
  /** What some known write has replaced. */
  readonly replaced: WriteSet;
  /** What some replica has dropped, long after its deadline; who hears of that drops it too. */
  readonly dropped: WriteSet;
}

export const NOTHING: Knowledge = { known: 0n, replaced: 0n, dropped: 0n };

export type Type = 'register' | 'counter' | 'set' | 'map';

/** The strongest last: of types that raced for one key it is the key's. */
const PRECEDENCE: readonly Type[] = ['register', 'counter', 'set', 'map'];

/** A live value, or a part of one, as it must be shown. */
export interface OracleVersion {
  readonly type: Type;
  readonly part: string;
  readonly value: string;
  /** Wall time; undefined: it does not end. */
  readonly deadlineMs: number | undefined;
  /** Of a counter: the additions, this one excluded, that it carries on. */
  readonly adds: WriteSet;
  /** Of a counter: what this one adds. */
  readonly amount: bigint;
}

export interface OracleWrite {
  readonly key: string;
  readonly actor: string;
  readonly counter: number;
  /** Undefined for a delete, and for what an operation removes. */
  readonly version: OracleVersion | undefined;
  readonly seen: WriteSet;
  readonly replaces: WriteSet;
  readonly bit: WriteSet;
  /** The stamp that it was first seen with; it must never show another. */
  stamp: number | undefined;
  /** The bytes that were last found to be the value: the same ones need not be read again. */
  bytes: Uint8Array | undefined;
}

interface KeyHistory {
  readonly writes: OracleWrite[];
  /** Writes that are no deletes. */
  live: WriteSet;
  /** Those that have a deadline. */
  mortal: OracleWrite[];
  /** By actor, each write of the key with the set of it and the actor's earlier ones. */
  readonly byActor: Map<string, { readonly counter: number; readonly upTo: WriteSet }[]>;
}

export class Oracle {
  private readonly keys = new Map<string, KeyHistory>();
  private readonly inexact = new Set<string>();
  /** By actor, the writes at the places of their counters. */
  private readonly dots = new Map<string, (OracleWrite | undefined)[]>();

  /** A write has been taken, of an author who had seen `seen`. Its dot must be new. A text is a register's. */
  record(
    key: string,
    actor: string,
    counter: number,
    value: string | OracleVersion | undefined,
    seen: WriteSet,
    replaces = seen,
  ): OracleWrite {
    const other = this.write(actor, counter);
    if (other !== undefined)
      throw new Violation('dot uniqueness', `${actor}:${counter} names two writes, of ${other.key} and ${key}`);
    const history = this.historyOf(key);
    const bit = 1n << BigInt(history.writes.length);
    const version =
      typeof value === 'string'
        ? ({ type: 'register', part: '', value, deadlineMs: undefined, adds: 0n, amount: 0n } as const)
        : value && { ...value, adds: value.adds | bit };
    const write: OracleWrite = {
      ...{ key, actor, counter, version, seen, replaces, bit },
      stamp: undefined,
      bytes: undefined,
    };
    history.writes.push(write);
    if (version !== undefined) history.live |= bit;
    if (version?.deadlineMs !== undefined) history.mortal.push(write);
    const earlier = history.byActor.get(actor) ?? [];
    earlier.push({ counter, upTo: (earlier.at(-1)?.upTo ?? 0n) | bit });
    history.byActor.set(actor, earlier);
    const writes = this.dots.get(actor) ?? [];
    writes[counter] = write;
    this.dots.set(actor, writes);
    return write;
  }

  /** The write never came to disk and nobody can have heard of it: its dot may be given again. Latest first. */
  forget(write: OracleWrite): void {
    const history = this.historyOf(write.key);
    history.live &= ~write.bit;
    history.mortal = history.mortal.filter((each) => each !== write);
    history.byActor.get(write.actor)!.pop();
    this.dots.get(write.actor)![write.counter] = undefined;
  }

  write(actor: string, counter: number): OracleWrite | undefined {
    return this.dots.get(actor)?.[counter];
  }

  /** The highest counter that the actor has given, on whatever disk. */
  lastCounter(actor: string): number {
    return Math.max(0, (this.dots.get(actor)?.length ?? 0) - 1);
  }

  /**
   * Notes the stamp that a write shows: always the same one, and greater than those of its actor's earlier writes, also
   * across restarts and when wall time has run backwards.
   */
  noteStamp(write: OracleWrite, stamp: number): void {
    const name = `${write.actor}:${write.counter}`;
    if (write.stamp !== undefined) {
      if (write.stamp === stamp) return;
      throw new Violation('stamp', `${name} has the stamps ${write.stamp} and ${stamp}`);
    }
    write.stamp = stamp;
    for (const step of [-1, 1]) {
      let counter = write.counter + step;
      let other = this.write(write.actor, counter);
      while (other !== undefined && other.stamp === undefined) other = this.write(write.actor, (counter += step));
      if (other?.stamp === undefined || Math.sign(other.stamp - stamp) === step) continue;
      throw new Violation('stamp', `${name} has the stamp ${stamp}, ${write.actor}:${counter} has ${other.stamp}`);
    }
  }

  /** The writes whose versions must be stored, and sent. */
  visibleSet(key: string, { known, replaced, dropped }: Knowledge): WriteSet {
    return known & ~replaced & ~dropped & this.historyOf(key).live;
  }

  /** Those of them that must be shown at this moment. */
  shownSet(key: string, knowledge: Knowledge, wallMs: number): WriteSet {
    return this.visibleSet(key, knowledge) & ~this.ended(key, wallMs);
  }

  /** The writes whose deadlines have passed by then. */
  ended(key: string, wallMs: number): WriteSet {
    let ended = 0n;
    for (const { bit, version } of this.historyOf(key).mortal) if (version!.deadlineMs! <= wallMs) ended |= bit;
    return ended;
  }

  /** Of all writes of all keys. */
  deadlinesMs(): readonly number[] {
    return [...this.keys.values()].flatMap(({ mortal }) => mortal.map(({ version }) => version!.deadlineMs!));
  }

  /** The writes that have a deadline, passed or not. */
  mortal(key: string): WriteSet {
    return this.ended(key, Infinity);
  }

  /** What is left of this knowledge when all that must not be kept any more has been dropped. */
  afterDropping(key: string, knowledge: Knowledge, wallMs: number): Knowledge {
    const due = this.visibleSet(key, knowledge) & this.ended(key, wallMs - KEPT_MS);
    return due === 0n ? knowledge : { ...knowledge, dropped: knowledge.dropped | due };
  }

  /** The type that the key has when these writes are shown; undefined for none. */
  typeOf(key: string, shown: WriteSet): Type | undefined {
    const types = this.writes(key, shown).flatMap(({ version }) => version?.type ?? []);
    return PRECEDENCE.findLast((type) => types.includes(type));
  }

  /** What these writes have added to a counter, with all that they carry on; each addition once. */
  added(key: string, shown: WriteSet): bigint {
    const adds = this.writes(key, shown).reduce((all, { version }) => all | (version?.adds ?? 0n), 0n);
    return this.writes(key, adds).reduce((sum, { version }) => sum + (version?.amount ?? 0n), 0n);
  }

  /** A record of the key was lost in part, and what was left of it written anew: nobody can say what was added. */
  loseExactness(key: string): void {
    this.inexact.add(key);
  }

  isInexact(key: string): boolean {
    return this.inexact.has(key);
  }

  /** Those of the writes that are like this. */
  matching(key: string, set: WriteSet, isLike: (write: OracleWrite) => boolean): WriteSet {
    return this.writes(key, set).reduce((all, write) => (isLike(write) ? all | write.bit : all), 0n);
  }

  /** The key's writes that a table of highest counters claims to include. */
  covered(key: string, highest: Iterable<readonly [actor: string, counter: number]>): WriteSet {
    const { byActor } = this.historyOf(key);
    let set = 0n;
    for (const [actor, counter] of highest) {
      const writes = byActor.get(actor);
      if (writes === undefined) continue;
      let low = 0;
      let high = writes.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (writes[middle]!.counter <= counter) low = middle + 1;
        else high = middle;
      }
      if (low > 0) set |= writes[low - 1]!.upTo;
    }
    return set;
  }

  /** The names of the writes in a set, oldest first. */
  names(key: string, set: WriteSet): string[] {
    const names: string[] = [];
    if (set === 0n) return names;
    for (const { actor, counter, bit } of this.historyOf(key).writes) {
      if ((set & bit) !== 0n) names.push(`${actor}:${counter}`);
    }
    return names;
  }

  /** The writes in a set. */
  writes(key: string, set: WriteSet): readonly OracleWrite[] {
    return set === 0n ? [] : this.historyOf(key).writes.filter(({ bit }) => (set & bit) !== 0n);
  }

  /** The key's write that was taken last. */
  latest(key: string): OracleWrite | undefined {
    return this.historyOf(key).writes.at(-1);
  }

  /** The key's writes that were taken after so many. */
  since(key: string, count: number): readonly OracleWrite[] {
    return this.historyOf(key).writes.slice(count);
  }

  /** How many writes of the key were taken so far. */
  count(key: string): number {
    return this.historyOf(key).writes.length;
  }

  private historyOf(key: string): KeyHistory {
    let history = this.keys.get(key);
    if (history === undefined) {
      this.keys.set(key, (history = { writes: [], live: 0n, mortal: [], byActor: new Map() }));
    }
    return history;
  }
}

export function merged(left: Knowledge, right: Knowledge): Knowledge {
  if (left.known === right.known && left.replaced === right.replaced && left.dropped === right.dropped) return left;
  return {
    known: left.known | right.known,
    replaced: left.replaced | right.replaced,
    dropped: left.dropped | right.dropped,
  };
}

export function withWrite(knowledge: Knowledge, write: OracleWrite): Knowledge {
  return {
    known: knowledge.known | write.bit | write.seen,
    replaced: knowledge.replaced | write.replaces,
    dropped: knowledge.dropped,
  };
}
