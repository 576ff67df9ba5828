// How are many servers measured fairly on one machine? In turn, over and over, so that each meets the machine's good and
// bad moments, while all the others stand still; what counts are medians, and ratios of measurements that lie next to each
// other.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { withProgress } from './recovery/progress.js';
import { RefusedError, type Measurement } from './load.js';
import { cpuSeconds, resume, suspend } from './processes.js';
import type { Row } from './rows.js';
import type { Target } from './targets/target.js';

/** A server that takes less than a tenth of a core has done what it has left for later. */
const QUIET = { lookMs: 250, cpuSecondsMax: 0.025, waitMsMax: 20_000 };

/** What a server is asked for before it is measured, after it stood still. */
const WAKE_SECONDS = 1;

export interface Sample extends Measurement {
  /** Of all servers of the target, with what they have left for later. */
  readonly cpuSeconds: number;
}

/** All measurements of one target for one row, in the order of the repeats. */
export interface Cell {
  readonly row: Row;
  readonly target: Target;
  readonly samples: readonly Sample[];
}

export async function measureAll(
  targets: readonly Target[],
  rows: readonly Row[],
  { repeats, seconds }: { readonly repeats: number; readonly seconds: number },
): Promise<readonly Cell[]> {
  const cells = rows.flatMap((row) =>
    targets
      .filter((target) => target.rows.includes(row.id))
      .map((target) => ({ row, target, samples: [] as Sample[] })),
  );
  const pids = targets.flatMap((target) => target.pids);
  try {
    // What the others do of themselves, and what they have left to do, would be in the way of the one that is measured.
    suspend(pids);
    await withProgress('Measuring', cells.length * (1 + repeats), async (progress) => {
      let done = 0;
      for (let round = 0; round <= repeats; round++) {
        for (const { row, target, samples } of cells) {
          resume(target.pids);
          await wake(target, row);
          // Whoever compiles while it runs does so in the first round, however many share the core.
          const isWarmUp = round === 0;
          const sample = await measureOne(target, row, isWarmUp ? seconds * target.replicas : seconds);
          suspend(target.pids);
          if (!isWarmUp) samples.push(sample);
          progress(++done);
        }
      }
    });
  } finally {
    resume(pids);
  }
  return cells;
}

/** Until servers that were suspended have found each other again, and the processor's caches hold what is theirs. */
async function wake(target: Target, row: Row): Promise<void> {
  await target.measure(row.id, WAKE_SECONDS).catch((error: unknown) => {
    if (!(error instanceof RefusedError)) throw error;
  });
  await untilQuiet(target);
}

export async function measureOne(target: Target, row: Row, seconds: number): Promise<Sample> {
  const before = cpuSeconds(target.pids);
  const measurement = await target.measure(row.id, seconds).catch((error: unknown) => {
    throw new Error(`${target.title}, ${row.title}`, { cause: error });
  });
  await untilQuiet(target);
  return { ...measurement, cpuSeconds: cpuSeconds(target.pids) - before };
}

/** Merging, and a disk that still writes, would be paid for by the next server. */
export async function untilQuiet({ pids }: Pick<Target, 'pids'>): Promise<void> {
  for (let waitedMs = 0; waitedMs < QUIET.waitMsMax; waitedMs += QUIET.lookMs) {
    const before = cpuSeconds(pids);
    await new Promise((resolve) => setTimeout(resolve, QUIET.lookMs));
    if (cpuSeconds(pids) - before < QUIET.cpuSecondsMax) break;
  }
  await promisify(execFile)('sync');
}

export function rateOf({ requests, seconds }: Sample): number {
  return requests / seconds;
}

export function cpuMicrosOf({ cpuSeconds: cpu, requests }: Sample): number {
  return (cpu * 1e6) / requests;
}

export function medianOf(samples: readonly Sample[], of: (sample: Sample) => number): number {
  return median(samples.map(of));
}

/** Of ratios of one repeat each. */
export function medianRatio(above: Cell, below: Cell, of: (sample: Sample) => number): number {
  return median(above.samples.map((sample, repeat) => of(sample) / of(below.samples[repeat]!)));
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)]!;
}
