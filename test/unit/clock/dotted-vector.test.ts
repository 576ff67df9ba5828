// What has the author of a write seen, and what not?

import { describe, expect, test } from '@jest/globals';
import { hasSeen, reachOf, seenAfter } from '../../../src/clock/dotted-vector.js';
import { vector } from '../../support/clock-arbitraries.js';

const CONTEXT = { vector: vector({ 'n1.a': 3, 'n2.b': 2 }), dot: undefined };
const OWN = { actor: 'n1.a', counter: 6 };

describe('the author of a write has seen', () => {
  test('all that lives, when nothing lives but what was read and written', () => {
    expect(seenAfter(CONTEXT, OWN, [OWN])).toBeUndefined();
    expect(seenAfter(CONTEXT, OWN, [{ actor: 'n2.b', counter: 2 }, OWN])).toBeUndefined();
  });

  test('the own write, and no sibling of another actor', () => {
    const theirs = { actor: 'n2.b', counter: 3 };
    const seen = seenAfter(CONTEXT, OWN, [OWN, theirs])!;
    expect(seen).toEqual({ vector: vector({ 'n1.a': 6, 'n2.b': 2 }), dot: undefined });
    expect([OWN, theirs].map((dot) => hasSeen(seen, dot))).toEqual([true, false]);
  });

  test('the own write, and no sibling that the same actor made in between', () => {
    const theirs = { actor: 'n1.a', counter: 5 };
    const seen = seenAfter(CONTEXT, OWN, [theirs, OWN])!;
    expect(seen).toEqual({ vector: CONTEXT.vector, dot: OWN });
    expect([OWN, theirs, { actor: 'n1.a', counter: 7 }].map((dot) => hasSeen(seen, dot))).toEqual([true, false, false]);
    expect(reachOf(seen)).toEqual(vector({ 'n1.a': 6, 'n2.b': 2 }));
  });

  test('of two writes in a row the later one, which has replaced the other', () => {
    const theirs = { actor: 'n1.a', counter: 5 };
    const seen = seenAfter({ vector: CONTEXT.vector, dot: OWN }, { actor: 'n1.a', counter: 8 }, [theirs])!;
    expect(seen).toEqual({ vector: CONTEXT.vector, dot: { actor: 'n1.a', counter: 8 } });
  });
});
