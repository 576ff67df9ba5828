// A simulated cluster: what clients do to it, what happens between, and what must hold at every moment.

import type { Version } from '../../src/clock/container.js';
import type { RequestName } from '../../src/clock/request.js';
import { winner } from '../../src/clock/resolution.js';
import type { Operation } from '../../src/replication/engine/operation.js';
import type { WriteResult } from '../../src/replication/engine/output.js';
import { CorruptRecordError } from '../../src/store/record-codec.js';
import { checkContainer, readOrDamage } from './checks.js';
import { SimulatedNetwork } from './network.js';
import { SimulatedNode } from './node.js';
import { drawOperation, effectsOf, typeOf, type Kind } from './operations.js';
import type { SimulationOptions } from './options.js';
import { NOTHING, Oracle, type Type, type Knowledge, type OracleWrite, type WriteSet } from './oracle.js';
import { Prng } from './prng.js';
import { highest, isSameMap, vectorText, type VersionLike } from './shapes.js';
import { quiescence, Timeline } from './timeline.js';
import { Trace } from './trace.js';
import { Violation } from './violation.js';
import type { Parcel, World } from './world.js';

/** By key, writes that have been read or written, by oneself or by the author of what one has read. */
export type Past = Map<string, WriteSet>;

/** What a client has seen of a key, at one replica, at one moment. */
export interface Reading {
  readonly node: string;
  readonly key: string;
  readonly context: ReadonlyMap<string, number>;
  /** Of the answer to a write: its own dot, if the context does not cover it. */
  readonly own?: { readonly actor: string; readonly counter: number } | undefined;
  /** What its versions may depend on besides. */
  readonly past: ReadonlyMap<string, number>;
  readonly seen: WriteSet;
  /** Of the answer to a write: what its author was shown; it may have seen more that is replaced by now. */
  readonly shown?: WriteSet;
  /** What its author wrote, one after the other, each with the context of the one before. */
  readonly mine?: WriteSet;
}

export interface WriteOptions {
  /** What the author had seen; without it, what the replica has. */
  readonly reading?: Reading | undefined;
  readonly acksNeeded?: number;
  readonly timeoutMs?: number;
  /** The outcome of the client's precondition. */
  readonly condition?: boolean | undefined;
  /** What the client does; else one that writes the value is drawn, or one that deletes. */
  readonly operation?: Operation;
  /** What names the request, which this node has not heard of. */
  readonly requestName?: RequestName;
}

/** A write that would leave more siblings is refused. */
const SIBLINGS_MAX = 64;

export class Cluster implements World {
  readonly timeline = new Timeline();
  readonly oracle = new Oracle();
  readonly prng: Prng;
  readonly network: SimulatedNetwork<Parcel>;
  readonly names: readonly string[];
  readonly keys: readonly string[];
  readonly nodes: ReadonlyMap<string, SimulatedNode>;
  readonly trace: Trace;
  isCalm = false;
  /** By write, writes of any key that its author had seen, or that those depend on: as far as clients' tokens must tell. */
  readonly pasts = new WeakMap<OracleWrite, Past>();
  readonly sealed = new Set<string>();
  private readonly forgotten = new Set<string>();
  /** By key, the writes that died with a disk. */
  private readonly givenUp = new Map<string, WriteSet>();
  /** What the replicas have reported, by kind: a run in which nothing happens proves nothing. */
  readonly counts = new Map<string, number>();
  private failure: unknown;
  /** Its own chance, so that what else happens in a run does not depend on the types of its keys. */
  private readonly operationsPrng: Prng;
  private values = 0;

  constructor(
    readonly options: SimulationOptions,
    isVerbose: boolean,
  ) {
    this.prng = new Prng(options.seed ^ 0x5eed);
    this.operationsPrng = new Prng(options.seed ^ 0x07e5);
    this.network = new SimulatedNetwork(this.timeline, this.prng.fork(), { ...options.network });
    this.names = Array.from({ length: options.nodes }, (_, i) => `n${i + 1}`);
    this.keys = Array.from({ length: options.keys }, (_, i) => `k${i + 1}`);
    this.nodes = new Map(this.names.map((name) => [name, new SimulatedNode(name, this)]));
    this.trace = new Trace(isVerbose);
    for (const node of this.nodes.values()) {
      node.wallOffsetMs = this.prng.between(-options.clockSkewMs, options.clockSkewMs);
      node.start();
    }
  }

  giveUp(by: string, key: string, writes: WriteSet): void {
    const before = this.givenUp.get(key) ?? 0n;
    this.givenUp.set(key, before | writes);
    for (const { name, mind } of this.nodes.values()) {
      const { known } = mind.durable.keys.get(key) ?? NOTHING;
      const held = known & writes & ~before;
      if (this.forgotten.has(name) || held === 0n) continue;
      const what = `${this.oracle.names(key, held).join(' ')} of ${key}`;
      throw new Violation('sealing', `${by} gives up ${what}, and ${name} knows of it`);
    }
  }

  count(kind: string): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
  }

  /** An operator gives up a node that is dead for good. */
  async forget(name: string, at: string): Promise<void> {
    this.forgotten.add(name);
    let isForgotten = false;
    void this.node(at)
      .driver!.forget(name)
      .then(() => (isForgotten = true));
    while (!isForgotten) await this.step();
  }

  /** Keeps the first failure: what comes after may be its consequence. */
  fail(error: unknown): void {
    this.failure ??= error;
  }

  node(name: string): SimulatedNode {
    const node = this.nodes.get(name);
    if (node === undefined) throw new Error(`there is no node ${name}`);
    return node;
  }

  /** Runs the next event to rest, and checks the node that it touched. Throws the first failure. */
  async step(): Promise<void> {
    const event = this.timeline.next();
    if (event === undefined) throw new Error('nothing is left to happen');
    this.trace.add(event);
    try {
      event.action();
      await quiescence();
      if (this.failure === undefined) this.nodes.get(event.node)?.check();
    } catch (error) {
      this.fail(error);
    }
    if (this.failure !== undefined) throw this.failure;
  }

  async runFor(durationMs: number): Promise<void> {
    let isOver = false;
    this.timeline.schedule(durationMs, '', 'pause', () => {
      isOver = true;
    });
    while (!isOver) await this.step();
  }

  /** Adds what its author had seen, and what that depends on, to a past. */
  addPast(past: Past, key: string, seen: WriteSet): void {
    const unread = seen & ~(past.get(key) ?? 0n);
    past.set(key, (past.get(key) ?? 0n) | seen);
    // What died with a disk is covered by clocks once it is given up, and shown to nobody: nor is what its author had seen.
    const shown = unread & ~(this.givenUp.get(key) ?? 0n);
    for (const write of this.oracle.writes(key, shown)) {
      for (const [of, writes] of this.pasts.get(write) ?? []) past.set(of, (past.get(of) ?? 0n) | writes);
    }
  }

  /**
   * Who reads a write in a session must be shown what its author had seen, though that had a context alone: but for what that
   * wrote to the key itself, and has not come here.
   */
  private pastOf(key: string, { seen, shown = seen, mine = 0n }: Reading, { known }: Knowledge): Past {
    const past: Past = new Map();
    this.addPast(past, key, shown);
    past.set(key, past.get(key)! & ~(mine & ~known));
    return past;
  }

  read(name: string, key: string): Reading | undefined {
    const node = this.node(name);
    if (node.driver === undefined) return undefined;
    const context = readOrDamage(node.driver, key)?.context;
    const past = context && node.driver.view.pastOf(context);
    return context && past && { node: name, key, context, past, seen: this.visible(node, key).known };
  }

  /** Undefined when the node can't take it. Never settled when the node crashes first: the outcome is unknown. */
  write(
    name: string,
    key: string,
    value: string | undefined,
    options: WriteOptions = {},
  ): Promise<WriteResult> | undefined {
    const node = this.node(name);
    const { driver, life, mind } = node;
    if (driver?.progress.isIntroduced !== true || life === undefined) return undefined;
    const { acksNeeded = 1, timeoutMs = 1000, condition, requestName } = options;
    const operation = options.operation ?? this.draw(key, value);
    // Other operations take no context.
    const reading = operation.kind === 'put' || operation.kind === 'delete' ? options.reading : undefined;
    const before = mind.working(key);
    const wallMs = node.nowMs;
    const live = this.oracle.shownSet(key, before, wallMs);
    const writes =
      condition === false || this.refusalOf(node, key, operation, before, reading) !== undefined
        ? undefined
        : this.record(node, key, operation, this.seenOf(reading, before), wallMs, requestName !== undefined);
    const refusal = condition === false ? 'precondition-failed' : this.refusalOf(node, key, operation, before, reading);
    if (writes !== undefined) node.take(key, writes);
    if (reading !== undefined)
      for (const write of writes ?? []) this.pasts.set(write, this.pastOf(key, reading, before));
    const deadlineMs = this.timeline.nowMs + timeoutMs;
    let wasAsked = condition === undefined;
    const after = mind.working(key);
    life.waiting++;
    const answered = driver.write({
      key,
      operation,
      context: reading && { vector: reading.context, dot: reading.own, past: reading.past },
      precondition:
        condition === undefined
          ? undefined
          : (versions) => {
              wasAsked = true;
              this.checkLive(name, key, versions, live);
              return condition;
            },
      requestName,
      acksNeeded,
      timeoutMs,
    });
    const checked = answered.then((result) => {
      life.waiting--;
      // Nobody is there any more who could be told.
      if (life.isOver) return result;
      if (!wasAsked) throw new Violation('precondition', `${name} did not ask for ${key}`);
      const isTimely = acksNeeded <= 1 || (this.timeline.nowMs < deadlineMs && !life.isStopping);
      if (refusal !== undefined && result.kind !== refusal) {
        throw new Violation('answer', `${name} answers ${result.kind} to what is ${refusal} of ${key}`);
      }
      const needed = isTimely ? acksNeeded : 1;
      this.checkResult(name, key, result, writes, { before, after, acksNeeded: needed, wallMs });
      if (reading !== undefined) this.checkSeen(name, key, result, reading, after);
      return result;
    });
    checked.catch((error: unknown) => {
      if (error instanceof CorruptRecordError && node.damage.isRotten(key)) life.waiting--;
      else if (error instanceof Violation || (!life.isOver && node.driver !== undefined)) this.fail(error);
    });
    return checked;
  }

  /** Where a write with its own dot has not come yet, nothing can be said of it. */
  private seenOf(reading: Reading | undefined, { known }: Knowledge): WriteSet {
    if (reading === undefined) return known;
    const { own } = reading;
    const write = own && this.oracle.write(own.actor, own.counter);
    return write === undefined || (known & write.bit) !== 0n ? reading.seen : reading.seen & ~write.bit;
  }

  /** The answer to a write, as a reading to go on with; undefined: nothing was written. */
  answered(name: string, key: string, result: WriteResult, before: Reading): Reading | undefined {
    if (result.kind !== 'written' || result.dot === undefined) return undefined;
    const { context } = result.container;
    const shown = {
      vector: context,
      dot: undefined,
      past: this.node(name).driver?.view.pastOf(context, result.past) ?? new Map(),
    };
    const { vector, dot: own, past } = result.seen ?? shown;
    const covered = this.oracle.covered(key, vector);
    const seen = own === undefined ? covered : covered | this.oracle.write(own.actor, own.counter)!.bit;
    const { bit } = this.oracle.write(result.dot.actor, result.dot.counter)!;
    const shownTo = result.seen === undefined ? seen : (before.shown ?? before.seen) | bit;
    return { node: name, key, context: vector, own, past, seen, shown: shownTo, mine: (before.mine ?? 0n) | bit };
  }

  /** A client must not be told that it has seen what lives and was not shown to it, and has seen what it wrote. */
  private checkSeen(name: string, key: string, result: WriteResult, reading: Reading, after: Knowledge): void {
    const answered = this.answered(name, key, result, reading);
    if (answered === undefined || result.kind !== 'written') return;
    const { bit } = this.oracle.write(result.dot!.actor, result.dot!.counter)!;
    const live = this.oracle.visibleSet(key, after);
    const hidden = answered.seen & live & ~(reading.seen | bit);
    if (hidden !== 0n) {
      const names = this.oracle.names(key, hidden).join(' ');
      throw new Violation('answer', `${name} says that the author of a write of ${key} has seen ${names}`);
    }
    if ((live & bit & ~answered.seen) !== 0n) {
      throw new Violation('answer', `${name} says that the author of a write of ${key} has not seen it`);
    }
  }

  /** The operation of a client that writes this value, or deletes, by the key's kind. */
  private draw(key: string, value: string | undefined): Operation {
    const content = value === undefined ? undefined : { text: value, bytes: this.bytesOf(value) };
    return drawOperation(this.operationsPrng, this.kindOf(key), content, this.options.lifetimes);
  }

  /** The type that the key has at a node. */
  typeAt(name: string, key: string): Type | undefined {
    const node = this.node(name);
    return this.oracle.typeOf(key, this.oracle.shownSet(key, this.visible(node, key), node.nowMs));
  }

  /** Of what type the operations on a key are. */
  kindOf(key: string): Kind {
    return this.options.kinds[this.keys.indexOf(key)] ?? 'register';
  }

  /** Why the operation must be refused, as far as it depends on the key. */
  private refusalOf(
    { driver, nowMs }: SimulatedNode,
    key: string,
    operation: Operation,
    before: Knowledge,
    reading: Reading | undefined,
  ): 'wrong-type' | 'too-many-siblings' | undefined {
    const { oracle } = this;
    const type = oracle.typeOf(key, oracle.shownSet(key, before, nowMs));
    if (type !== undefined && type !== typeOf(operation)) return 'wrong-type';
    if (operation.kind !== 'put') return undefined;
    const stored = oracle.matching(key, oracle.visibleSet(key, before), ({ version }) => version?.type === 'register');
    const left = stored & ~this.seenOf(reading, before);
    return this.hasTooMany(key, driver!.actor, stored, left) ? 'too-many-siblings' : undefined;
  }

  /** Whether the actor may not add one to what is left of these siblings: there would be too many, of all or of its own. */
  hasTooMany(key: string, actor: string, stored: WriteSet, left: WriteSet): boolean {
    if (sizeOf(left) < SIBLINGS_MAX) return false;
    const own = this.oracle.matching(key, stored, (write) => write.actor === actor);
    return left === stored || (sizeOf(left & own) >= SIBLINGS_MAX && (left & own) === own);
  }

  /** The writes of the operation, which its replica is about to take. */
  private record(
    { driver, mind }: SimulatedNode,
    key: string,
    operation: Operation,
    seen: WriteSet,
    wallMs: number,
    hasName: boolean,
  ): readonly OracleWrite[] {
    const { actor } = driver!;
    const kept = this.oracle.visibleSet(key, mind.working(key));
    const effects = effectsOf(this.oracle, key, operation, { seen, kept, actor, wallMs });
    // A request is remembered by a dot, though there is nothing to do.
    const isMark = hasName && effects.length === 0;
    return (isMark ? [{ version: undefined, replaces: 0n }] : effects).map(({ version, replaces }, place) =>
      this.oracle.record(key, actor, mind.counter(actor) + 1 + place, version, seen, replaces),
    );
  }

  /** A value that no other write has. */
  nextValue(): string {
    return `v${++this.values}`;
  }

  /** Whether these nodes agree in everything, with nothing under way. */
  isConverged(names: readonly string[]): boolean {
    return this.network.carryingInFlight === 0 && this.isAgreed(names);
  }

  isAgreed(names: readonly string[]): boolean {
    const nodes = names.map((name) => this.node(name));
    const [first] = nodes;
    return nodes.every(
      (node) =>
        node.driver !== undefined &&
        node.mind.isSettled &&
        !node.damage.isSeenBy(node.driver) &&
        isSameMap(node.mind.visible.counters, first!.mind.visible.counters) &&
        this.keys.every((key) => {
          if (this.visible(node, key).known !== this.visible(first!, key).known) return false;
          const [mine, other] = [node, first!].map((each) => readOrDamage(each.driver!, key)?.context);
          return mine !== undefined && other !== undefined && isSameMap(mine, other);
        }),
    );
  }

  /** What must hold of nodes that have converged, beyond what holds always. */
  async checkConverged(names: readonly string[]): Promise<void> {
    const first = this.node(names[0]!);
    for (const name of names) {
      const node = this.node(name);
      if (node.life!.waiting > 0)
        throw new Violation('liveness', `${node.life!.waiting} clients of ${name} wait for ever`);
      for (const key of this.keys) {
        for (const resolution of ['order', 'latest'] as const) {
          // What has a deadline is hidden by each by its own clock.
          const lasting = (each: SimulatedNode): readonly Version[] =>
            each.driver!.read(key).versions.filter(({ deadlineMs }) => deadlineMs === undefined);
          const [mine, other] = [node, first].map((each) => winner(lasting(each), resolution));
          if (mine?.actor === other?.actor && mine?.counter === other?.counter) continue;
          throw new Violation('winner', `${name} and ${first.name} choose differently for ${key}`);
        }
      }
      await this.checkStored(node);
      if (node.openSnapshots !== 1) throw new Violation('snapshots', `${name} holds ${node.openSnapshots} snapshots`);
    }
    if (this.isWhole(names)) for (const name of names) await this.checkNothingAhead(name);
  }

  /** Whether no node is missing and no disk was ever lost: then nothing can be known that nobody has. */
  private isWhole(names: readonly string[]): boolean {
    return names.length === this.names.length && [...this.nodes.values()].every((node) => node.buried.size === 0);
  }

  /** All keys are deleted, and all nodes know. */
  checkDrained(names: readonly string[]): void {
    for (const name of names) {
      // The node record, the members and the marks of commits stay, and requests that may come again; keys, contexts,
      // claims and log entries must not.
      const left = this.node(name).diskRecords.filter((record) => !/^[nmpi]/.test(record));
      if (left.length > 0)
        throw new Violation(
          'drained',
          `${name} still stores ${left.map((record) => JSON.stringify(record)).join(' ')}`,
        );
    }
  }

  checkLogBound(name: string): void {
    const { clock, node } = this.node(name).driver!.view;
    let kept = 0;
    for (const [actor, counter] of clock) kept += counter - (node.floor.get(actor) ?? 0);
    if (kept <= this.options.logMax) return;
    throw new Violation('log', `${name} keeps ${kept} log entries; at most ${this.options.logMax}`);
  }

  /** The records themselves: containers without the cache, and the key of every dot. */
  private async checkStored({ name, driver, mind }: SimulatedNode): Promise<void> {
    const view = driver!.view;
    const stored = new Map<string, { versions: readonly VersionLike[]; context: ReadonlyMap<string, number> }>();
    for await (const { key, container } of view.containers('', undefined)) stored.set(key, container);
    for (const key of this.keys) {
      // A listing must have said itself what is claimed of the key.
      const listed = stored.get(key);
      const { versions = [], context = new Map() } = listed ?? view.onDisk(key);
      const filled = { versions, context: new Map(context) };
      filled.context = highest(filled.context, listed === undefined ? view.knownOf(key) : view.clock);
      checkContainer(this.oracle, `${name} stores`, key, filled, mind.visible.keys.get(key) ?? NOTHING);
    }
    for (const [actor, counter] of mind.visible.counters) {
      let place = view.node.floor.get(actor) ?? 0;
      for await (const key of view.log.keys({ actor, from: place, to: counter })) {
        if (this.oracle.write(actor, ++place)?.key === key) continue;
        throw new Violation('log', `${name} has logged that ${actor}:${place} wrote ${key}`);
      }
      if (place !== counter) throw new Violation('log', `${name} has logged ${actor} up to ${place} of ${counter}`);
    }
  }

  async checkNothingAhead(name: string): Promise<void> {
    const { view } = this.node(name).driver!;
    if (view.claims.length > 0) throw new Violation('claims', `${name} has converged, and still has claims`);
    const toCome = [...view.node.past].filter(([actor, counter]) => counter > (view.clock.get(actor) ?? 0));
    if (toCome.length > 0) {
      throw new Violation('past', `${name} has converged, and its sessions wait for ${vectorText(new Map(toCome))}`);
    }
    for await (const key of view.aheadKeys(undefined)) {
      throw new Violation('ahead', `${name} has converged, and ${key} is ahead with ${vectorText(view.context(key))}`);
    }
  }

  /** Whether any running node has heard of any of these writes. */
  isKnownAnywhere(key: string, writes: WriteSet): boolean {
    return [...this.nodes.values()].some(
      (node) => node.driver !== undefined && (this.visible(node, key).known & writes) !== 0n,
    );
  }

  /** The nodes whose disks have any of these writes, readable and not replaced. */
  holders(key: string, writes: WriteSet): readonly string[] {
    const nodes = [...this.nodes.values()].filter((node) => {
      const shown = this.oracle.visibleSet(key, node.mind.durable.keys.get(key) ?? NOTHING);
      return (shown & writes) !== 0n && !node.damage.isRotten(key);
    });
    return nodes.map(({ name }) => name);
  }

  private visible({ mind }: SimulatedNode, key: string): Knowledge {
    return mind.visible.keys.get(key) ?? NOTHING;
  }

  private bytesOf(value: string): Uint8Array {
    const { valueBytesMax } = this.options;
    return Buffer.from(valueBytesMax === 0 ? value : `${value} `.padEnd(this.prng.int(valueBytesMax), '.'));
  }

  private checkLive(name: string, key: string, versions: readonly VersionLike[], live: WriteSet): void {
    let set = 0n;
    for (const { actor, counter } of versions) set |= this.oracle.write(actor, counter)?.bit ?? 0n;
    if (set !== live) this.fail(new Violation('precondition', `${name} shows other versions of ${key} than live`));
  }

  checkResult(
    at: string,
    key: string,
    result: WriteResult,
    writes: readonly OracleWrite[] | undefined,
    { before, after, acksNeeded, wallMs }: { before: Knowledge; after: Knowledge; acksNeeded: number; wallMs: number },
  ): void {
    if (result.kind !== 'written' || writes === undefined) {
      if (result.kind === 'written' || writes !== undefined) {
        throw new Violation('answer', `${at} answers ${result.kind} to a write of ${key}`);
      }
      return;
    }
    const { dot, container, existed, acks } = result;
    const write = writes.at(-1);
    const told = dot && `${dot.actor}:${dot.counter}`;
    const name = write && `${write.actor}:${write.counter}`;
    if (told !== name) throw new Violation('answer', `${at} answers ${told} for ${name}`);
    checkContainer(this.oracle, `${at} answers`, key, container, after, wallMs);
    if (existed !== (this.oracle.shownSet(key, before, wallMs) !== 0n)) {
      throw new Violation('answer', `${at} says wrongly whether ${key} existed`);
    }
    // There was nothing to do.
    if (write === undefined) return;
    const holders = [...this.nodes.values()].filter((node) => writes.every(({ bit }) => node.hasCommitted(key, bit)));
    if (!holders.includes(this.node(at))) throw new Violation('durability', `${told} is answered before it is on disk`);
    if (holders.length < acks || acks < acksNeeded) {
      const counts = `${acks} of ${acksNeeded} acknowledgements`;
      throw new Violation('acknowledgements', `${told} is answered with ${counts}; ${holders.length} nodes have it`);
    }
  }
}

export function sizeOf(set: WriteSet): number {
  let size = 0;
  for (let rest = set; rest !== 0n; rest &= rest - 1n) size++;
  return size;
}
