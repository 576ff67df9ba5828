// Do the promises hold when faults of all kinds come at random moments, several at a time? Short runs of a few seeds;
// `npm run faults` does the same for as long as one likes.

import { expect, test } from '@jest/globals';
import { describeFindings } from '../faults/report.js';
import { FAULT_KINDS, torture } from '../faults/torture.js';

const SECONDS = 4;

/** What a damaged file shows depends on which file and which byte it is: `kinds.test.ts` damages one in a fixed place. */
const KINDS = FAULT_KINDS.filter((kind) => kind !== 'torn file');

test.each([1, 2])(
  `Four replicas keep their promises through ${SECONDS} seconds of random faults of seed %i`,
  async (seed) => {
    const outcome = await torture({ seed, seconds: SECONDS, kinds: KINDS });
    const report = outcome.findings.length === 0 ? '' : `seed ${seed}: ${describeFindings(outcome)}`;
    expect(report).toBe('');
    expect(outcome.faults.size).toBeGreaterThan(0);
  },
  120_000,
);
