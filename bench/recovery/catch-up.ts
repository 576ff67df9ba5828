// How soon is a replica level again that was away? Once stopped and started again, once only cut off; what it missed is
// written meanwhile at the three others. Clients go on asking it and another one all the time.

import { RecoveryCluster } from './cluster.js';
import { missing, type Clock } from './clocks.js';
import type { Latencies } from './light-load.js';
import { minus, type Traffic } from './metered-link.js';
import { pause, withProgress } from './progress.js';
import { LightLoad, write } from './worker.js';

const STAYING = ['n1', 'n2', 'n3'];
const AWAY = 'n4';
/** The other one that clients ask: it also serves what the one that was away has missed. */
const WITNESS = 'n1';

/** At each of the two. */
export const REQUESTS_PER_SECOND = 20;
const READ_KEYS = 1000;

export interface CatchUp {
  readonly what: string;
  /** Writes that it lacked at the first contact. Without them, nothing was to be caught up with. */
  readonly missed: number | undefined;
  /** From the first contact until its clock covers what the others knew then. */
  readonly seconds: number;
  /** From the start of the process; undefined when it ran on. */
  readonly readySeconds: number | undefined;
  /** Over all its links; undefined when it asks the others without a proxy between. */
  readonly traffic: Traffic | undefined;
  readonly away: Latencies;
  readonly witness: Latencies;
}

/** Of several runs the one in the middle; with how many keys a second each came. */
export interface CatchUps extends CatchUp {
  readonly rates: readonly number[];
}

/** Each run in a cluster of its own, so that none takes over what another one has written; the ways in turn. */
export async function measureCatchUp(keys: number, quietSeconds: number, runs: number): Promise<readonly CatchUps[]> {
  const missed = indicesFrom(READ_KEYS, keys);
  const alone = await inCluster((cluster, load) => quiet(cluster, load, quietSeconds));
  const [restarted, healed]: [CatchUp[], CatchUp[]] = [[], []];
  for (let run = 0; run < runs; run++) {
    restarted.push(await inCluster((cluster, load) => restart(cluster, load, missed)));
    healed.push(await inCluster((cluster, load) => heal(cluster, load, missed)));
  }
  return [{ ...alone, rates: [] }, middle(restarted), middle(healed)];
}

function middle(runs: readonly CatchUp[]): CatchUps {
  const rateOf = ({ missed, seconds }: CatchUp): number => missed! / seconds;
  const sorted = [...runs].sort((left, right) => rateOf(left) - rateOf(right));
  return { ...sorted[Math.floor(sorted.length / 2)]!, rates: sorted.map(rateOf) };
}

async function inCluster(measure: (cluster: RecoveryCluster, load: LightLoad) => Promise<CatchUp>): Promise<CatchUp> {
  const cluster = await RecoveryCluster.create([...STAYING, AWAY]);
  let load: LightLoad | undefined;
  try {
    await cluster.start();
    await write('Keys to read', { method: 'PUT', urls: cluster.urls(), indices: indicesFrom(0, READ_KEYS) });
    await cluster.untilLevel();
    const targets = [AWAY, WITNESS].map((name) => ({
      name,
      url: cluster.urls([name])[0]!,
      requestsPerSecond: REQUESTS_PER_SECOND,
    }));
    load = await LightLoad.start(targets, READ_KEYS);
    const result = await measure(cluster, load);
    // A write under way would be in one listing, and not yet in another one.
    await load.finish();
    await cluster.untilLevel();
    await cluster.checkEqual();
    return result;
  } finally {
    load?.stop();
    await cluster.close();
  }
}

async function quiet(cluster: RecoveryCluster, load: LightLoad, seconds: number): Promise<CatchUp> {
  await pause('Light load alone', 2);
  await load.begin();
  const before = cluster.traffic(AWAY);
  await pause('Light load alone, measured', seconds);
  const traffic = minus(cluster.traffic(AWAY), before);
  return { what: 'nothing missed', missed: undefined, seconds, readySeconds: undefined, traffic, ...(await met(load)) };
}

async function restart(cluster: RecoveryCluster, load: LightLoad, indices: Uint32Array): Promise<CatchUp> {
  const known = await cluster.clock([AWAY]);
  await cluster.stop([AWAY]);
  cluster.setDirect(AWAY, true);
  await writeMeanwhile(cluster, indices, `${AWAY} is stopped; writes at the others`);
  let readySeconds = 0;
  const start = async (): Promise<void> => {
    const [ms] = await cluster.start([AWAY]);
    readySeconds = ms! / 1000;
  };
  // Before it has said a word to another one.
  const result = await comeBack(cluster, load, known, start, cluster.firstAnswer(AWAY));
  await cluster.stop([AWAY]);
  cluster.setDirect(AWAY, false);
  await cluster.start([AWAY]);
  await cluster.untilLevel();
  return { what: 'stopped, started again', ...result, readySeconds, traffic: undefined };
}

async function heal(cluster: RecoveryCluster, load: LightLoad, indices: Uint32Array): Promise<CatchUp> {
  const known = await cluster.clock([AWAY]);
  cluster.cut(AWAY);
  await writeMeanwhile(cluster, indices, `${AWAY} is cut off; writes at the others`);
  const result = await comeBack(cluster, load, known, async () => cluster.heal(AWAY), cluster.firstContact(AWAY));
  return { what: 'cut off, healed', ...result };
}

async function comeBack(
  cluster: RecoveryCluster,
  load: LightLoad,
  known: Clock,
  begin: () => Promise<void>,
  contact: Promise<void>,
): Promise<Omit<CatchUp, 'what'>> {
  const before = cluster.traffic(AWAY);
  const begun = begin();
  await contact;
  const startedAt = performance.now();
  await load.begin();
  const goal = await cluster.clock(STAYING);
  const missed = missing(known, goal);
  await withProgress(`${AWAY} catches up`, missed, (progress) =>
    cluster.untilCovers(AWAY, goal, (left) => progress(missed - left)),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  const traffic: Traffic | undefined = minus(cluster.traffic(AWAY), before);
  const latencies = await met(load);
  await begun;
  return { missed, seconds, readySeconds: undefined, traffic, ...latencies };
}

async function writeMeanwhile(cluster: RecoveryCluster, indices: Uint32Array, title: string): Promise<void> {
  await write(title, { method: 'PUT', urls: cluster.urls(STAYING), indices });
  await cluster.untilLevel(STAYING);
}

async function met(load: LightLoad): Promise<{ away: Latencies; witness: Latencies }> {
  const latencies = await load.end();
  return { away: latencies.get(AWAY)!, witness: latencies.get(WITNESS)! };
}

function indicesFrom(first: number, count: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, place) => first + place);
}
