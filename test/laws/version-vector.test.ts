// The laws of version vectors.
//
// A vector names a set of dots, so every law is also checked against that set, listed dot by dot: the vector operations
// must do to vectors what union, inclusion and difference do to sets.

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  advance,
  beyond,
  countBeyond,
  counterOf,
  covers,
  descends,
  EMPTY_VECTOR,
  equalVectors,
  join,
  meet,
  type VersionVector,
} from '../../src/clock/version-vector.js';
import { ACTORS, anyDot, anyVector, COUNTER_MAX, dot, shownVector } from '../support/clock-arbitraries.js';

const ALL_DOTS = ACTORS.flatMap((actor) => Array.from({ length: COUNTER_MAX }, (_, i) => dot(actor, i + 1)));

/** The dots that a vector names, without help from the code under test. */
function dotsOf(vector: VersionVector): Set<string> {
  return new Set([...vector].flatMap(([actor, last]) => Array.from({ length: last }, (_, i) => `${actor}:${i + 1}`)));
}

function union(left: Set<string>, right: Set<string>): Set<string> {
  return new Set([...left, ...right]);
}

function intersection(left: Set<string>, right: Set<string>): Set<string> {
  return new Set([...left].filter((name) => right.has(name)));
}

function includesAll(left: Set<string>, right: Set<string>): boolean {
  return [...right].every((name) => left.has(name));
}

describe('The join of two version vectors', () => {
  test('covers exactly the dots that one of them covers', () => {
    fc.assert(
      fc.property(anyVector, anyVector, (left, right) => {
        expect(dotsOf(join(left, right))).toEqual(union(dotsOf(left), dotsOf(right)));
      }),
    );
  });

  test('does not depend on which comes first', () => {
    fc.assert(
      fc.property(anyVector, anyVector, (left, right) => {
        expect(shownVector(join(left, right))).toEqual(shownVector(join(right, left)));
      }),
    );
  });

  test('does not depend on how several are grouped', () => {
    fc.assert(
      fc.property(anyVector, anyVector, anyVector, (a, b, c) => {
        expect(shownVector(join(join(a, b), c))).toEqual(shownVector(join(a, join(b, c))));
      }),
    );
  });

  test('of a vector with itself, or with the empty one, is that vector', () => {
    fc.assert(
      fc.property(anyVector, (only) => {
        expect(shownVector(join(only, new Map(only)))).toEqual(shownVector(only));
        expect(shownVector(join(only, EMPTY_VECTOR))).toEqual(shownVector(only));
        expect(shownVector(join(EMPTY_VECTOR, only))).toEqual(shownVector(only));
      }),
    );
  });

  test('is the least of all vectors that descend from both', () => {
    fc.assert(
      fc.property(anyVector, anyVector, anyVector, (left, right, extra) => {
        const joined = join(left, right);
        expect(descends(joined, left)).toBe(true);
        expect(descends(joined, right)).toBe(true);
        // The arbitrary vector seldom descends from both, so one that does is made from it as well.
        for (const upper of [extra, join(extra, join(left, right))]) {
          if (descends(upper, left) && descends(upper, right)) expect(descends(upper, joined)).toBe(true);
        }
      }),
    );
  });

  test('grows when one of its sides grows', () => {
    fc.assert(
      fc.property(anyVector, anyVector, anyVector, (lower, growth, other) => {
        expect(descends(join(join(lower, growth), other), join(lower, other))).toBe(true);
      }),
    );
  });
});

describe('The meet of two version vectors', () => {
  test('covers exactly the dots that both of them cover', () => {
    fc.assert(
      fc.property(anyVector, anyVector, (left, right) => {
        expect(dotsOf(meet(left, right))).toEqual(intersection(dotsOf(left), dotsOf(right)));
      }),
    );
  });

  test('does not depend on which comes first, nor on how several are grouped', () => {
    fc.assert(
      fc.property(anyVector, anyVector, anyVector, (a, b, c) => {
        expect(shownVector(meet(a, b))).toEqual(shownVector(meet(b, a)));
        expect(shownVector(meet(meet(a, b), c))).toEqual(shownVector(meet(a, meet(b, c))));
      }),
    );
  });

  test('of a vector with itself is that vector, and with the empty one it is empty', () => {
    fc.assert(
      fc.property(anyVector, (only) => {
        expect(shownVector(meet(only, new Map(only)))).toEqual(shownVector(only));
        expect(meet(only, EMPTY_VECTOR)).toEqual(EMPTY_VECTOR);
        expect(meet(EMPTY_VECTOR, only)).toEqual(EMPTY_VECTOR);
      }),
    );
  });

  test('is the greatest of all vectors that both descend from', () => {
    fc.assert(
      fc.property(anyVector, anyVector, anyVector, (left, right, extra) => {
        const common = meet(left, right);
        expect(descends(left, common)).toBe(true);
        expect(descends(right, common)).toBe(true);
        // Few random vectors are below both, so one that is is made from it as well.
        for (const lower of [extra, meet(extra, meet(left, right))]) {
          if (descends(left, lower) && descends(right, lower)) expect(descends(common, lower)).toBe(true);
        }
      }),
    );
  });

  test('has no entry that counts nothing', () => {
    fc.assert(
      fc.property(anyVector, anyVector, (left, right) => {
        expect([...meet(left, right).values()]).not.toContain(0);
      }),
    );
  });

  test('and the join absorb each other, and each goes into the other part by part', () => {
    fc.assert(
      fc.property(anyVector, anyVector, anyVector, (a, b, c) => {
        expect(shownVector(join(a, meet(a, b)))).toEqual(shownVector(a));
        expect(shownVector(meet(a, join(a, b)))).toEqual(shownVector(a));
        expect(shownVector(meet(a, join(b, c)))).toEqual(shownVector(join(meet(a, b), meet(a, c))));
        expect(shownVector(join(a, meet(b, c)))).toEqual(shownVector(meet(join(a, b), join(a, c))));
      }),
    );
  });
});

describe('Covering and descending', () => {
  test('a vector covers a dot exactly when the dot is in the set that it names', () => {
    fc.assert(
      fc.property(anyVector, (seen) => {
        const named = dotsOf(seen);
        for (const each of ALL_DOTS) expect(covers(seen, each)).toBe(named.has(`${each.actor}:${each.counter}`));
      }),
    );
  });

  test('a vector that covers a dot covers all earlier dots of its actor', () => {
    fc.assert(
      fc.property(anyVector, anyDot, (seen, late) => {
        fc.pre(covers(seen, late));
        for (let n = 1; n <= late.counter; n++) expect(covers(seen, dot(late.actor, n))).toBe(true);
      }),
    );
  });

  test('one vector descends from another exactly when it covers every dot that the other covers', () => {
    fc.assert(
      fc.property(anyVector, anyVector, (left, right) => {
        expect(descends(left, right)).toBe(includesAll(dotsOf(left), dotsOf(right)));
        const coversAll = ALL_DOTS.every((each) => covers(left, each) || !covers(right, each));
        expect(descends(left, right)).toBe(coversAll);
      }),
    );
  });

  test('descent is a partial order whose equality is equality of vectors', () => {
    fc.assert(
      fc.property(anyVector, anyVector, anyVector, (a, b, c) => {
        expect(descends(a, new Map(a))).toBe(true);
        expect(equalVectors(a, b)).toBe(descends(a, b) && descends(b, a));
        // A chain is built from the three, because three random vectors are seldom in order.
        const middle = join(a, b);
        const top = join(middle, c);
        expect(descends(top, middle) && descends(middle, a) && descends(top, a)).toBe(true);
        if (descends(a, b) && descends(b, c)) expect(descends(a, c)).toBe(true);
      }),
    );
  });

  test('two vectors are equal exactly when they name the same set of dots', () => {
    fc.assert(
      fc.property(anyVector, anyVector, (left, right) => {
        const copy = new Map([...left].reverse());
        expect(equalVectors(left, copy)).toBe(true);
        const sameSets = includesAll(dotsOf(left), dotsOf(right)) && includesAll(dotsOf(right), dotsOf(left));
        expect(equalVectors(left, right)).toBe(sameSets);
      }),
    );
  });
});

describe('What a vector has beyond another', () => {
  test('is what the join with that other needs to lose nothing', () => {
    fc.assert(
      fc.property(anyVector, anyVector, (seen, base) => {
        expect(shownVector(join(beyond(seen, base), base))).toEqual(shownVector(join(seen, base)));
      }),
    );
  });

  test('can be joined again with any vector that descends from the base', () => {
    fc.assert(
      fc.property(anyVector, anyVector, anyVector, (seen, base, later) => {
        const grown = join(base, later);
        expect(shownVector(join(beyond(seen, base), grown))).toEqual(shownVector(join(seen, grown)));
      }),
    );
  });

  test('is the entries that reach further, unchanged, and no others', () => {
    fc.assert(
      fc.property(anyVector, anyVector, (seen, base) => {
        const further = [...seen].filter(([actor, counter]) => counter > (base.get(actor) ?? 0));
        expect(shownVector(beyond(seen, base))).toEqual(shownVector(new Map(further)));
      }),
    );
  });

  test('is nothing exactly when the other descends from it', () => {
    fc.assert(
      fc.property(anyVector, anyVector, (seen, base) => {
        expect(beyond(seen, base).size === 0).toBe(descends(base, seen));
        expect(beyond(seen, join(seen, base)).size).toBe(0);
      }),
    );
  });

  test('counts as many dots as the difference of the two sets', () => {
    fc.assert(
      fc.property(anyVector, anyVector, (seen, base) => {
        const known = dotsOf(base);
        const missing = [...dotsOf(seen)].filter((name) => !known.has(name));
        expect(countBeyond(seen, base)).toBe(missing.length);
      }),
    );
  });
});

describe('Advancing a vector to a dot', () => {
  test('covers the dot, raises one entry at most, and lowers none', () => {
    fc.assert(
      fc.property(anyVector, anyDot, (seen, reached) => {
        const advanced = advance(seen, reached);
        expect(covers(advanced, reached)).toBe(true);
        expect(counterOf(advanced, reached.actor)).toBe(Math.max(counterOf(seen, reached.actor), reached.counter));
        for (const actor of ACTORS) {
          if (actor !== reached.actor) expect(counterOf(advanced, actor)).toBe(counterOf(seen, actor));
        }
      }),
    );
  });

  test('is the join with the vector that ends at that dot', () => {
    fc.assert(
      fc.property(anyVector, anyDot, (seen, reached) => {
        const end = new Map([[reached.actor, reached.counter]]);
        expect(shownVector(advance(seen, reached))).toEqual(shownVector(join(seen, end)));
      }),
    );
  });
});

describe('Vectors are values', () => {
  test('no operation changes its arguments, and no result holds an entry of zero', () => {
    fc.assert(
      fc.property(anyVector, anyVector, anyDot, (left, right, reached) => {
        const before = [shownVector(left), shownVector(right)];
        const results = [join(left, right), advance(left, reached), beyond(left, right)];
        countBeyond(left, right);
        expect([shownVector(left), shownVector(right)]).toEqual(before);
        expect(EMPTY_VECTOR.size).toBe(0);
        for (const result of results) for (const counter of result.values()) expect(counter).toBeGreaterThan(0);
      }),
    );
  });
});
