// What have clients been promised, and is it still there? Clients that write all the time, each at one replica, and a
// record of their own of what was acknowledged. It takes nothing from the store but the answers to these writes.
//
// Each client writes keys that are written once, and again and again one key of its own, with a number that only grows.
// A write that got no answer may have happened or not: both are right.

import type { ProcessCluster } from './process-cluster.js';
import type { ReplicaClient } from './process-client.js';
import { until } from './until.js';

/** Between two rounds of a client: the load is steady, and leaves the processor to whoever has to start again. */
const PAUSE_MS = 5;

const PROGRESS_MS_MAX = 20_000;

interface Writer {
  readonly name: string;
  readonly client: ReplicaClient;
  readonly acknowledgedOnce: Set<number>;
  /** Values of the key that is overwritten; 0 for none. */
  acknowledgedLast: number;
  attempted: number;
}

export class Workload {
  private readonly writers: readonly Writer[];
  private loops: readonly Promise<void>[] = [];
  private isStopping = false;

  /** How many writes got no answer: proof that the trouble hit clients. */
  unanswered = 0;

  private readonly pauseMs: number;

  constructor(cluster: ProcessCluster, { clientsPerReplica = 2, pauseMs = PAUSE_MS } = {}) {
    this.pauseMs = pauseMs;
    this.writers = cluster.replicas.flatMap((replica) =>
      Array.from({ length: clientsPerReplica }, (_, index) => ({
        name: `${replica.name}-${index}`,
        client: replica.client,
        acknowledgedOnce: new Set<number>(),
        acknowledgedLast: 0,
        attempted: 0,
      })),
    );
  }

  start(): void {
    this.isStopping = false;
    this.loops = this.writers.map((writer) => this.write(writer));
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    await Promise.all(this.loops);
  }

  get acknowledged(): number {
    return this.writers.reduce((sum, writer) => sum + writer.acknowledgedOnce.size, 0);
  }

  /** Resolves once so many more writes are acknowledged. */
  async untilFurther(count: number): Promise<void> {
    const goal = this.acknowledged + count;
    await until(`${count} more writes are acknowledged`, () => this.acknowledged >= goal, PROGRESS_MS_MAX);
  }

  /** What this replica shows that it must not, or lacks; empty when every promise is kept. */
  async brokenPromisesAt(client: ReplicaClient): Promise<readonly string[]> {
    const held = new Map<string, string>();
    for await (const { key, value } of client.list('once/')) held.set(key, value);
    const broken: string[] = [];
    for (const writer of this.writers) {
      for (const n of writer.acknowledgedOnce) {
        const value = held.get(onceKey(writer, n));
        if (value !== String(n)) broken.push(`${onceKey(writer, n)} was acknowledged, and is now ${value}`);
      }
      const last = await client.siblings(againKey(writer));
      const values = last.map((sibling) => Number(sibling.value));
      const isKept = values.length === 1 && values[0]! >= writer.acknowledgedLast && values[0]! <= writer.attempted;
      if (!isKept) {
        const range = `${writer.acknowledgedLast} to ${writer.attempted}`;
        broken.push(`${againKey(writer)} must have one value, ${range}, and has ${JSON.stringify(last)}`);
      }
    }
    return broken;
  }

  private async write(writer: Writer): Promise<void> {
    while (!this.isStopping) {
      const n = ++writer.attempted;
      try {
        await writer.client.put(againKey(writer), String(n));
        writer.acknowledgedLast = n;
        await writer.client.put(onceKey(writer, n), String(n));
        writer.acknowledgedOnce.add(n);
      } catch {
        this.unanswered++;
      }
      await new Promise((resolve) => setTimeout(resolve, this.pauseMs));
    }
  }
}

function onceKey(writer: Writer, n: number): string {
  return `once/${writer.name}/${n}`;
}

function againKey(writer: Writer): string {
  return `again/${writer.name}`;
}
