// How is a race told? As a script: cut a link, write here, write there, heal, and say what must be seen. The script runs
// with exact delays first, and then again for every pair of its deliveries with the two in the opposite order.

import { MESSAGE_LIMITS } from '../../src/replication/message-reader.js';
import { Cluster, type Reading, type WriteOptions } from './cluster.js';
import type { NetworkConditions } from './network.js';
import type { SimulationOptions } from './options.js';
import { isSameMap } from './shapes.js';
import { Violation } from './violation.js';

/** The key of most scripts; the others are k2, k3, … */
const KEY = 'k1';

/** A message takes longer than a commit: what is written at two replicas at once has raced. */
const MESSAGE_MS = 5;

const NETWORK: NetworkConditions = {
  loss: 0,
  duplication: 0,
  delayMinMs: MESSAGE_MS,
  delayMaxMs: MESSAGE_MS,
  straggling: 0,
  straggleMaxMs: MESSAGE_MS,
  compareTimeoutMs: 300,
  timeoutMs: 300,
};

/** No faults, three nodes, one key. */
export const OPTIONS: SimulationOptions = {
  seed: 1,
  hasAll: false,
  stepsDrawnFor: 0,
  steps: 0,
  nodes: 3,
  keys: 1,
  clients: 0,
  operationEveryMs: 1,
  deletes: 0,
  contexts: 0,
  faultEveryMs: 1,
  cuts: false,
  crashes: false,
  diskFailures: false,
  wipes: false,
  diesWithNews: false,
  oldCopies: false,
  bitFlips: false,
  lostRecords: false,
  scrubPerSecond: 0,
  scrubStepRecords: 1,
  clockJumps: false,
  clockSkewMs: 0,
  commitMaxMs: 0,
  scanPauses: 0,
  valueBytesMax: 0,
  isOnWire: false,
  deadForEver: false,
  doomedAtStep: 0,
  dyingMs: [30],
  restsAtSteps: [],
  isWatchedIdle: false,
  sessions: 0,
  kinds: [],
  lifetimes: false,
  deadlineRetentionMs: 0,
  batches: false,
  retries: false,
  quorumReads: false,
  logMax: 1e6,
  retentionTicks: 0,
  readers: 0,
  readEveryMs: 0,
  limits: { ...MESSAGE_LIMITS, pieceKeys: 1 },
  network: NETWORK,
};

/** Made once: it is looked at very often, and thrown hardly ever. */
const NEVER_AGREE = new Violation('liveness', 'the nodes never agree');

/** Longer than a request waits, so that a message that is kept back also comes after its sender has given up. */
const HELD_MAX_MS = 700;

const CONVERGENCE_MAX_MS = 30_000;

export type Script = (scenario: Scenario) => Promise<void>;

/** The cluster that a script needs. */
export type Setting = Pick<SimulationOptions, 'nodes'> & Partial<Pick<SimulationOptions, 'keys' | 'logMax'>>;

/** A story: what happens in every order, and before it, in one, what it begins with. */
export interface Told extends Setting {
  readonly setUp?: Script;
  readonly script: Script;
}

export interface ScriptedWrite extends WriteOptions {
  readonly key?: string;
}

/** What a script can do to a cluster. Nodes are named n1, n2, …; what is not asked for does not happen. */
export class Scenario {
  constructor(private readonly cluster: Cluster) {}

  cut(left: string, right: string): void {
    this.cutOneWay(left, right);
    this.cutOneWay(right, left);
  }

  cutOneWay(from: string, to: string): void {
    this.cluster.network.cut(from, to);
  }

  /** Cuts the node's links to all others. */
  isolate(name: string): void {
    for (const other of this.cluster.names) if (other !== name) this.cut(name, other);
  }

  mend(left: string, right: string): void {
    this.cluster.network.mend(left, right);
    this.cluster.network.mend(right, left);
  }

  heal(): void {
    this.cluster.network.heal();
  }

  crash(name: string): void {
    this.cluster.node(name).crash();
  }

  /** The disk is lost with the process. */
  wipe(name: string): void {
    this.cluster.node(name).wipe();
  }

  /** The process ends, its disk is copied, and it starts again. */
  async copyDisk(name: string): Promise<void> {
    this.cluster.node(name).copyDisk();
    await this.start(name);
  }

  /** The process ends, and the copy takes the place of its disk. */
  putBackCopy(name: string): void {
    this.cluster.node(name).putBackCopy();
  }

  async start(name: string): Promise<void> {
    const node = this.cluster.node(name);
    node.start();
    while (node.driver === undefined) await this.cluster.step();
  }

  read(name: string, key = KEY): Reading {
    const reading = this.cluster.read(name, key);
    if (reading === undefined) throw new Error(`${name} does not run`);
    return reading;
  }

  /** Ends when the replica has answered; what it sends to others is still on its way then. */
  async put(name: string, value: string, options: ScriptedWrite = {}): Promise<void> {
    await this.race([[name, value, options]]);
  }

  async delete(name: string, options: ScriptedWrite = {}): Promise<void> {
    await this.race([[name, undefined, options]]);
  }

  /** Writes taken at the same moment. */
  async race(
    writes: readonly (readonly [name: string, value: string | undefined, options?: ScriptedWrite])[],
  ): Promise<void> {
    for (const [name] of writes) await this.introduced(name);
    let unanswered = writes.length;
    for (const [name, value, options] of writes) {
      const answered = this.cluster.write(name, options?.key ?? KEY, value, options);
      if (answered === undefined) throw new Error(`${name} does not run`);
      void answered.then(() => unanswered--);
    }
    while (unanswered > 0) await this.cluster.step();
  }

  /** A replica that has just started takes no writes before it has heard from its peers, or failed to. */
  private async introduced(name: string): Promise<void> {
    while (this.cluster.node(name).driver?.progress.isIntroduced === false) await this.cluster.step();
  }

  async runFor(durationMs: number): Promise<void> {
    await this.cluster.runFor(durationMs);
  }

  /** Runs until the node shows exactly these values. */
  async until(name: string, ...values: readonly string[]): Promise<void> {
    await this.runUntil(() => isSame(this.shown(name, KEY), values), `${name} never shows ${values.join(' ')}`);
  }

  /** Runs until the node has trimmed its whole log. */
  async untilTrimmed(name: string): Promise<void> {
    const { driver } = this.cluster.node(name);
    const isTrimmed = (): boolean => driver !== undefined && isSameMap(driver.progress.floor, driver.view.clock);
    await this.runUntil(isTrimmed, `${name} never trims its log`);
  }

  /** Runs until the node, which takes over all keys, has come to this one; the name of the peer it takes them from. */
  async untilTaken(name: string, through: string): Promise<string> {
    const isTaken = (): boolean => this.cluster.node(name).driver?.progress.bootstrap?.through === through;
    await this.runUntil(isTaken, `${name} never takes over ${through}`);
    return this.cluster.node(name).driver!.progress.bootstrap!.from!;
  }

  private async runUntil(isSo: () => boolean, otherwise: string): Promise<void> {
    const deadlineMs = this.cluster.timeline.nowMs + CONVERGENCE_MAX_MS;
    while (!isSo()) {
      if (this.cluster.timeline.nowMs > deadlineMs) throw new Error(otherwise);
      await this.cluster.step();
    }
  }

  /** Runs until the living nodes agree. */
  async settle(): Promise<void> {
    const { cluster } = this;
    const deadlineMs = cluster.timeline.nowMs + CONVERGENCE_MAX_MS;
    let broken: unknown;
    do {
      if (cluster.timeline.nowMs > deadlineMs) throw broken;
      await cluster.runFor(100);
      broken = await this.unsettled();
    } while (broken !== undefined);
  }

  /** What the clock has just caught up with is dropped at the next tick, so agreement may come first. */
  private async unsettled(): Promise<unknown> {
    const { cluster, living } = this;
    if (!cluster.isConverged(living)) return NEVER_AGREE;
    return cluster.checkConverged(living).catch((error: unknown) => error);
  }

  /** The living nodes come to show exactly these values. */
  async expectSiblings(...values: readonly string[]): Promise<void> {
    await this.expectValues({ [KEY]: values });
  }

  /** The living nodes come to show exactly these values of each of these keys. */
  async expectValues(values: Readonly<Record<string, readonly string[]>>): Promise<void> {
    await this.settle();
    for (const name of this.living) {
      for (const [key, expected] of Object.entries(values)) this.expectShown(name, key, expected);
    }
  }

  /** Nothing of any key is on any disk: no version, no context, no claim, no log entry. */
  expectNothingStored(): void {
    this.cluster.checkDrained(this.living);
  }

  /** The node shows exactly these values now. */
  expectSiblingsAt(name: string, ...values: readonly string[]): void {
    this.expectShown(name, KEY, values);
  }

  private expectShown(name: string, key: string, values: readonly string[]): void {
    const shown = this.shown(name, key);
    if (isSame(shown, values)) return;
    const told = `${name} shows ${key} as [${shown.join(' ')}]`;
    throw new Violation('scenario', `${told}, and must show [${values.join(' ')}]`);
  }

  private shown(name: string, key: string): readonly string[] {
    const versions = this.cluster.node(name).driver?.read(key).versions ?? [];
    return versions.map(({ value }) => Buffer.from(value).toString());
  }

  private get living(): readonly string[] {
    return this.cluster.names.filter((name) => this.cluster.node(name).driver !== undefined);
  }
}

function isSame(shown: readonly string[], values: readonly string[]): boolean {
  return [...shown].sort().join(' ') === [...values].sort().join(' ');
}

/**
 * Runs the script in both orders of every pair of deliveries; the number of runs. Throws what the first failing run throws.
 * @param stride of the pairs, one in so many is tried
 */
export async function inEveryOrder(told: Told, stride = 1): Promise<number> {
  const { deliveredBefore, delivered } = await run(told, undefined);
  let [runs, pairs] = [1, 0];
  for (const [message, before] of deliveredBefore.entries()) {
    for (let untilDelivered = before + 1; untilDelivered <= delivered; untilDelivered++) {
      if (pairs++ % stride > 0) continue;
      const { wasHeldInVain } = await run(told, { message, untilDelivered });
      runs++;
      // To wait for more would come to the very same run.
      if (wasHeldInVain) break;
    }
  }
  return runs;
}

interface Ran {
  /** By message, how many had been delivered when it was sent. */
  readonly deliveredBefore: readonly number[];
  readonly delivered: number;
  readonly wasHeldInVain: boolean;
}

interface Swap {
  readonly message: number;
  readonly untilDelivered: number;
}

async function run(told: Told, swap: Swap | undefined, isVerbose = false): Promise<Ran> {
  const { setUp, script, ...setting } = told;
  const cluster = new Cluster({ ...OPTIONS, ...setting }, isVerbose);
  const scenario = new Scenario(cluster);
  await scenario.runFor(50);
  await scenario.settle();
  await setUp?.(scenario);
  const { network } = cluster;
  const before = { sent: network.sent, delivered: network.delivered };
  if (swap !== undefined) {
    network.hold = {
      message: before.sent + swap.message,
      untilDelivered: before.delivered + swap.untilDelivered,
      atMostMs: HELD_MAX_MS,
    };
  }
  try {
    await script(scenario);
  } catch (error) {
    if (!isVerbose) return run(told, swap, true);
    const order = swap
      ? `message ${swap.message} comes after delivery ${swap.untilDelivered}`
      : 'in the order of sending';
    throw new Error(`${order}: ${String(error)}\n${cluster.trace.last(40).join('\n')}`, { cause: error });
  }
  return {
    deliveredBefore: network.deliveredBefore.slice(before.sent).map((delivered) => delivered - before.delivered),
    delivered: network.delivered - before.delivered,
    wasHeldInVain: network.wasHeldInVain,
  };
}
