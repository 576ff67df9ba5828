// What does a client hear when the engine refuses its write?

import { describe, expect, it } from '@jest/globals';
import { SIBLING_BYTES_MAX, SIBLINGS_MAX } from '../../../src/clock/key-limits.js';
import { refusalOf } from '../../../src/controllers/http/accepted.js';
import { version } from '../../support/clock-arbitraries.js';

describe('a write to a key with too many siblings', () => {
  const refused = (count: number, value: string) =>
    refusalOf({
      kind: 'too-many-siblings',
      live: Array.from({ length: count }, (_, i) => version('n1.a', i + 1, value)),
    });

  // Too many; too large; beyond both after a merge; few, but others are past their lifetime.
  it.each([
    [SIBLINGS_MAX, 'x', 64],
    [8, 'x'.repeat(SIBLING_BYTES_MAX / 8), 8_388_608],
    [128, 'x'.repeat(SIBLING_BYTES_MAX / 64), 16_777_216],
    [3, 'x', 3],
    [0, '', 0],
  ])(
    'is told how many live, how large they are, what the limits are, and what replaces them: %i',
    (count, value, bytes) => {
      expect(refused(count, value)).toMatchObject({
        code: 'TOO_MANY_SIBLINGS',
        message:
          `${count} siblings of ${bytes} bytes together live, and any past their lifetime count until they are dropped; ` +
          'beyond 64, or 8388608 bytes, no write adds to them, or to those that this replica has written: ' +
          'read the key, and write with that context to replace them all',
        headers: { 'Quartet-Siblings': String(count) },
      });
    },
  );
});
