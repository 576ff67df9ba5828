// How soon after its acknowledgement is a write seen at the other replicas? Measured from outside: the others are asked
// again and again, each as fast as it answers, until all of them have it.

import type { ProcessCluster } from '../test/support/process-cluster.js';
import type { ReplicaClient } from '../test/support/process-client.js';
import { quantile } from './report.js';

const KEY = 'demo/visibility';
const GIVE_UP_MS = 10_000;

export interface Visibility {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** How long one question takes: a write can't be seen sooner than the next question after it is answered. */
  readonly resolutionMs: number;
}

export async function measureVisibility(cluster: ProcessCluster, writes: number): Promise<Visibility> {
  const delaysMs: number[] = [];
  const questionsMs: number[] = [];
  for (let n = 0; n < writes; n++) {
    const writer = cluster.clients[Math.floor(Math.random() * cluster.clients.length)]!;
    const others = cluster.clients.filter((client) => client !== writer);
    await writer.put(KEY, String(n));
    const acknowledgedAt = performance.now();
    await Promise.all(others.map((client) => untilSeen(client, String(n), questionsMs)));
    delaysMs.push(performance.now() - acknowledgedAt);
  }
  await cluster.clients[0]!.delete(KEY);
  return {
    p50Ms: quantile(delaysMs, 0.5),
    p99Ms: quantile(delaysMs, 0.99),
    maxMs: Math.max(...delaysMs),
    resolutionMs: quantile(questionsMs, 0.5),
  };
}

async function untilSeen(client: ReplicaClient, value: string, questionsMs: number[]): Promise<void> {
  const startedAt = performance.now();
  for (;;) {
    const askedAt = performance.now();
    const { body } = await client.get(KEY);
    const answeredAt = performance.now();
    questionsMs.push(answeredAt - askedAt);
    if (body.toString() === value) return;
    if (answeredAt - startedAt > GIVE_UP_MS)
      throw new Error(`${client.url} does not have a write after ${GIVE_UP_MS} ms`);
  }
}
