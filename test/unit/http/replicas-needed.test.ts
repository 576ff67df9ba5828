import { describe, expect, it } from '@jest/globals';
import { parseQuery } from '../../../src/controllers/http/query.js';
import { replicasNeeded } from '../../../src/controllers/kv/replicas-needed.js';

/** For clusters of 1 to 16 members: of any two that are so many, one is in both. */
const MAJORITIES = [1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9];

describe('?w=majority', () => {
  it('is more than half of the members, and no more than that takes', () => {
    const query = parseQuery('/path?w=majority', ['w']);
    expect(MAJORITIES.map((_, place) => replicasNeeded(query, 'w', place + 1))).toEqual(MAJORITIES);
  });
});
