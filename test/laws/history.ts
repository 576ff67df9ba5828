// How do replicas come to hold the containers that the laws are about?
//
// A cluster of replicas made of nothing but `src/clock`: each has a node clock and stores its containers stripped, as
// the design says. Steps drawn at random write, delete, read, carry contexts from one replica to another, and exchange
// containers, with or without the ranges of dots that let a node clock advance. The oracle is told the same steps.

import fc from 'fast-check';
import {
  type Container,
  EMPTY_CONTAINER,
  fill,
  isEmpty,
  strip,
  sync,
  update,
  type Version,
} from '../../src/clock/container.js';
import { type Dot, formatDot } from '../../src/clock/dot.js';
import { registerReplaces } from '../../src/clock/register.js';
import { advance, counterOf, EMPTY_VECTOR, join, type VersionVector } from '../../src/clock/version-vector.js';
import { ACTORS, textOf, version } from '../support/clock-arbitraries.js';
import { type DotName, type Element, HistoryOracle } from './oracle.js';

/** A causal context as a client carries it, and the same past as the oracle knows it. */
export interface Token {
  readonly context: VersionVector;
  readonly seen: ReadonlySet<DotName>;
}

interface Replica {
  readonly actor: string;
  clock: VersionVector;
  readonly stored: Map<string, Container>;
}

export const KEYS: readonly string[] = ['apple', 'pear', 'plum'];
const ELEMENTS: readonly string[] = ['colour', 'size'];

export class Cluster {
  readonly oracle = new HistoryOracle();
  /** Every dot ever written, with the key it is of: the log of all actors in one place. */
  readonly log: { readonly dot: Dot; readonly key: string }[] = [];
  /** The filled containers that writes and exchanges have led to, by key. */
  readonly states = new Map<string, Container[]>(KEYS.map((key) => [key, [EMPTY_CONTAINER]]));
  readonly #replicas: readonly Replica[];

  constructor(readonly size: number) {
    this.#replicas = ACTORS.slice(0, size).map((actor) => ({ actor, clock: EMPTY_VECTOR, stored: new Map() }));
  }

  clock(replica: number): VersionVector {
    return this.#replica(replica).clock;
  }

  /** What lies on the replica's disk, or undefined when it stores nothing for the key. */
  stored(replica: number, key: string): Container | undefined {
    return this.#replica(replica).stored.get(key);
  }

  filled(replica: number, key: string): Container {
    return fill(this.stored(replica, key) ?? EMPTY_CONTAINER, this.clock(replica));
  }

  read(replica: number, key: string): Token {
    const { actor } = this.#replica(replica);
    return { context: this.filled(replica, key).context, seen: this.oracle.known(actor, key) };
  }

  /** A put or a delete of a whole key, by an author with `token`, or else with the replica's own view. */
  writeRegister(replica: number, key: string, live: boolean, token = this.read(replica, key)): Container {
    const element = live ? '' : undefined;
    return this.#write(replica, key, live, element, token, registerReplaces);
  }

  /** A put into one field of a map: it acts on the replica's view and replaces that field's versions alone. */
  putField(replica: number, key: string, element: string): Container {
    const isSameField = (old: Version) => textOf(old).startsWith(`${element}=`);
    return this.#write(replica, key, true, element, this.read(replica, key), isSameField);
  }

  /** `from` sends its whole container of one key, and no range: the receiver's node clock stays where it is. */
  carry(from: number, to: number, key: string): void {
    this.#merge(from, to, key);
  }

  /** `from` sends the dots of one actor that `to` lacks, with the containers of their keys. */
  push(from: number, to: number, actor: string): void {
    const first = counterOf(this.clock(to), actor);
    const last = counterOf(this.clock(from), actor);
    if (last <= first) return;
    const inRange = this.log.filter(({ dot }) => dot.actor === actor && dot.counter > first && dot.counter <= last);
    for (const key of new Set(inRange.map((entry) => entry.key))) this.#merge(from, to, key);
    this.#take(to, advance(this.clock(to), { actor, counter: last }));
  }

  /** `from` sends every container, also the empty ones, and its clock is taken over last. */
  level(from: number, to: number): void {
    for (const key of KEYS) this.#merge(from, to, key);
    this.#take(to, join(this.clock(to), this.clock(from)));
  }

  /** Everyone sends everyone everything. */
  levelAll(): void {
    for (let from = 0; from < this.size; from++) {
      for (let to = 0; to < this.size; to++) if (from !== to) this.level(from, to);
    }
    for (let to = 1; to < this.size; to++) this.level(0, to);
  }

  actorOf(replica: number): string {
    return this.#replica(replica).actor;
  }

  #write(
    replica: number,
    key: string,
    live: boolean,
    element: Element,
    token: Token,
    replaces: (version: Version) => boolean,
  ): Container {
    const node = this.#replica(replica);
    const dot: Dot = { actor: node.actor, counter: counterOf(node.clock, node.actor) + 1 };
    const made = live ? version(dot.actor, dot.counter, `${element}=${formatDot(dot)}`) : undefined;
    const before = this.filled(replica, key);
    const after = update(before, dot, token.context, made, replaces);
    node.clock = advance(node.clock, dot);
    this.log.push({ dot, key });
    this.oracle.write(node.actor, key, formatDot(dot), live, element, token.seen);
    this.#store(replica, key, after);
    this.states.get(key)!.push(after);
    return after;
  }

  #merge(from: number, to: number, key: string): void {
    const sent = this.filled(from, key);
    const merged = sync(this.filled(to, key), sent);
    this.oracle.deliver(this.actorOf(from), this.actorOf(to), key);
    this.#store(to, key, merged);
    this.states.get(key)!.push(merged);
  }

  /** Moves the node clock and strips what it now covers. */
  #take(replica: number, clock: VersionVector): void {
    const node = this.#replica(replica);
    node.clock = clock;
    for (const [key, kept] of [...node.stored]) this.#store(replica, key, kept);
  }

  #store(replica: number, key: string, kept: Container): void {
    const node = this.#replica(replica);
    const stripped = strip(kept, node.clock);
    if (isEmpty(stripped)) node.stored.delete(key);
    else node.stored.set(key, stripped);
  }

  #replica(replica: number): Replica {
    return this.#replicas[replica]!;
  }
}

/** One step, its choices still open: numbers are taken modulo what there is to choose from, so that every list runs. */
export interface Step {
  readonly act: 'put' | 'putWithContext' | 'delete' | 'deleteWithContext' | 'read' | 'carry' | 'push' | 'level';
  readonly replica: number;
  readonly peer: number;
  readonly key: number;
  readonly choice: number;
}

export interface History {
  readonly size: number;
  readonly keys: number;
  /** Registers take contexts; fields of a map act on the replica's view. */
  readonly type: 'register' | 'fields';
  readonly steps: readonly Step[];
}

const anyChoice = fc.nat({ max: 59 });

/** Deletes are rare, since most of what could go wrong needs versions that are still there. */
const ACT_WEIGHTS: Readonly<Record<Step['act'], number>> = {
  put: 4,
  putWithContext: 5,
  delete: 1,
  deleteWithContext: 1,
  read: 4,
  carry: 4,
  push: 3,
  level: 1,
};

const anyAct = fc.oneof(
  ...Object.entries(ACT_WEIGHTS).map(([act, weight]) => ({ arbitrary: fc.constant(act as Step['act']), weight })),
);

const anyStep: fc.Arbitrary<Step> = fc.record({
  act: anyAct,
  replica: anyChoice,
  peer: anyChoice,
  key: anyChoice,
  choice: anyChoice,
});

export function anyHistory(type: History['type'], stepsMax = 40): fc.Arbitrary<History> {
  return fc.record({
    size: fc.integer({ min: 2, max: ACTORS.length }),
    keys: fc.integer({ min: 1, max: KEYS.length }),
    type: fc.constant(type),
    steps: fc.array(anyStep, { minLength: 1, maxLength: stepsMax, size: 'max' }),
  });
}

/** Runs a history and calls `check` after every step with the replica that the step changed. */
export function run(history: History, check?: (cluster: Cluster, changed: number) => void): Cluster {
  const cluster = new Cluster(history.size);
  const tokens = new Map<string, Token[]>();
  for (const step of history.steps) {
    const changed = take(cluster, tokens, history, step);
    check?.(cluster, changed);
  }
  return cluster;
}

/** Takes one step and names the replica that it changed. */
function take(cluster: Cluster, tokens: Map<string, Token[]>, history: History, step: Step): number {
  const replica = step.replica % history.size;
  const peer = (replica + 1 + (step.peer % (history.size - 1))) % history.size;
  const key = KEYS[step.key % history.keys]!;
  const kept = tokens.get(key) ?? [];
  switch (step.act) {
    case 'read':
      tokens.set(key, [...kept, cluster.read(replica, key)]);
      return replica;
    case 'carry':
      cluster.carry(replica, peer, key);
      return peer;
    case 'push':
      cluster.push(replica, peer, cluster.actorOf(step.choice % history.size));
      return peer;
    case 'level':
      cluster.level(replica, peer);
      return peer;
    default:
      write(cluster, kept, history, step, replica, key);
      return replica;
  }
}

function write(
  cluster: Cluster,
  kept: readonly Token[],
  history: History,
  step: Step,
  replica: number,
  key: string,
): void {
  const live = step.act === 'put' || step.act === 'putWithContext';
  if (history.type === 'fields') {
    if (live) cluster.putField(replica, key, ELEMENTS[step.choice % ELEMENTS.length]!);
    else cluster.writeRegister(replica, key, false);
    return;
  }
  const withContext = step.act === 'putWithContext' || step.act === 'deleteWithContext';
  const token = withContext ? kept[step.choice % Math.max(1, kept.length)] : undefined;
  cluster.writeRegister(replica, key, live, token);
}
