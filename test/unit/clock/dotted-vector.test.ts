// What has the author of a write seen, and what not?

import { describe, expect, test } from '@jest/globals';
import { hasSeen, reachOf, seenAfter } from '../../../src/clock/dotted-vector.js';
import { vector } from '../../support/clock-arbitraries.js';

const CONTEXT = { vector: vector({ 'n1.a': 3, 'n2.b': 2 }), dot: undefined, past: vector({ 'n3.c': 4 }) };
const OWN = { actor: 'n1.a', counter: 6 };

describe('the author of a write has seen', () => {
  test('all that lives, when nothing lives but what was read and written', () => {
    expect(seenAfter(CONTEXT, OWN, [OWN])).toBeUndefined();
    expect(seenAfter(CONTEXT, OWN, [{ actor: 'n2.b', counter: 2 }, OWN])).toBeUndefined();
  });

  test('the own write, and no sibling of another actor', () => {
    const theirs = { actor: 'n2.b', counter: 3 };
    const seen = seenAfter(CONTEXT, OWN, [OWN, theirs])!;
    expect(seen).toEqual({ vector: vector({ 'n1.a': 6, 'n2.b': 2 }), dot: undefined, past: CONTEXT.past });
    expect([OWN, theirs].map((dot) => hasSeen(seen, dot))).toEqual([true, false]);
  });

  test('the own write, and no sibling that the same actor made in between', () => {
    const theirs = { actor: 'n1.a', counter: 5 };
    const seen = seenAfter(CONTEXT, OWN, [theirs, OWN])!;
    expect(seen).toEqual({ ...CONTEXT, dot: OWN });
    expect([OWN, theirs, { actor: 'n1.a', counter: 7 }].map((dot) => hasSeen(seen, dot))).toEqual([true, false, false]);
    expect(reachOf(seen)).toEqual(vector({ 'n1.a': 6, 'n2.b': 2 }));
  });

  test('of two writes in a row the later one, which has replaced the other', () => {
    const theirs = { actor: 'n1.a', counter: 5 };
    const seen = seenAfter({ ...CONTEXT, dot: OWN }, { actor: 'n1.a', counter: 8 }, [theirs])!;
    expect([seen.vector, seen.dot]).toEqual([CONTEXT.vector, { actor: 'n1.a', counter: 8 }]);
    // Where the later one has come and the other has not, its readers must be shown that, too.
    expect(seen.past).toEqual(vector({ 'n1.a': 6, 'n3.c': 4 }));
  });
});
