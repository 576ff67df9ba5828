// What does a client hear when the engine refuses its write?

import { describe, expect, it } from '@jest/globals';
import { SIBLINGS_MAX } from '../../../src/clock/key-limits.js';
import { refusalOf } from '../../../src/controllers/http/accepted.js';
import { version } from '../../support/clock-arbitraries.js';

describe('a write to a key with too many siblings', () => {
  const refused = (count: number) =>
    refusalOf({
      kind: 'too-many-siblings',
      live: Array.from({ length: count }, (_, i) => version('n1.a', i + 1)),
    });

  it('is told how many live, and what replaces them', () => {
    expect(refused(SIBLINGS_MAX)).toMatchObject({
      code: 'TOO_MANY_SIBLINGS',
      message: '64 siblings live: read the key, and write with that context to replace them all',
    });
  });

  it('is told that those whose lifetime has ended count too, when those that live are not too many', () => {
    for (const count of [0, 3]) {
      expect(refused(count).message).toBe(
        `${count} siblings live, and any past their lifetime count until they are dropped: ` +
          'read the key, and write with that context to replace them all',
      );
    }
  });
});
