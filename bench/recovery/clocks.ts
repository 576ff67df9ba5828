// How far is a replica? Clocks as `GET /v1/cluster` shows them: from actor to highest counter.

import type { ReplicaClient } from '../../test/support/process-client.js';

export type Clock = Readonly<Record<string, number>>;

interface ClusterState {
  readonly clock: Clock;
  readonly log: { readonly entries: number };
}

export async function readCluster(client: ReplicaClient): Promise<ClusterState> {
  const { status, body } = await client.request('GET', '/v1/cluster', { timeoutMs: 60_000 });
  if (status !== 200) throw new Error(`GET /v1/cluster: ${status}`);
  return JSON.parse(body.toString()) as ClusterState;
}

export async function readClock(client: ReplicaClient): Promise<Clock> {
  return (await readCluster(client)).clock;
}

export function covers(clock: Clock, goal: Clock): boolean {
  return Object.entries(goal).every(([actor, counter]) => (clock[actor] ?? 0) >= counter);
}

export function joined(left: Clock, right: Clock): Clock {
  const all: Record<string, number> = { ...left };
  for (const [actor, counter] of Object.entries(right)) all[actor] = Math.max(all[actor] ?? 0, counter);
  return all;
}

/** How many writes a clock knows of. */
export function countOf(clock: Clock): number {
  return Object.values(clock).reduce((sum, counter) => sum + counter, 0);
}

/** How many writes of `goal` the clock lacks. */
export function missing(clock: Clock, goal: Clock): number {
  return Object.entries(goal).reduce((sum, [actor, counter]) => sum + Math.max(0, counter - (clock[actor] ?? 0)), 0);
}
