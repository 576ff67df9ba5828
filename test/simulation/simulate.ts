// The simulator's command line.
//
//     npm run simulate -- --seed 42              one seed, with its last events when it fails
//     npm run simulate -- --seeds 10000          seeds 1 to 10000, on all cores
//         --from 5000 --steps 2000 --workers 2 --json
//
// Ends with status 1 when a seed fails.

import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { SingleBar } from 'cli-progress';
import { optionsOf, STEPS_DEFAULT } from './options.js';
import { describeFailure, failureOf, shortestFailure } from './report.js';
import { simulate } from './simulation.js';
import type { SeedResult, WorkerOrder } from './worker.js';

/** Failing seeds told in full; the others are told by their number. */
const REPORTS_MAX = 3;

interface Totals {
  seeds: number;
  steps: number;
  writes: number;
  readonly counts: Map<string, number>;
  readonly failures: SeedResult[];
}

export async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' },
      seeds: { type: 'string', default: '200' },
      from: { type: 'string', default: '1' },
      steps: { type: 'string', default: String(STEPS_DEFAULT) },
      /** Whatever clients can do is done in every run: types, lifetimes, batches, quorums, sessions, readers. */
      all: { type: 'boolean', default: false },
      workers: { type: 'string', default: String(availableParallelism()) },
      /** Ends at the first failing seed and prints one line for a program to read. */
      json: { type: 'boolean', default: false },
    },
  });
  const steps = Number(values.steps);
  if (values.seed !== undefined) {
    process.exitCode = (await runOne(Number(values.seed), steps, values.all)) ? 0 : 1;
    return;
  }
  const { all: hasAll, json: isFirstFailureEnough } = values;
  const order = { from: Number(values.from), seeds: Number(values.seeds), steps, hasAll, isFirstFailureEnough };
  process.exitCode = (await runMany(order, Number(values.workers), values.json)) ? 0 : 1;
}

async function runOne(seed: number, steps: number, hasAll: boolean): Promise<boolean> {
  const outcome = await simulate(optionsOf(seed, steps, hasAll));
  console.log(describeFailure(await shortestFailure(outcome)));
  return outcome.failure === undefined;
}

async function runMany(whole: Omit<WorkerOrder, 'stride'>, workers: number, isJson: boolean): Promise<boolean> {
  const bar = isJson
    ? undefined
    : new SingleBar({ format: '{bar} {value}/{total} seeds, {failed} failed, {eta_formatted} left' });
  const totals: Totals = { seeds: 0, steps: 0, writes: 0, counts: new Map(), failures: [] };
  const startedAt = performance.now();
  bar?.start(whole.seeds, 0, { failed: 0 });
  const children = Array.from({ length: Math.min(workers, whole.seeds) }, (_, i) =>
    runWorker(
      { ...whole, from: whole.from + i, stride: workers, seeds: Math.ceil((whole.seeds - i) / workers) },
      (result) => {
        totals.seeds++;
        totals.steps += result.steps;
        totals.writes += result.writes;
        for (const [kind, n] of Object.entries(result.counts))
          totals.counts.set(kind, (totals.counts.get(kind) ?? 0) + n);
        if (result.invariant !== undefined) totals.failures.push(result);
        bar?.update(totals.seeds, { failed: totals.failures.length });
      },
    ),
  );
  await Promise.all(children);
  bar?.stop();
  const isWhole = totals.seeds === whole.seeds || (whole.isFirstFailureEnough && totals.failures.length > 0);
  if (!isWhole) throw new Error(`only ${totals.seeds} of ${whole.seeds} seeds came to an end`);
  const seconds = (performance.now() - startedAt) / 1000;
  totals.failures.sort((left, right) => left.seed - right.seed);
  if (isJson) console.log(JSON.stringify({ ...totals, seconds }));
  else await tell(totals, seconds, whole);
  return totals.failures.length === 0;
}

function runWorker(order: WorkerOrder, heard: (result: SeedResult) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL('./worker.js', import.meta.url)), { execArgv: ['--enable-source-maps'] });
    child.on('message', (message) => heard(message as SeedResult));
    child.on('error', reject);
    child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`a worker ended with ${code}`))));
    child.send(order);
  });
}

async function tell(
  { seeds, steps, writes, counts, failures }: Totals,
  seconds: number,
  { steps: stepsEach, hasAll }: Pick<WorkerOrder, 'steps' | 'hasAll'>,
): Promise<void> {
  for (const { seed } of failures.slice(0, REPORTS_MAX)) console.log(`\n${await failureOf(seed, stepsEach, hasAll)}`);
  if (failures.length > 0) console.log(`\nfailing seeds: ${failures.map(({ seed }) => seed).join(' ')}`);
  console.log(
    `what happened: ${[...counts]
      .sort()
      .map(([kind, n]) => `${kind} ${n}`)
      .join(', ')}`,
  );
  const rate = `${Math.round(steps / seconds)} steps/s`;
  console.log(
    `${seeds} seeds, ${steps} steps, ${writes} writes in ${seconds.toFixed(1)} s (${rate}); ${failures.length} failed`,
  );
}
