import { describe, expect, test } from '@jest/globals';
import { inEveryOrder } from './scenario.js';
import { SCENARIOS } from './scenarios.js';

describe('whatever the order of any two deliveries', () => {
  test.each(SCENARIOS)(
    '$title',
    async ({ title: _, ...told }) => {
      expect(await inEveryOrder(told)).toBeGreaterThan(1);
    },
    60_000,
  );
});
