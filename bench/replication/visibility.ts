// How long after its acknowledgement is a write to be read everywhere? A probe writes at one replica, and then reads at each of
// the others with the session of its write: such a read is answered as soon as the replica has it. Meanwhile the cluster takes
// writes at all replicas: none, a steady number, or all that it can.

import type { ReplicaClient } from '../../test/support/process-client.js';
import { ProcessCluster } from '../../test/support/process-cluster.js';
import { cpuSeconds } from '../processes.js';
import { withProgress } from '../recovery/progress.js';
import { write } from '../recovery/worker.js';
import { newestNode } from '../targets/node-binaries.js';
import { untilLevel } from './level.js';

export const REPLICAS = 4;

/** At each replica, as in the other benchmarks: each waits for an answer before it sends again. */
export const CLIENTS = 64;
/** Every steady load runs so long before it is measured: what it needs most, at replicas and at who writes, is compiled by then. */
export const WARM_SECONDS = 5;

const PROBE_EVERY_MS = 50;
/** More than are ever under way at once. */
const PROBE_KEYS = 1000;
const WARM_WRITES = 50_000;

export interface Visibility {
  readonly what: string;
  /** Of all clients together, as it came out. */
  readonly writesPerSecond: number;
  /** The same until every replica has them. */
  readonly levelPerSecond: number;
  /** From the acknowledgement of a probe until the last replica has shown it, in order. */
  readonly sortedMs: readonly number[];
  /** Of all replicas, until all have it, for one write of the load, with what the probes cost; undefined without load. */
  readonly cpuMicrosPerWrite: number | undefined;
}

export async function measureVisibility({
  seconds,
  writes,
}: {
  readonly seconds: number;
  readonly writes: number;
}): Promise<readonly Visibility[]> {
  const cluster = await ProcessCluster.start({ replicas: REPLICAS, isCuttable: false, node: newestNode().path });
  const { clients } = cluster;
  const pids = cluster.replicas.map(({ pid }) => pid);
  let first = 0;
  const load = async (count: number, perSecond?: number, onProgress?: (done: number) => void): Promise<void> => {
    const indices = Uint32Array.from({ length: count }, (_, place) => first + place);
    first += count;
    const title = perSecond === undefined ? 'As many writes as it takes' : `${Math.round(perSecond)} writes a second`;
    const urls = clients.map(({ url }) => url);
    const pace = perSecond === undefined ? {} : { perSecond };
    await write(title, { method: 'PUT', urls, indices, clients: CLIENTS, ...pace }, onProgress);
  };
  const under = async (what: string, count: number, perSecond?: number): Promise<Visibility> => {
    const warm = perSecond === undefined ? 0 : Math.round(perSecond * WARM_SECONDS);
    let begun: Begun | undefined;
    await load(warm + count, perSecond, (done) => {
      if (done > warm)
        begun ??= { done, at: performance.now(), cpuSeconds: cpuSeconds(pids), probe: new Probe(clients) };
    });
    if (begun === undefined) throw new Error('the load was over before anything was measured: make it longer');
    const { done, at, probe, cpuSeconds: cpuBefore } = begun;
    const measured = warm + count - done;
    const secondsSince = (): number => (performance.now() - at) / 1000;
    const taken = secondsSince();
    const sortedMs = await probe.end();
    await untilLevel(cluster);
    return {
      what,
      writesPerSecond: measured / taken,
      levelPerSecond: measured / secondsSince(),
      sortedMs,
      cpuMicrosPerWrite: ((cpuSeconds(pids) - cpuBefore) * 1e6) / measured,
    };
  };
  try {
    await load(WARM_WRITES);
    const saturating = await under('as many as it takes', writes);
    // What is taken faster than it comes to be everywhere is no rate that a cluster keeps up.
    const half = saturating.levelPerSecond / 2;
    const halved = await under('half as many', Math.round(half * seconds), half);
    const thousand = await under('1,000/s', 1000 * seconds, 1000);
    const probe = new Probe(clients);
    await withProgress('Nothing but the probe', seconds, () => new Promise((r) => setTimeout(r, seconds * 1000)));
    const sortedMs = await probe.end();
    const rate = sortedMs.length / seconds;
    const alone = { what: 'the probe alone', writesPerSecond: rate, levelPerSecond: rate, sortedMs };
    return [{ ...alone, cpuMicrosPerWrite: undefined }, thousand, halved, saturating];
  } finally {
    await cluster.stop();
  }
}

/** Where a load was when its measurement began. */
interface Begun {
  readonly done: number;
  /** Milliseconds. */
  readonly at: number;
  readonly cpuSeconds: number;
  readonly probe: Probe;
}

/** Probes are due at fixed moments, whether those before have ended or not: a slow moment is met as often as a quick one. */
class Probe {
  private readonly timesMs: number[] = [];
  private readonly underWay = new Set<Promise<void>>();
  private readonly timer;
  private round = 0;
  private failure: Error | undefined;

  constructor(private readonly clients: readonly ReplicaClient[]) {
    this.timer = setInterval(() => this.send(this.round++), PROBE_EVERY_MS);
  }

  /** @returns what it has met, in order */
  async end(): Promise<readonly number[]> {
    clearInterval(this.timer);
    await Promise.all(this.underWay);
    if (this.failure !== undefined) throw this.failure;
    return this.timesMs.sort((left, right) => left - right);
  }

  private send(round: number): void {
    const probe = this.once(round)
      .then((ms) => void this.timesMs.push(ms))
      .catch((error: Error) => void (this.failure ??= error))
      .then(() => void this.underWay.delete(probe));
    this.underWay.add(probe);
  }

  private async once(round: number): Promise<number> {
    const { clients } = this;
    const writer = clients[round % clients.length]!;
    const path = `/v1/kv/probe-${round % PROBE_KEYS}`;
    const { status, headers } = await writer.request('PUT', path, { body: String(round) });
    if (status >= 300) throw new Error(`a probe was answered with ${status}`);
    const acknowledgedAt = performance.now();
    const session = { 'Quartet-Session': headers['quartet-session'] as string };
    const others = clients.filter((client) => client !== writer);
    await Promise.all(
      others.map(async (client) => {
        const { status: read } = await client.request('GET', `${path}?timeout=60000`, { headers: session });
        if (read !== 200) throw new Error(`a probe was read with ${read}`);
      }),
    );
    return performance.now() - acknowledgedAt;
  }
}
