// What kind of cluster, and what kind of trouble? Each seed draws its own mixture, so that some runs have only one kind
// of fault at a high rate: faults that are always mixed hide what each of them alone would show.

import type { NetworkConditions } from './network.js';
import { Prng } from './prng.js';

export interface SimulationOptions {
  readonly seed: number;
  /** Events before the faults end. */
  readonly steps: number;
  readonly nodes: number;
  readonly keys: number;
  readonly clients: number;
  /** Mean time between two operations of clients. */
  readonly operationEveryMs: number;
  readonly deletes: number;
  /** How many writes carry the context of an earlier read. */
  readonly contexts: number;
  /** Mean time between two faults. */
  readonly faultEveryMs: number;
  readonly cuts: boolean;
  readonly crashes: boolean;
  readonly diskFailures: boolean;
  readonly wipes: boolean;
  readonly clockJumps: boolean;
  readonly clockSkewMs: number;
  readonly commitMaxMs: number;
  readonly scanPauses: number;
  /** Bytes that values are padded to. */
  readonly valueBytesMax: number;
  /** Whether messages pass through their wire format. */
  readonly isOnWire: boolean;
  /** Some nodes never come back. */
  readonly deadForEver: boolean;
  /** When they begin to die, one after the other. */
  readonly doomedAtStep: number;
  /** Whether the converged cluster is watched for a while. */
  readonly isWatchedIdle: boolean;
  readonly network: NetworkConditions;
}

export const STEPS_DEFAULT = 600;

const HOUR_MS = 3_600_000;

export function optionsOf(seed: number, steps = STEPS_DEFAULT): SimulationOptions {
  const prng = new Prng(seed);
  const isBulky = prng.chance(0.02);
  const delayMaxMs = prng.pick([2, 10, 60, 400]);
  return {
    seed,
    steps,
    nodes: prng.pick([1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 5, 7]),
    keys: isBulky ? 12 : prng.between(1, 6),
    clients: prng.between(1, 4),
    operationEveryMs: prng.pick([3, 15, 60, 200]),
    deletes: prng.pick([0, 0.15, 0.4]),
    contexts: prng.pick([0, 0.3, 0.6, 0.95]),
    faultEveryMs: prng.pick([100, 300, 1000, 3000]),
    cuts: prng.chance(0.7),
    crashes: prng.chance(0.7),
    diskFailures: prng.chance(0.2),
    wipes: prng.chance(0.15),
    clockJumps: prng.chance(0.3),
    clockSkewMs: prng.pick([0, 50, 10_000, 5 * HOUR_MS]),
    commitMaxMs: prng.pick([1, 5, 30, 200]),
    scanPauses: prng.pick([0, 0, 0.2, 0.7]),
    valueBytesMax: isBulky ? 120_000 : 0,
    isOnWire: prng.chance(0.25),
    deadForEver: prng.chance(0.3),
    doomedAtStep: Math.floor(steps * 0.7),
    isWatchedIdle: prng.chance(0.2),
    network: {
      loss: prng.pick([0, 0, 0.05, 0.3]),
      duplication: prng.pick([0, 0.1, 0.5]),
      delayMinMs: 1,
      delayMaxMs,
      straggling: prng.pick([0, 0, 0.02, 0.1]),
      straggleMaxMs: 5000,
      compareTimeoutMs: prng.pick([300, 2000]) + 2 * delayMaxMs,
      timeoutMs: prng.pick([300, 2000, 30_000]) + 2 * delayMaxMs,
    },
  };
}
