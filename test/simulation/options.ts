// What kind of cluster, and what kind of trouble? Each seed draws its own mixture, so that some runs have only one kind
// of fault at a high rate: faults that are always mixed hide what each of them alone would show.

import { MESSAGE_LIMITS, type MessageLimits } from '../../src/replication/message-reader.js';
import type { NetworkConditions } from './network.js';
import type { Kind } from './operations.js';
import { Prng } from './prng.js';

export interface SimulationOptions {
  readonly seed: number;
  /** Events before the faults end. */
  readonly steps: number;
  /** What the options were drawn for: a part of them depends on it. */
  readonly stepsDrawnFor: number;
  /** Whether nothing that clients can do was left out, but for requests that come again. */
  readonly hasAll: boolean;
  readonly nodes: number;
  readonly keys: number;
  readonly clients: number;
  /** Mean time between two operations of clients. */
  readonly operationEveryMs: number;
  readonly deletes: number;
  /** How many writes carry the context of an earlier read. */
  readonly contexts: number;
  /** Mean time between two faults. */
  readonly faultEveryMs: number;
  readonly cuts: boolean;
  readonly crashes: boolean;
  readonly diskFailures: boolean;
  readonly wipes: boolean;
  /** Replicas that are cut off show clients their writes, and lose their disks before anybody else has them. */
  readonly diesWithNews: boolean;
  /** An old copy of a disk is put back. Peers must be reachable then: nothing else can tell the node. */
  readonly oldCopies: boolean;
  /** Bits of records flip on the disks. */
  readonly bitFlips: boolean;
  /** The converged cluster's disks lose records. */
  readonly lostRecords: boolean;
  /** Records checked in the background in a second; 0: none. */
  readonly scrubPerSecond: number;
  readonly scrubStepRecords: number;
  readonly clockJumps: boolean;
  readonly clockSkewMs: number;
  readonly commitMaxMs: number;
  readonly scanPauses: number;
  /** Bytes that values are padded to. */
  readonly valueBytesMax: number;
  /** Whether messages pass through their wire format. */
  readonly isOnWire: boolean;
  /** Some nodes never come back. */
  readonly deadForEver: boolean;
  /** When they begin to die, one after the other. */
  readonly doomedAtStep: number;
  /** How long it takes until all of them are dead. */
  readonly dyingMs: readonly number[];
  /** Events after which neither clients nor faults do anything for a while. */
  readonly restsAtSteps: readonly number[];
  /** Whether the converged cluster is watched for a while. */
  readonly isWatchedIdle: boolean;
  /** Clients that go from replica to replica with a session. */
  readonly sessions: number;
  /** Of what type the operations on each key are; of the others: register. */
  readonly kinds: readonly Kind[];
  /** Whether some values have a deadline, and for how long ended ones are told of. */
  readonly lifetimes: boolean;
  readonly deadlineRetentionMs: number;
  /** Whether clients send several operations at once. */
  readonly batches: boolean;
  /** Whether clients name some of their writes, and send them again. */
  readonly retries: boolean;
  /** Whether clients read from several replicas at once. */
  readonly quorumReads: boolean;
  /** Log entries kept for members that stay away. */
  readonly logMax: number;
  /** For how many ticks they are kept for readers of the change feed. */
  readonly retentionTicks: number;
  /** Readers of the change feed, and the mean time between two looks of all of them. */
  readonly readers: number;
  readonly readEveryMs: number;
  readonly limits: MessageLimits;
  readonly network: NetworkConditions;
}

export const STEPS_DEFAULT = 600;

/** Of the steps of a run. */
const DOOMED_AFTER = 0.7;

const HOUR_MS = 3_600_000;

/** @param hasAll whether whatever clients can do is done, which a run leaves out in part else */
export function optionsOf(seed: number, steps = STEPS_DEFAULT, hasAll = false): SimulationOptions {
  const prng = new Prng(seed ^ 0xfeed);
  const before = withoutReaders(seed, steps);
  const options = {
    ...before,
    ...valuesOf(before),
    retentionTicks: prng.pick([0, 0, 2, 20]),
    readers: prng.pick([0, 1, 3]),
    readEveryMs: prng.pick([20, 100, 500]),
  };
  return hasAll ? withAll(options) : options;
}

function withAll(options: SimulationOptions): SimulationOptions {
  const prng = new Prng(options.seed ^ 0xa11);
  return {
    ...options,
    hasAll: true,
    kinds: Array.from({ length: options.keys }, () => prng.pick(KINDS)),
    lifetimes: true,
    batches: true,
    quorumReads: true,
    sessions: Math.max(1, options.sessions),
    readers: Math.max(1, options.readers),
  };
}

/** Half of the runs have registers only, so that a key's one conflict is not hidden by other types' none. */
function valuesOf({
  seed,
  keys,
}: SimulationOptions): Pick<SimulationOptions, 'kinds' | 'lifetimes' | 'deadlineRetentionMs'> {
  const prng = new Prng(seed ^ 0x7e5);
  const kinds = prng.chance(0.5) ? Array.from({ length: keys }, () => prng.pick(KINDS)) : [];
  return { kinds, lifetimes: prng.chance(0.4), deadlineRetentionMs: prng.pick([0, 5000, HOUR_MS, 24 * HOUR_MS]) };
}

const KINDS: readonly Kind[] = ['register', 'counter', 'set', 'map', 'any'];

function withoutReaders(seed: number, steps: number): SimulationOptions {
  const options = withoutRot(seed, steps);
  const prng = new Prng(seed ^ 0x0b17);
  // What only the damaged record and a node that never comes back have had, nobody is sure to have lost.
  const bitFlips = prng.chance(0.15) && options.nodes > 1 && !options.oldCopies && !options.deadForEver;
  // A key ahead is exchanged at equal clocks, and so is its loss: only what all replicas know of can be voted on.
  const lostRecords = prng.chance(0.15) && options.nodes > 1 && !options.deadForEver && !options.wipes;
  const isScrubbed = bitFlips || lostRecords;
  const spanKeys = prng.between(1, 4);
  const clients = new Prng(seed ^ 0xc11e);
  return {
    ...options,
    bitFlips,
    lostRecords,
    quorumReads: clients.chance(0.4),
    batches: clients.chance(0.3),
    // What only a lost record has told, nobody can be sure to remember. Not in all runs with all: they hide what is rare else.
    retries: !isScrubbed && new Prng(seed ^ 0x1de).chance(0.3),
    sessions: Math.max(options.sessions, clients.pick([0, 0, 1, 2, 3])),
    scrubPerSecond: isScrubbed ? prng.between(10, 60) : 0,
    scrubStepRecords: spanKeys,
    limits: { ...options.limits, digestKeys: spanKeys + prng.between(1, 3) },
  };
}

function withoutRot(seed: number, steps: number): SimulationOptions {
  const prng = new Prng(seed);
  const isBulky = prng.chance(0.02);
  const delayMaxMs = prng.pick([2, 10, 60, 400]);
  const options: SimulationOptions = {
    seed,
    steps,
    stepsDrawnFor: steps,
    hasAll: false,
    nodes: prng.pick([1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 5, 7]),
    keys: isBulky ? 12 : prng.between(1, 6),
    clients: prng.between(1, 4),
    operationEveryMs: prng.pick([3, 15, 60, 200]),
    deletes: prng.pick([0, 0.15, 0.4]),
    contexts: prng.pick([0, 0.3, 0.6, 0.95]),
    faultEveryMs: prng.pick([100, 300, 1000, 3000]),
    cuts: prng.chance(0.7),
    crashes: prng.chance(0.7),
    diskFailures: prng.chance(0.2),
    wipes: prng.chance(0.25),
    diesWithNews: false,
    oldCopies: false,
    bitFlips: false,
    lostRecords: false,
    scrubPerSecond: 0,
    scrubStepRecords: 1,
    clockJumps: prng.chance(0.3),
    clockSkewMs: prng.pick([0, 50, 10_000, 5 * HOUR_MS]),
    commitMaxMs: prng.pick([1, 5, 30, 200]),
    scanPauses: prng.pick([0, 0, 0.2, 0.7]),
    valueBytesMax: isBulky ? 120_000 : 0,
    isOnWire: prng.chance(0.25),
    deadForEver: prng.chance(0.3),
    doomedAtStep: Math.floor(steps * DOOMED_AFTER),
    dyingMs: [30, 200, 1000],
    restsAtSteps: restsOf(seed, steps),
    isWatchedIdle: prng.chance(0.2),
    sessions: 0,
    kinds: [],
    lifetimes: false,
    deadlineRetentionMs: 0,
    batches: false,
    retries: false,
    quorumReads: false,
    logMax: prng.pick([0, 3, 30, 1e6]),
    retentionTicks: 0,
    readers: 0,
    readEveryMs: 0,
    limits: {
      batchDots: prng.pick([3, 50, 2000]),
      bytes: MESSAGE_LIMITS.bytes,
      pieceKeys: prng.between(1, 4),
      localKeys: prng.between(1, 4),
      takeAllDots: prng.pick([5, 50, 1e9]),
      digestKeys: MESSAGE_LIMITS.digestKeys,
    },
    network: {
      loss: prng.pick([0, 0, 0.05, 0.3]),
      duplication: prng.pick([0, 0.1, 0.5]),
      delayMinMs: 1,
      straggling: prng.pick([0, 0, 0.02, 0.1]),
      straggleMaxMs: 5000,
      ...delays(delayMaxMs, prng),
    },
  };
  if (options.nodes === 1) return options;
  if (seed % 20 === 12) return toldRoundabout(options, prng);
  if (seed % 20 === 7) return diesWithNews(options, prng);
  const mixture = prng.next();
  if (mixture < 0.05) return halfTakenOver(options, prng);
  if (mixture < 0.1) return busyTakingOver(options, prng);
  if (mixture > 0.18) return options;
  // Whoever is asked answers in time: an old copy that hears from nobody could give a dot for the second time.
  return {
    ...options,
    oldCopies: true,
    cuts: false,
    crashes: false,
    diskFailures: false,
    wipes: false,
    deadForEver: false,
    network: { ...options.network, loss: 0, straggling: 0, compareTimeoutMs: 5000, timeoutMs: 30_000 },
  };
}

/** Before anybody dies for good. */
function restsOf(seed: number, steps: number): readonly number[] {
  const prng = new Prng(seed ^ 0x4e57);
  if (!prng.chance(0.1)) return [];
  return Array.from({ length: prng.between(1, 3) }, () => prng.int(Math.floor(steps * DOOMED_AFTER)));
}

/** A peer dies while others take over its keys: some know of ranges what nobody has the dots of. */
function halfTakenOver(options: SimulationOptions, prng: Prng): SimulationOptions {
  const delayMaxMs = prng.pick([60, 400]);
  return {
    ...options,
    nodes: prng.pick([4, 5]),
    keys: 6,
    deletes: 0.15,
    operationEveryMs: prng.pick([15, 60]),
    faultEveryMs: 1000,
    cuts: true,
    crashes: false,
    diskFailures: false,
    wipes: false,
    deadForEver: true,
    dyingMs: [1000, 3000],
    logMax: 0,
    commitMaxMs: 5,
    limits: { ...options.limits, pieceKeys: 1 },
    network: { ...options.network, loss: 0, straggling: 0, ...delays(delayMaxMs, prng) },
  };
}

/** Keys change at the replica that takes them over, while it looks for those that it has itself. */
function busyTakingOver(options: SimulationOptions, prng: Prng): SimulationOptions {
  const delayMaxMs = prng.pick([2, 10, 60]);
  return {
    ...options,
    nodes: prng.pick([3, 4, 5]),
    keys: prng.between(2, 6),
    deletes: 0.4,
    contexts: prng.pick([0, 0.3]),
    operationEveryMs: prng.pick([3, 15]),
    faultEveryMs: prng.pick([50, 100, 300]),
    cuts: true,
    crashes: prng.chance(0.5),
    diskFailures: false,
    wipes: true,
    deadForEver: false,
    logMax: prng.pick([0, 0, 3]),
    commitMaxMs: prng.pick([30, 200]),
    scanPauses: 0.7,
    limits: { ...options.limits, pieceKeys: prng.between(1, 3) },
    network: { ...options.network, loss: 0, straggling: prng.pick([0, 0.1]), ...delays(delayMaxMs, prng) },
  };
}

/**
 * What died with a disk is given up while clients write: that takes ten seconds in which all replicas hear of each other. So a run
 * is longer than others, with less in each second.
 */
function diesWithNews(options: SimulationOptions, prng: Prng): SimulationOptions {
  const delayMaxMs = prng.pick([2, 60, 400]);
  return {
    ...options,
    steps: 6 * options.steps,
    nodes: prng.pick([2, 3, 3]),
    keys: prng.between(2, 5),
    clients: prng.between(2, 4),
    contexts: 0.95,
    operationEveryMs: prng.pick([200, 400, 800]),
    cuts: false,
    crashes: false,
    diskFailures: false,
    wipes: true,
    diesWithNews: true,
    deadForEver: false,
    commitMaxMs: prng.pick([1, 5, 30]),
    network: { ...options.network, loss: 0, straggling: prng.pick([0, 0.1, 0.3]), ...delays(delayMaxMs, prng) },
  };
}

/**
 * What an author had seen comes later than what it wrote, by another way. Who has met neither yet notices: there are many such
 * clients where each of them does little.
 */
function toldRoundabout(options: SimulationOptions, prng: Prng): SimulationOptions {
  return {
    ...options,
    nodes: 3,
    keys: 4,
    clients: 1,
    sessions: 60,
    operationEveryMs: 200,
    deletes: 0,
    faultEveryMs: 3000,
    cuts: false,
    crashes: false,
    diskFailures: false,
    wipes: false,
    deadForEver: false,
    commitMaxMs: 5,
    logMax: 1e6,
    network: { ...options.network, loss: 0, straggling: 0.15, ...delays(10, prng) },
  };
}

/** A request and its answer come through before the sender gives up, as a rule. */
function delays(delayMaxMs: number, prng: Prng) {
  return {
    delayMaxMs,
    compareTimeoutMs: prng.pick([300, 2000]) + 2 * delayMaxMs,
    timeoutMs: prng.pick([300, 2000, 30_000]) + 2 * delayMaxMs,
  };
}
