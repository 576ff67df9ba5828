// What is measured at one size, and of what?

import { generate } from '../generators/generate.js';
import type { HttpRequest, Measurement } from '../load.js';
import { cpuSeconds } from '../processes.js';
import { untilLevel } from '../replication/level.js';
import type { QuartetTarget } from '../targets/quartet.js';

/** By the name of its column, a figure of one size. */
export type Figures = Readonly<Record<string, number>>;

export interface Point {
  readonly x: number;
  readonly figures: Figures;
}

export interface Axis {
  readonly title: string;
  /** What grows. */
  readonly xTitle: string;
  /** The columns that a plot shows; figures of one plot share its scale. */
  readonly plotted: readonly string[];
  /** What one should know to read it. */
  readonly note: string;
  /** For each size `step` is called so many times; not at all, if left out: then a point is a step. */
  readonly stepsPerSize?: number;
  measure(sizes: readonly number[], seconds: number, step: () => void): AsyncIterable<Point>;
}

export interface Measured {
  readonly axis: Axis;
  readonly points: readonly Point[];
}

export interface Sample extends Measurement {
  /** Of all replicas together, for one request. */
  readonly cpuMicros: number;
}

export async function sample(
  target: QuartetTarget,
  requests: readonly HttpRequest[],
  { seconds, connections }: { readonly seconds: number; readonly connections: number },
): Promise<Sample> {
  const urls = target.cluster.clients.map(({ url }) => url);
  await untilLevel(target.cluster);
  const before = cpuSeconds(target.pids);
  const measurement = await generate({ urls, connections, requests, seconds });
  // What they have not applied yet is work for these requests, too.
  await untilLevel(target.cluster);
  return { ...measurement, cpuMicros: ((cpuSeconds(target.pids) - before) * 1e6) / measurement.requests };
}

export function rateOf({ requests, seconds }: Sample): number {
  return requests / seconds;
}

/** Their costs grow only with what is asked for, so the connections are many, and one request is under way on each. */
export const CONNECTIONS = 64;
