// One process of a run over many seeds: it takes an order, and tells each seed's result.

import { optionsOf } from './options.js';
import { simulate } from './simulation.js';

export interface WorkerOrder {
  readonly from: number;
  /** From one seed to the next. */
  readonly stride: number;
  readonly seeds: number;
  readonly steps: number;
  readonly hasAll: boolean;
  readonly isFirstFailureEnough: boolean;
}

export interface SeedResult {
  readonly seed: number;
  readonly steps: number;
  readonly writes: number;
  readonly counts: Readonly<Record<string, number>>;
  /** The one that broke; undefined when none did. */
  readonly invariant: string | undefined;
  readonly message: string | undefined;
}

process.once('message', (order: WorkerOrder) => {
  void work(order).finally(() => process.disconnect());
});

// A promise that production code leaves behind, rejected and unheard, would end its process: it fails the seed.
let unheard: unknown;
process.on('unhandledRejection', (error) => {
  unheard ??= error;
});

async function work({ from, stride, seeds, steps, hasAll, isFirstFailureEnough }: WorkerOrder): Promise<void> {
  for (let i = 0; i < seeds; i++) {
    const seed = from + i * stride;
    const outcome = await simulate(optionsOf(seed, steps, hasAll));
    await new Promise((resolve) => setImmediate(resolve));
    const { failure } = outcome;
    const result: SeedResult = {
      seed,
      steps: outcome.steps,
      writes: outcome.writes,
      counts: outcome.counts,
      invariant: failure?.invariant ?? (unheard === undefined ? undefined : 'unhandled rejection'),
      message: failure?.error.message ?? (unheard === undefined ? undefined : String(unheard)),
    };
    unheard = undefined;
    process.send!(result);
    if (isFirstFailureEnough && result.invariant !== undefined) return;
  }
}
