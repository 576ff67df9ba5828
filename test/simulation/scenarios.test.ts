import { describe, expect, test } from '@jest/globals';
import { inEveryOrder } from './scenario.js';
import { SCENARIOS } from './scenarios.js';

describe('whatever the order of any two deliveries', () => {
  test.each(SCENARIOS)(
    '$title',
    async ({ nodes, script }) => {
      expect(await inEveryOrder(nodes, script)).toBeGreaterThan(1);
    },
    60_000,
  );
});
