// How is a failure told? By its seed, which brings it back; by the shortest beginning of the run that still fails; and by
// the last events before it showed.

import { optionsOf, type SimulationOptions } from './options.js';
import { simulate, type Outcome } from './simulation.js';

export const REPLAY = 'npm run simulate -- --seed';

/** The outcome of the fewest steps that still fail: those of a run are a beginning of those of every longer one. */
export async function shortestFailure(outcome: Outcome): Promise<Outcome> {
  const { options, failure } = outcome;
  if (failure === undefined) return outcome;
  // What breaks under faults breaks at the same step however long the run was meant to be.
  if (failure.phase === 'safety') return simulate({ ...options, steps: failure.step }, true);
  let passes = 0;
  let fails = options.steps;
  while (fails - passes > 1) {
    const steps = Math.floor((passes + fails) / 2);
    if ((await simulate({ ...options, steps })).failure === undefined) passes = steps;
    else fails = steps;
  }
  return simulate({ ...options, steps: fails }, true);
}

export function describeFailure({ options, failure, hash }: Outcome): string {
  if (failure === undefined) return `seed ${options.seed}: ${options.steps} steps passed (trace ${hash})`;
  return [
    `seed ${options.seed} breaks "${failure.invariant}" at step ${failure.step} (${failure.phase} phase, trace ${hash})`,
    '',
    `  ${failure.error.message}`,
    '',
    `  The last events:`,
    ...failure.lastEvents.map((line) => `  ${line}`),
    '',
    `  Options: ${describeOptions(options)}`,
    `  Again:   ${REPLAY} ${options.seed} --steps ${options.stepsDrawnFor}${options.hasAll ? ' --all' : ''}`,
    ...(failure.invariant === 'no error' ? ['', failure.error.stack ?? ''] : []),
  ].join('\n');
}

/** Runs a seed; undefined when it passes, else the readable report of its shortest failure. */
export async function failureOf(seed: number, steps: number, hasAll = false): Promise<string | undefined> {
  const outcome = await simulate(optionsOf(seed, steps, hasAll));
  return outcome.failure && describeFailure(await shortestFailure(outcome));
}

function describeOptions({ network, limits, ...options }: SimulationOptions): string {
  return Object.entries({ ...options, ...limits, ...network })
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(' ');
}
