// One seed, from its first event to its verdict.
//
// Safety: clients write while faults strike, and after every event the node that it touched must show exactly what the
// oracle says. Liveness: the faults end, some nodes stay dead for ever, and the others must come to the same state, answer
// every client, and then say nothing to each other but clocks.

import { TICK_MS } from '../../src/replication/replica-driver.js';
import { Batches } from './batches.js';
import { Retries } from './retries.js';
import { Cluster } from './cluster.js';
import { Faults } from './faults.js';
import { FeedReaders } from './feed-reader.js';
import type { SimulatedNode } from './node.js';
import type { SimulationOptions } from './options.js';
import { NOTHING } from './oracle.js';
import { Prng } from './prng.js';
import { QuorumReaders } from './quorum-readers.js';
import { Rests } from './rests.js';
import { Rot } from './rot.js';
import { Sessions } from './sessions.js';
import { Violation } from './violation.js';
import { Workload } from './workload.js';

/**
 * Virtual time in which the survivors must agree, or come closer to it: less than a transport takes to give up a lost
 * message. Large values over a slow disk take longer in all, but something arrives all the time.
 */
const STALL_MAX_MS = 25_000;

/** And in which they must agree, whatever arrives. */
const CONVERGENCE_MAX_MS = 45_000;

/** After that, what was begun before goes on to its end. */
const ENDING_MAX_MS = 10 * CONVERGENCE_MAX_MS;

/** Long enough for stragglers of the time before to arrive, and for what they start to end. */
const GRACE_MS = 6000;

/** In most runs the cluster is only seen to stay as it is. */
const GRACE_MIN_MS = 1000;

/** No client asks to wait longer. */
const CLIENT_WAIT_MAX_MS = 4000;

const IDLE_MS = 10_000;

/** Replicas must have been level for a while. */
const SEALED_MS = 20_000;

/** A comparison, and an exchange of keys ahead. */
const SEAL_SPREADS_MS = 3000;

/** So long after its deadline a version is dropped. */
const KEPT_MS = 180_000;

/** A few looks for what is due, and the commits and removals that follow. */
const EXPIRY_MS = 3000;

/** Several rounds of the scan, each of which asks one peer. */
const LOSS_NOTICED_MAX_MS = 60_000;

/** A few comparisons, and the commits and removals that follow. */
const DRAIN_MS = 5000;

export interface Outcome {
  readonly options: SimulationOptions;
  /** Events run, those of the liveness phase included. */
  readonly steps: number;
  /** Of all events: two runs of one seed have the same. */
  readonly hash: string;
  readonly writes: number;
  readonly convergedAfterMs: number | undefined;
  readonly failure: Failure | undefined;
  /** How often the replicas reported something, by kind. */
  readonly counts: Readonly<Record<string, number>>;
}

export interface Failure {
  readonly phase: 'safety' | 'liveness';
  /** The event after which it showed. */
  readonly step: number;
  readonly invariant: string;
  readonly error: Error;
  readonly lastEvents: readonly string[];
}

export async function simulate(options: SimulationOptions, isVerbose = false): Promise<Outcome> {
  const cluster = new Cluster(options, isVerbose);
  const prng = new Prng(options.seed ^ 0xc1e27);
  let phase: Failure['phase'] = 'safety';
  let convergedAfterMs: number | undefined;
  let failure: Failure | undefined;
  try {
    const workload = new Workload(cluster, prng.fork());
    const faults = new Faults(cluster, prng.fork());
    const rot = new Rot(cluster);
    const survivors = survivorsOf(cluster, prng.fork());
    const sessions = new Sessions(cluster, prng.fork());
    const batches = new Batches(cluster, prng.fork());
    const retries = new Retries(cluster);
    const quorumReaders = new QuorumReaders(cluster, prng.fork());
    const readers = new FeedReaders(cluster, prng.fork());
    const rests = new Rests(cluster);
    for (let step = 0; step < options.steps; step++) {
      if (options.deadForEver && step === options.doomedAtStep) {
        faults.doom(cluster.names.filter((name) => !survivors.includes(name)));
      }
      await rests.at(step);
      await cluster.step();
    }
    workload.end();
    sessions.end();
    batches.end();
    retries.end();
    quorumReaders.end();
    faults.end();
    rot.end();
    readers.end();
    phase = 'liveness';
    convergedAfterMs = await heal(cluster, survivors, readers);
  } catch (error) {
    failure = {
      phase,
      step: cluster.trace.steps,
      invariant: error instanceof Violation ? error.invariant : 'no error',
      error: error instanceof Error ? error : new Error(String(error)),
      lastEvents: cluster.trace.last(25),
    };
  }
  const writes = cluster.keys.reduce((sum, key) => sum + cluster.oracle.count(key), 0);
  const counts = Object.fromEntries(cluster.counts);
  return { options, steps: cluster.trace.steps, hash: cluster.trace.hash, writes, convergedAfterMs, failure, counts };
}

function survivorsOf({ names, options }: Cluster, prng: Prng): readonly string[] {
  if (!options.deadForEver) return names;
  const survivors = names.filter(() => prng.chance(0.5));
  return survivors.length > 0 ? survivors : [prng.pick(names)];
}

async function heal(cluster: Cluster, survivors: readonly string[], readers: FeedReaders): Promise<number> {
  cluster.trace.note(`            all faults end; ${survivors.join(' ')} survive`);
  cluster.isCalm = true;
  const { network, nodes, timeline } = cluster;
  network.heal();
  Object.assign(network.conditions, { loss: 0, duplication: 0, straggling: 0 });
  // Who was told to stop and still waits for a lost answer is killed, as an impatient operator does.
  for (const node of nodes.values()) if (!survivors.includes(node.name) || node.life?.isStopping) node.crash();
  const healedAtMs = timeline.nowMs;
  const isSomebodyWaiting = (): boolean => survivors.some((name) => (nodes.get(name)!.life?.waiting ?? 0) > 0);
  let convergedAfterMs: number;
  do {
    convergedAfterMs = (await converge(cluster, survivors)) - healedAtMs;
    await cluster.runFor(cluster.options.isWatchedIdle ? GRACE_MS : GRACE_MIN_MS);
    for (let waitedMs = 0; waitedMs < CLIENT_WAIT_MAX_MS && isSomebodyWaiting(); waitedMs += 250) {
      await cluster.runFor(250);
    }
    // The last words of a dead node may still have been on their way, and have brought something new.
  } while (!cluster.isAgreed(survivors));
  if (cluster.options.isWatchedIdle) await watchIdle(cluster);
  await cluster.checkConverged(survivors);
  await readers.checkAtRest(survivors);
  if (cluster.options.lifetimes) await endLifetimes(cluster, survivors, readers);
  if (cluster.options.isWatchedIdle) for (const name of survivors) cluster.checkLogBound(name);
  if (cluster.options.lostRecords) await loseRecords(cluster, survivors);
  if (cluster.options.isWatchedIdle) await giveUpTheDead(cluster, survivors, readers);
  return convergedAfterMs;
}

async function converge(cluster: Cluster, survivors: readonly string[]): Promise<number> {
  const { nodes, timeline } = cluster;
  // A few dots a message take long, and something arrives all the time.
  const deadlineMs = timeline.nowMs + CONVERGENCE_MAX_MS * (cluster.options.limits.batchDots < 50 ? 8 : 1);
  let stalledSinceMs = timeline.nowMs;
  let shown: readonly unknown[] = [];
  for (;;) {
    const now = survivors.map((name) => nodes.get(name)!.mind.visible);
    if (now.some((known, place) => known !== shown[place])) stalledSinceMs = timeline.nowMs;
    shown = now;
    if (timeline.nowMs > Math.min(deadlineMs, stalledSinceMs + STALL_MAX_MS)) {
      throw new Violation('liveness', 'the survivors never agree');
    }
    if (cluster.isAgreed(survivors)) return timeline.nowMs;
    // A commit that was to fail may still be under way: its process ends now, and is started once more.
    for (const name of survivors) if (nodes.get(name)!.life === undefined) nodes.get(name)!.start();
    await cluster.runFor(250);
  }
}

/**
 * An operator forgets the nodes that will not come back. What they, or lost disks, told in part is given up then, and
 * nothing is kept for it any more.
 */
async function giveUpTheDead(cluster: Cluster, survivors: readonly string[], readers: FeedReaders): Promise<void> {
  for (const name of cluster.names) {
    if (!survivors.includes(name)) await cluster.forget(name, survivors[0]!);
  }
  // A request that was lost long ago, and is given up meanwhile, makes its replica count anew.
  await cluster.runFor(SEALED_MS + (cluster.options.network.timeoutMs > SEALED_MS ? SEALED_MS : 0));
  await converge(cluster, survivors);
  // One that has never had others can't tell what they may have.
  if (cluster.names.length === 1) return;
  for (const name of survivors) await cluster.checkNothingAhead(name);
  await readers.checkAtRest(survivors);
  await deleteEverything(cluster, survivors, readers);
}

/** All clocks move on until some lifetimes have ended long ago, then all: nothing is left of them, nor of when they ended. */
async function endLifetimes(cluster: Cluster, names: readonly string[], readers: FeedReaders): Promise<void> {
  const { oracle } = cluster;
  const nodes = names.map((name) => cluster.node(name));
  const nowMs = Math.min(...nodes.map((node) => node.nowMs));
  const toCome = oracle.deadlinesMs().filter((deadlineMs) => deadlineMs + KEPT_MS > nowMs);
  for (const deadlineMs of [Math.min(...toCome), Math.max(...toCome)]) {
    if (!Number.isFinite(deadlineMs)) continue;
    for (const node of nodes) node.wallOffsetMs += Math.max(0, deadlineMs + KEPT_MS + 1 - node.nowMs);
    await cluster.runFor(EXPIRY_MS);
    for (const node of nodes) checkDropped(cluster, node);
    await readers.checkAtRest(names);
  }
  for (const node of nodes) node.wallOffsetMs += cluster.options.deadlineRetentionMs;
  await cluster.runFor(EXPIRY_MS);
  for (const { name, diskRecords } of nodes) {
    const left = diskRecords.filter((record) => record.startsWith('d')).length;
    if (left > 0) throw new Violation('lifetimes', `${name} still tells of ${left} deadlines`);
  }
  // The last words of a dead node may have come meanwhile.
  await converge(cluster, names);
  await cluster.checkConverged(names);
}

function checkDropped({ keys, oracle }: Cluster, { name, mind, nowMs }: SimulatedNode): void {
  for (const key of keys) {
    const kept = oracle.visibleSet(key, mind.visible.keys.get(key) ?? NOTHING);
    const left = kept & oracle.ended(key, nowMs - KEPT_MS - EXPIRY_MS);
    if (left !== 0n) throw new Violation('lifetimes', `${name} never drops ${oracle.names(key, left).join(' ')}`);
  }
}

/**
 * Records vanish, which no checksum sees, and their processes end, which may still have them in memory. The others have
 * them, at the same clock: the digests of the scan tell, and everything is as it was.
 */
async function loseRecords(cluster: Cluster, names: readonly string[]): Promise<void> {
  // A word from before could make who has lost a record push it, as empty, to one that has it.
  if (cluster.options.network.straggling > 0) await cluster.runFor(GRACE_MS);
  const isBusy = (): boolean => names.some((each) => cluster.node(each).driver!.progress.bootstrap?.from !== undefined);
  for (let waitedMs = 0; isBusy() || !cluster.isConverged(names); waitedMs += 250) {
    if (waitedMs > CONVERGENCE_MAX_MS) throw new Violation('liveness', 'something is under way for ever');
    await cluster.runFor(250);
  }
  const name = cluster.prng.pick(names);
  const node = cluster.node(name);
  const records = node.diskRecords.filter((record) => record.startsWith('k') && cluster.prng.chance(0.5));
  if (records.length === 0) return;
  cluster.trace.note(`            ${name} loses ${records.join(' ')}`);
  for (const record of records) node.damage.lose(record);
  node.crash();
  node.start();
  for (let waitedMs = 0; !records.every((record) => node.diskRecords.includes(record)); waitedMs += 250) {
    if (waitedMs > LOSS_NOTICED_MAX_MS) throw new Violation('scrub', `${name} never gets ${records.join(' ')} again`);
    await cluster.runFor(250);
  }
  await cluster.runFor(GRACE_MIN_MS);
  node.damage.endLoss();
  await cluster.checkConverged(names);
}

/** What has been deleted costs nothing once everybody knows: no container, no context, no log entry. */
async function deleteEverything(cluster: Cluster, names: readonly string[], readers: FeedReaders): Promise<void> {
  for (const [place, key] of cluster.keys.entries()) {
    let isAnswered = false;
    const name = names[place % names.length]!;
    const operation = { kind: 'delete', type: cluster.typeAt(name, key) ?? 'register' } as const;
    void cluster.write(name, key, undefined, { operation })!.then(() => (isAnswered = true));
    while (!isAnswered) await cluster.step();
  }
  await converge(cluster, names);
  await readers.checkAtRest(names);
  // A mark is made and told apart at a tick.
  await cluster.runFor(DRAIN_MS + (cluster.options.retentionTicks + 2) * TICK_MS);
  cluster.checkDrained(names);
}

/** One gives up what died with a disk before the others do: they differ for a moment, and compare what they have. */
async function untilSealsHaveSpread(cluster: Cluster): Promise<void> {
  const { counts } = cluster;
  let sealed: number | undefined;
  do {
    sealed = counts.get('actor-sealed');
    await cluster.runFor(SEAL_SPREADS_MS);
  } while (counts.get('actor-sealed') !== sealed);
}

/** What died with lost disks is given up after a while; from then on nothing but clocks is sent. */
async function watchIdle(cluster: Cluster, untilMs = cluster.timeline.nowMs + ENDING_MAX_MS): Promise<void> {
  const { network, counts, timeline } = cluster;
  if (timeline.nowMs > untilMs) throw new Violation('liveness', 'something is under way for ever');
  await untilSealsHaveSpread(cluster);
  const sealed = counts.get('actor-sealed');
  const ended = counts.get('bootstrap-ended');
  const before = new Map(network.requests);
  await cluster.runFor(IDLE_MS);
  const isTakingOver = [...cluster.nodes.values()].some(({ driver }) => driver?.progress.bootstrap?.from !== undefined);
  // What was begun before goes on to its end, though nothing is missing any more.
  const hasTakenOver = counts.get('bootstrap-ended') !== ended;
  if (counts.get('actor-sealed') !== sealed || isTakingOver || hasTakenOver) return watchIdle(cluster, untilMs);
  for (const [kind, count] of network.requests) {
    if (kind === 'compare' || kind === 'digest' || count === before.get(kind)) continue;
    throw new Violation('idleness', `a converged cluster has sent ${count - (before.get(kind) ?? 0)} ${kind} requests`);
  }
}
