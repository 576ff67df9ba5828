// How long after its acknowledgement is a write to be read everywhere? A probe writes at one replica, and then reads at each of
// the others with the session of its write: such a read is answered as soon as the replica has it. Meanwhile the cluster takes
// writes at all replicas: none, a steady number, or all that it can.

import type { ReplicaClient } from '../../test/support/process-client.js';
import { ProcessCluster } from '../../test/support/process-cluster.js';
import { cpuSeconds } from '../processes.js';
import { withProgress } from '../recovery/progress.js';
import { write } from '../recovery/worker.js';

export const REPLICAS = 4;

const PROBE_EVERY_MS = 20;
const WARM_WRITES = 20_000;

export interface Visibility {
  readonly what: string;
  /** Of all clients together, as it came out. */
  readonly writesPerSecond: number;
  /** From the acknowledgement of a probe until the last replica has shown it, in order. */
  readonly sortedMs: readonly number[];
  /** Of all replicas, for one write; undefined without load. */
  readonly cpuMicrosPerWrite: number | undefined;
}

export async function measureVisibility({
  seconds,
  writes,
}: {
  readonly seconds: number;
  readonly writes: number;
}): Promise<readonly Visibility[]> {
  const cluster = await ProcessCluster.start({ replicas: REPLICAS, isCuttable: false });
  const { clients } = cluster;
  const pids = cluster.replicas.map(({ pid }) => pid);
  let first = 0;
  const load = async (count: number, perSecond?: number): Promise<number> => {
    const indices = Uint32Array.from({ length: count }, (_, place) => first + place);
    first += count;
    const title = perSecond === undefined ? 'As many writes as it takes' : `${Math.round(perSecond)} writes a second`;
    const urls = clients.map(({ url }) => url);
    return write(title, { method: 'PUT', urls, indices, ...(perSecond === undefined ? {} : { perSecond }) });
  };
  const under = async (what: string, count: number, perSecond?: number): Promise<Visibility> => {
    const before = cpuSeconds(pids);
    const probe = new Probe(clients);
    const took = await load(count, perSecond);
    const sortedMs = await probe.end();
    const cpuMicrosPerWrite = ((cpuSeconds(pids) - before) * 1e6) / count;
    return { what, writesPerSecond: count / took, sortedMs, cpuMicrosPerWrite };
  };
  try {
    await load(WARM_WRITES);
    const saturating = await under('as many as it takes', writes);
    const half = saturating.writesPerSecond / 2;
    const halved = await under('half as many', Math.round(half * seconds), half);
    const thousand = await under('1,000/s', 1000 * seconds, 1000);
    const probe = new Probe(clients);
    await withProgress('Nothing but the probe', seconds, () => new Promise((r) => setTimeout(r, seconds * 1000)));
    const sortedMs = await probe.end();
    const alone = { what: 'the probe alone', writesPerSecond: sortedMs.length / seconds, sortedMs };
    return [{ ...alone, cpuMicrosPerWrite: undefined }, thousand, halved, saturating];
  } finally {
    await cluster.stop();
  }
}

class Probe {
  private readonly timesMs: number[] = [];
  private isOver = false;
  private readonly running: Promise<void>;

  constructor(private readonly clients: readonly ReplicaClient[]) {
    this.running = this.run();
  }

  /** @returns what it has met, in order */
  async end(): Promise<readonly number[]> {
    this.isOver = true;
    await this.running;
    return this.timesMs.sort((left, right) => left - right);
  }

  private async run(): Promise<void> {
    for (let round = 0; !this.isOver; round++) {
      this.timesMs.push(await this.once(round));
      await new Promise((resolve) => setTimeout(resolve, PROBE_EVERY_MS));
    }
  }

  private async once(round: number): Promise<number> {
    const { clients } = this;
    const writer = clients[round % clients.length]!;
    const path = `/v1/kv/probe-${round % 100}`;
    const { status, headers } = await writer.request('PUT', path, { body: String(round) });
    if (status >= 300) throw new Error(`a probe was answered with ${status}`);
    const acknowledgedAt = performance.now();
    const session = { 'Quartet-Session': headers['quartet-session'] as string };
    const others = clients.filter((client) => client !== writer);
    await Promise.all(
      others.map(async (client) => {
        const { status: read } = await client.request('GET', path, { headers: session });
        if (read !== 200) throw new Error(`a probe was read with ${read}`);
      }),
    );
    return performance.now() - acknowledgedAt;
  }
}
