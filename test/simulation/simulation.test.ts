import { describe, expect, test } from '@jest/globals';
import { optionsOf } from './options.js';
import { failureOf } from './report.js';
import { simulate } from './simulation.js';

const SEEDS = 20;
const SEEDS_PER_TEST = 10;
const STEPS = 600;

describe('a cluster under faults shows what the oracle says, and then comes to one state', () => {
  test.each(Array.from({ length: SEEDS / SEEDS_PER_TEST }, (_, i) => 1 + i * SEEDS_PER_TEST))(
    `seed %i and the ${SEEDS_PER_TEST - 1} after it`,
    async (first) => {
      const failures: string[] = [];
      for (let seed = first; seed < first + SEEDS_PER_TEST; seed++) {
        const failure = await failureOf(seed, STEPS);
        if (failure !== undefined) failures.push(failure);
      }
      expect(failures.join('\n\n')).toBe('');
    },
    60_000,
  );
});

describe('a run is a matter of its seed alone', () => {
  test('the same seed gives the same events, watched or not', async () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const [first, second] = [await simulate(optionsOf(seed, STEPS)), await simulate(optionsOf(seed, STEPS), true)];
      expect({ hash: second.hash, steps: second.steps }).toEqual({ hash: first.hash, steps: first.steps });
    }
  });

  test('other seeds give other events', async () => {
    const hashes = new Set<string>();
    for (let seed = 1; seed <= 10; seed++) hashes.add((await simulate(optionsOf(seed, 100))).hash);
    expect(hashes.size).toBe(10);
  });
});
