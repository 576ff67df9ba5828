// What has the author of a write seen, and what not?

import { describe, expect, test } from '@jest/globals';
import { hasSeen, reachOf, seenAfter } from '../../../src/clock/dotted-vector.js';
import { vector } from '../../support/clock-arbitraries.js';

const CONTEXT = { vector: vector({ 'n1.a': 3, 'n2.b': 2 }), dot: undefined, past: vector({ 'n3.c': 4 }) };
const OWN = { actor: 'n1.a', counter: 6 };
const AFTER = { context: vector({ 'n1.a': 6, 'n2.b': 3, 'n5.e': 1 }), past: vector({ 'n3.c': 4, 'n4.d': 1 }) };

describe('the author of a write has seen', () => {
  test('all that lives, when nothing lives but what was read and written', () => {
    expect(seenAfter(CONTEXT, OWN, [OWN], AFTER)).toBeUndefined();
    expect(seenAfter(CONTEXT, OWN, [{ actor: 'n2.b', counter: 2 }, OWN], AFTER)).toBeUndefined();
  });

  test('the own write, and no sibling of another actor', () => {
    const theirs = { actor: 'n2.b', counter: 3 };
    const seen = seenAfter(CONTEXT, OWN, [OWN, theirs], AFTER)!;
    expect(seen).toEqual({ vector: vector({ 'n1.a': 6, 'n2.b': 2 }), dot: undefined, past: CONTEXT.past });
    expect([OWN, theirs].map((dot) => hasSeen(seen, dot))).toEqual([true, false]);
  });

  test('the own write, and no sibling that the same actor made in between', () => {
    const theirs = { actor: 'n1.a', counter: 5 };
    const seen = seenAfter(CONTEXT, OWN, [theirs, OWN], AFTER)!;
    expect(seen).toEqual({ ...CONTEXT, dot: OWN });
    expect([OWN, theirs, { actor: 'n1.a', counter: 7 }].map((dot) => hasSeen(seen, dot))).toEqual([true, false, false]);
    expect(reachOf(seen)).toEqual(vector({ 'n1.a': 6, 'n2.b': 2 }));
  });

  test('of two writes in a row the later one, which has replaced the other', () => {
    const theirs = { actor: 'n1.a', counter: 5 };
    const seen = seenAfter({ ...CONTEXT, dot: OWN }, { actor: 'n1.a', counter: 8 }, [theirs], AFTER)!;
    expect([seen.vector, seen.dot]).toEqual([CONTEXT.vector, { actor: 'n1.a', counter: 8 }]);
    expect(seen.past).toEqual(CONTEXT.past);
  });

  test('a former write that has not come to this replica, until its place is needed', () => {
    const former = { actor: 'n1.a', counter: 8 };
    const own = { actor: 'n2.b', counter: 3 };
    const context = { ...CONTEXT, dot: former };
    expect(seenAfter(context, own, [own], AFTER)).toEqual({ vector: AFTER.context, dot: former, past: AFTER.past });
    const theirs = { actor: 'n4.d', counter: 1 };
    expect(seenAfter(context, own, [own, theirs], AFTER)).toEqual({
      vector: vector({ 'n1.a': 3, 'n2.b': 3 }),
      dot: former,
      past: CONTEXT.past,
    });
    const between = { actor: 'n2.b', counter: 3 };
    const later = { actor: 'n2.b', counter: 4 };
    expect(seenAfter(context, later, [between, later], AFTER)).toEqual({ ...CONTEXT, dot: later });
  });
});
