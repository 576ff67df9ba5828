import { describe, expect, test } from '@jest/globals';
import { inEveryOrder } from './scenario.js';
import { SCENARIOS } from './scenarios.js';

/** `npm run test:orders` tries all of them: a minute. */
const EVERY_ORDER = process.env['EVERY_ORDER'] === 'true';

describe('whatever the order of any two deliveries', () => {
  test.each(SCENARIOS)(
    '$title',
    async ({ title: _, ...told }) => {
      expect(await inEveryOrder(told, EVERY_ORDER ? 1 : 24)).toBeGreaterThan(1);
    },
    60_000,
  );
});
