// What does one node know, by the oracle's account?
//
// Three states of the same kind follow each other. `working` is what the node's steps have brought so far; a commit
// carries it to `durable`, which survives crashes; and when the commit is answered it is `visible` to readers and may be
// told to peers. Knowledge travels with messages: what a batch carries is what its sender had visible when it was read.

import { setOf } from './checks.js';
import {
  merged,
  NOTHING,
  withWrite,
  type Knowledge,
  type Oracle,
  type OracleVersion,
  type OracleWrite,
} from './oracle.js';
import {
  highest,
  isSameMap,
  lowest,
  namesOf,
  vectorText,
  type BatchLike,
  type PieceLike,
  type SpanLike,
  type VersionLike,
} from './shapes.js';
import { Violation } from './violation.js';

export interface Known {
  /** By actor, the counter up to which the node has every write's log entry. */
  readonly counters: ReadonlyMap<string, number>;
  readonly keys: ReadonlyMap<string, Knowledge>;
  /** By key, and for the place behind the last one, what taking over keys has brought of every write to it. */
  readonly taken: ReadonlyMap<string, ReadonlyMap<string, number>>;
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
  /** With a piece: what it tells of every key of its span. */
  readonly clock?: ReadonlyMap<string, number>;
}

const BLANK: Known = { counters: new Map(), keys: new Map(), taken: new Map() };

/** Stands for all keys behind the last one that is used. */
const BEHIND = '\u{10ffff}';

export class Mind {
  visible: Known = BLANK;
  durable: Known = BLANK;
  private counters = new Map<string, number>();
  private keys = new Map<string, Knowledge>();
  private taken = new Map<string, ReadonlyMap<string, number>>();
  /** What this life of the node has had visible, in order: a batch must be one of these. */
  private shown: Known[] = [BLANK];
  private uncommitted: OracleWrite[] = [];
  /** Keys whose records have vanished from the disk, unseen. */
  readonly lost = new Set<string>();
  /** By damaged key, what its peers have told of it since. */
  private readonly found = new Map<string, Knowledge>();

  constructor(
    readonly node: string,
    private readonly oracle: Oracle,
    private readonly allKeys: readonly string[],
  ) {}

  /** What steps know of a key, committed or not. */
  working(key: string): Knowledge {
    return this.keys.get(key) ?? NOTHING;
  }

  counter(actor: string): number {
    return this.counters.get(actor) ?? 0;
  }

  durableCounter(actor: string): number {
    return this.durable.counters.get(actor) ?? 0;
  }

  /** A client's write is about to be taken. */
  take(write: OracleWrite): void {
    this.keys.set(write.key, withWrite(this.working(write.key), write));
    this.counters.set(write.actor, write.counter);
    this.uncommitted.push(write);
  }

  /** The writes of the operation that was taken last are refused after all: their key is damaged. */
  giveBack(writes: readonly OracleWrite[], before: Knowledge): void {
    for (const write of [...writes].reverse()) {
      this.uncommitted.pop();
      this.keys.set(write.key, before);
      if (write.counter > 1) this.counters.set(write.actor, write.counter - 1);
      else this.counters.delete(write.actor);
      this.oracle.forget(write);
    }
  }

  /** Of what has a deadline, a vote has left these. Whatever else it decides must be as it was. */
  settle(key: string, versions: readonly VersionLike[]): void {
    const knowledge = this.working(key);
    const stored = versions.reduce((all, { actor, counter }) => all | this.oracle.write(actor, counter)!.bit, 0n);
    const mortal = this.oracle.mortal(key) & knowledge.known & ~knowledge.replaced;
    this.keys.set(key, { ...knowledge, dropped: (knowledge.dropped & ~mortal) | (mortal & ~stored) });
  }

  /** What is long past its deadline is dropped. */
  expire(key: string, wallMs: number): void {
    this.keys.set(key, this.oracle.afterDropping(key, this.working(key), wallMs));
  }

  /** A batch is about to be merged; one that would leave a hole must have no effect. */
  merge(cargo: Cargo, wallMs: number): void {
    if (cargo.ranges.some(({ actor, from }) => this.counter(actor) < from)) return;
    for (const [key, knowledge] of cargo.keys) {
      this.keys.set(key, merged(this.working(key), knowledge));
      this.expire(key, wallMs);
    }
    for (const { actor, to } of cargo.ranges) this.counters.set(actor, Math.max(this.counter(actor), to));
  }

  /** What a read of several replicas has found of a key is stored. */
  learn(key: string, knowledge: Knowledge): void {
    this.keys.set(key, merged(this.working(key), knowledge));
  }

  /** A piece has been merged, up to the end of this span. After the last one, what all keys have is known of all. */
  takePiece(cargo: Cargo, span: SpanLike, wallMs: number): void {
    for (const [key, knowledge] of cargo.keys) {
      if (!isWithin(span, key)) continue;
      this.keys.set(key, merged(this.working(key), knowledge));
      this.expire(key, wallMs);
    }
    for (const key of [...this.allKeys, BEHIND]) {
      if (isWithin(span, key)) this.taken.set(key, highest(this.taken.get(key) ?? new Map(), cargo.clock!));
    }
    if (span.through !== undefined) return;
    const common = [...this.allKeys, BEHIND]
      .map((key) => this.taken.get(key) ?? new Map<string, number>())
      .reduce((left, right) => lowest(left, right));
    this.counters = highest(this.counters, common);
  }

  /** What this actor wrote up to here and nobody has is lost. By key, the writes that are given up. */
  seal(actor: string, counter: number): readonly (readonly [key: string, lost: bigint])[] {
    this.counters.set(actor, counter);
    const given: (readonly [string, bigint])[] = [];
    for (const key of this.allKeys) {
      const { known, replaced, dropped } = this.working(key);
      const lost = this.oracle.covered(key, [[actor, counter]]) & ~known;
      if (lost === 0n) continue;
      this.keys.set(key, { known: known | lost, replaced: replaced | lost, dropped });
      given.push([key, lost]);
    }
    return given;
  }

  /** A record of the key has been found damaged, and is being asked for. */
  damaged(key: string): void {
    this.found.set(key, NOTHING);
  }

  fetched(cargo: Cargo): void {
    for (const [key, found] of this.found) this.found.set(key, merged(found, cargo.keys.get(key) ?? NOTHING));
  }

  /** The record is said to be as it was, or newer. */
  repaired(key: string, wallMs: number): void {
    const found = this.found.get(key);
    if (found === undefined) return;
    const lost = this.working(key).known & ~found.known;
    if (lost !== 0n) {
      const names = this.oracle.names(key, lost).join(' ');
      throw new Violation('repair', `${this.node} says that nothing of ${key} is lost, and has lost ${names}`);
    }
    this.keys.set(key, found);
    this.expire(key, wallMs);
    this.found.delete(key);
  }

  /** What nobody has told is lost; the rest is written anew. Names what is lost of what had to be shown. */
  repairedInPart(
    key: string,
    writes: readonly { actor: string; counter: number; version: OracleVersion | undefined }[],
  ): bigint {
    const found = this.found.get(key) ?? NOTHING;
    const before = this.working(key);
    const seen = before.known | found.known;
    // Another actor's part of a sum stays its own, also when a delete is lost that had replaced it.
    const stays = (write: OracleWrite): boolean =>
      write.version?.type === 'counter' && write.actor !== writes[0]!.actor;
    const kept = this.oracle.matching(key, this.oracle.visibleSet(key, found), stays);
    const all = merged(before, found);
    this.keys.set(key, { ...all, replaced: all.replaced & ~kept });
    this.found.delete(key);
    const replaces = seen & ~kept;
    for (const { actor, counter, version } of writes) {
      this.take(this.oracle.record(key, actor, counter, version, seen, replaces));
    }
    this.oracle.loseExactness(key);
    return this.oracle.visibleSet(key, before) & ~found.known;
  }

  /** The node hands its steps so far to the disk. */
  submitted(): Carried {
    const writes = this.uncommitted;
    this.uncommitted = [];
    this.inCommit.push(...writes);
    const known = { counters: new Map(this.counters), keys: new Map(this.keys), taken: new Map(this.taken) };
    return { known, writes };
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

  /** An earlier state of the disk is back. */
  restore(known: Known): void {
    this.durable = known;
    this.resume(known);
  }

  get isSettled(): boolean {
    return this.uncommitted.length === 0 && this.inCommit.length === 0;
  }

  /** Whether all that steps have brought is on disk. */
  get isDurable(): boolean {
    if (!this.isSettled || !isSameMap(this.counters, this.durable.counters)) return false;
    return [...this.keys].every(([key, { known, dropped }]) => {
      const durable = this.durable.keys.get(key) ?? NOTHING;
      return known === durable.known && dropped === durable.dropped;
    });
  }

  private resume(known: Known): void {
    this.visible = known;
    this.shown = [known];
    this.counters = new Map(known.counters);
    this.keys = new Map(known.keys);
    this.taken = new Map(known.taken);
    this.found.clear();
  }

  /** Checks that a piece says exactly what this node knew of every key of its span at some moment. */
  packPiece({ span, clock, containers }: PieceLike): Cargo {
    const within = this.allKeys.filter((key) => isWithin(span, key));
    for (const key of containers.keys()) {
      if (!within.includes(key)) throw new Violation('piece', `${this.node} sends ${key} outside of its span`);
    }
    const claims = new Map(
      within.map((key) => [
        key,
        this.oracle.covered(key, clock) | this.oracle.covered(key, containers.get(key)?.context ?? []),
      ]),
    );
    const ends = span.through === undefined ? [...within, BEHIND] : within;
    const sources = this.shown.filter(
      (known) =>
        ends.every((key) => isSameMap(highest(known.counters, known.taken.get(key) ?? new Map()), clock)) &&
        within.every((key) => claims.get(key) === (known.keys.get(key) ?? NOTHING).known),
    );
    const sent = new Map(within.map((key) => [key, containers.get(key)?.versions ?? []]));
    const source = this.moment(sources, sent);
    if (source === undefined) {
      const said = within.map((key) => `${key}: ${this.oracle.names(key, claims.get(key)!).join(' ')}`).join('; ');
      throw new Violation('piece', `${this.node} sends what it never knew: clock ${vectorText(clock)}; ${said}`);
    }
    for (const [key, versions] of sent) this.checkSent(key, versions, source);
    return { ranges: [], keys: new Map(within.map((key) => [key, source.keys.get(key) ?? NOTHING])), clock };
  }

  private checkSent(key: string, versions: readonly VersionLike[], source: Known): void {
    if (this.lost.has(key)) return;
    const expected = this.oracle.visibleSet(key, source.keys.get(key) ?? NOTHING);
    if (setOf(this.oracle, `${this.node} sends`, key, versions) === expected) return;
    const wanted = this.oracle.names(key, expected).join(' ');
    throw new Violation('batch', `${this.node} sends ${key} as [${namesOf(versions)}] instead of [${wanted}]`);
  }

  /** Checks that a batch says exactly what this node had visible at some moment, and names what it brings. */
  pack(batch: BatchLike): Cargo {
    const keys = new Map<string, bigint>();
    for (const [key, container] of batch.containers) {
      const clock = batch.exact?.keys.has(key) === true ? batch.exact.clock : batch.clock;
      keys.set(key, this.oracle.covered(key, container.context) | this.oracle.covered(key, clock));
    }
    const sent = new Map([...batch.containers].map(([key, { versions }]) => [key, versions]));
    const source = this.moment(this.sourcesOf(batch, keys), sent)!;
    for (const [key, { versions }] of batch.containers) this.checkSent(key, versions, source);
    const ranges = batch.ranges.map((range) => this.checkRange(range, batch));
    return { ranges, keys: new Map([...keys].map(([key]) => [key, source.keys.get(key) ?? NOTHING])) };
  }

  /**
   * The moment that a message tells of. What is dropped changes no clock: of several moments that know the same it is one with
   * these versions. None of them: the last, with which they are compared.
   */
  private moment(sources: readonly Known[], sent: ReadonlyMap<string, readonly VersionLike[]>): Known | undefined {
    if (sources.length < 2) return sources[0];
    const sets = [...sent].map(([key, versions]) => [key, setOf(this.oracle, this.node, key, versions)] as const);
    const isSent = (source: Known): boolean =>
      sets.every(([key, set]) => set === this.oracle.visibleSet(key, source.keys.get(key) ?? NOTHING));
    return sources.findLast(isSent) ?? sources.at(-1);
  }

  private sourcesOf(batch: BatchLike, keys: ReadonlyMap<string, bigint>): readonly Known[] {
    const sources = this.shown.filter((known) => {
      if (!isSameMap(known.counters, batch.clock)) return false;
      for (const [key, set] of keys) if (set !== (known.keys.get(key) ?? NOTHING).known) return false;
      return true;
    });
    if (sources.length > 0) return sources;
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

/** Keys here are ASCII, and the place behind them is no surrogate's matter: text order is the order of keys. */
function isWithin({ after, through }: SpanLike, key: string): boolean {
  if (key === BEHIND) return through === undefined;
  return (after === undefined || key > after) && (through === undefined || key <= through);
}
