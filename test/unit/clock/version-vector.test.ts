// What do version vectors say in examples small enough to check by hand, and do they say what the papers say?

import { describe, expect, test } from '@jest/globals';
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
} from '../../../src/clock/version-vector.js';
import { dot, shownVector, vector } from '../../support/clock-arbitraries.js';

describe('A version vector', () => {
  test('covers the dots of an actor up to its entry, and no later one', () => {
    const seen = vector({ a: 3 });
    expect([1, 2, 3, 4].filter((counter) => covers(seen, dot('a', counter)))).toEqual([1, 2, 3]);
  });

  test('covers no dot of an actor that it does not name', () => {
    expect(covers(vector({ a: 3 }), dot('b', 1))).toBe(false);
    expect(covers(EMPTY_VECTOR, dot('a', 1))).toBe(false);
  });

  test('takes any name for an actor, also those that every JavaScript object has', () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      expect(counterOf(EMPTY_VECTOR, name)).toBe(0);
      expect(covers(EMPTY_VECTOR, dot(name, 1))).toBe(false);
      expect(covers(advance(EMPTY_VECTOR, dot(name, 2)), dot(name, 2))).toBe(true);
      expect(shownVector(join(new Map([[name, 1]]), vector({ a: 1 })))).toContainEqual([name, 1]);
    }
  });

  test('counts exactly beyond the range of 32 bits', () => {
    const last = Number.MAX_SAFE_INTEGER;
    expect(covers(vector({ a: last - 1 }), dot('a', last))).toBe(false);
    expect(counterOf(join(vector({ a: 2 ** 32 }), vector({ a: 1 })), 'a')).toBe(4294967296);
    expect(countBeyond(vector({ a: last }), vector({ a: last - 7 }))).toBe(7);
  });
});

describe('Joining two version vectors', () => {
  test('takes the greater entry of each actor', () => {
    const joined = join(vector({ a: 1, b: 5 }), vector({ a: 3, b: 2, c: 1 }));
    expect(shownVector(joined)).toEqual([
      ['a', 3],
      ['b', 5],
      ['c', 1],
    ]);
  });

  test('leaves both as they were', () => {
    const [left, right] = [vector({ a: 1 }), vector({ b: 2 })];
    join(left, right);
    expect([shownVector(left), shownVector(right)]).toEqual([[['a', 1]], [['b', 2]]]);
  });
});

describe('The meet of two version vectors', () => {
  test('takes the smaller entry of each actor that both name', () => {
    expect(shownVector(meet(vector({ a: 1, b: 5, c: 2 }), vector({ a: 3, b: 2, d: 1 })))).toEqual([
      ['a', 1],
      ['b', 2],
    ]);
  });

  test('leaves both as they were', () => {
    const [left, right] = [vector({ a: 1, b: 2 }), vector({ b: 1 })];
    meet(left, right);
    expect([shownVector(left), shownVector(right)]).toEqual([
      [
        ['a', 1],
        ['b', 2],
      ],
      [['b', 1]],
    ]);
  });
});

describe('Comparing two version vectors', () => {
  test('one descends from another when no entry of the other is greater', () => {
    expect(descends(vector({ a: 2, b: 1 }), vector({ a: 1 }))).toBe(true);
    expect(descends(vector({ a: 2, b: 1 }), vector({ a: 2, b: 1 }))).toBe(true);
    expect(descends(vector({ a: 1 }), vector({ a: 2 }))).toBe(false);
    expect(descends(vector({ a: 1 }), vector({ b: 1 }))).toBe(false);
  });

  test('concurrent ones descend from neither', () => {
    const [left, right] = [vector({ a: 2, b: 1 }), vector({ a: 1, b: 2 })];
    expect([descends(left, right), descends(right, left)]).toEqual([false, false]);
  });

  test('they are equal when each descends from the other, whatever the order of their entries', () => {
    expect(equalVectors(vector({ a: 1, b: 2 }), vector({ b: 2, a: 1 }))).toBe(true);
  });

  test('they are different when one has more entries, or an entry that is greater or smaller', () => {
    expect(equalVectors(vector({ a: 1 }), vector({ a: 1, b: 1 }))).toBe(false);
    expect(equalVectors(vector({ a: 1, b: 1 }), vector({ a: 1 }))).toBe(false);
    expect(equalVectors(vector({ a: 1 }), vector({ a: 2 }))).toBe(false);
    expect(equalVectors(vector({ a: 2 }), vector({ a: 1 }))).toBe(false);
    expect(equalVectors(vector({ a: 1 }), vector({ b: 1 }))).toBe(false);
  });
});

describe('What one vector has beyond another', () => {
  test('is its entries that reach further, in full', () => {
    expect(shownVector(beyond(vector({ a: 5, b: 2, c: 1 }), vector({ a: 3, b: 2 })))).toEqual([
      ['a', 5],
      ['c', 1],
    ]);
  });

  test('is counted in dots, not in entries', () => {
    expect(countBeyond(vector({ a: 5, b: 2, c: 1 }), vector({ a: 3, b: 4 }))).toBe(3);
  });
});

describe('Advancing to a dot', () => {
  test('raises the entry of its actor', () => {
    expect(shownVector(advance(vector({ a: 1, b: 1 }), dot('a', 4)))).toEqual([
      ['a', 4],
      ['b', 1],
    ]);
  });

  test('never lowers it', () => {
    expect(shownVector(advance(vector({ a: 4 }), dot('a', 2)))).toEqual([['a', 4]]);
  });
});

describe('As the papers define it', () => {
  // "the ith vector entry counts the number Vi of updates to f made at site Si"
  // Parker et al.: Detection of Mutual Inconsistency in Distributed Systems (1983), as quoted by McCaffrey: Papers We
  // Love PDX (2016). Ours counts the updates of a whole node, of any key.
  test('an entry counts the updates made by its actor', () => {
    let seen = EMPTY_VECTOR;
    for (const [actor, counter] of [
      ['S1', 1],
      ['S2', 1],
      ['S1', 2],
      ['S1', 3],
    ] as const) {
      seen = advance(seen, dot(actor, counter));
    }
    expect([counterOf(seen, 'S1'), counterOf(seen, 'S2'), counterOf(seen, 'S3')]).toEqual([3, 1, 0]);
    expect(countBeyond(seen, EMPTY_VECTOR)).toBe(4);
  });

  // "perform simple tests which will diagnose some consistent copies as inconsistent" (what naive methods do)
  // Parker et al. (1983), abstract. The paper's definition of a conflict was not at hand in its own words; in ours: two
  // copies are in conflict exactly when neither vector is at least the other in every entry.
  test('copies with different vectors are consistent when one has seen all that the other has', () => {
    const isConflict = (left: Parameters<typeof descends>[0], right: typeof left) =>
      !descends(left, right) && !descends(right, left);
    expect(isConflict(vector({ a: 2, b: 1 }), vector({ a: 1, b: 1 }))).toBe(false);
    expect(isConflict(vector({ a: 2, b: 1 }), vector({ a: 1, b: 2 }))).toBe(true);
  });

  // "If the counters on the first object's clock are less-than-or-equal to all of the nodes in the second clock, then the
  // first is an ancestor of the second and can be forgotten." DeCandia et al.: Dynamo (SOSP 2007), section 4.4.
  test('a first clock whose counters are all less than or equal is an ancestor of the second', () => {
    expect(descends(vector({ Sx: 2, Sy: 1 }), vector({ Sx: 2 }))).toBe(true);
    expect(descends(vector({ Sx: 2, Sy: 1 }), vector({ Sx: 2, Sz: 1 }))).toBe(false);
  });

  // "If the key is not present in the VV, it returns 0."
  // Gonçalves: ServerWideClocks, src/swc_vv.erl, get/2.
  test('an actor that is not present counts as 0', () => {
    expect(counterOf(vector({ a: 4 }), 'b')).toBe(0);
  });

  // "Merges or joins two VVs, taking the maximum counter if an entry is present in both VVs."
  // Gonçalves: ServerWideClocks, src/swc_vv.erl, join/2.
  test('a join takes the maximum of an entry that is in both', () => {
    expect(shownVector(join(vector({ a: 4, b: 1 }), vector({ a: 2, b: 3 })))).toEqual([
      ['a', 4],
      ['b', 3],
    ]);
  });

  // "Adds an entry {Id, Counter} to the VV, performing the maximum between both counters, if the entry already exists."
  // Gonçalves: ServerWideClocks, src/swc_vv.erl, add/2.
  test('adding an entry takes the maximum of the old counter and the new one', () => {
    expect(counterOf(advance(vector({ a: 4 }), dot('a', 6)), 'a')).toBe(6);
    expect(counterOf(advance(vector({ a: 4 }), dot('a', 2)), 'a')).toBe(4);
    expect(counterOf(advance(vector({ a: 4 }), dot('b', 1)), 'b')).toBe(1);
  });

  // "Thus, if `counter` is 3, we know about events #1, #2 and #3, done by that `id`."
  // Gonçalves: Dotted-Version-Vectors, README.md, "The Origin: Dotted Version Vectors (DVV)".
  test('an entry of 3 knows the events 1, 2 and 3', () => {
    expect([1, 2, 3, 4].map((counter) => covers(vector({ A: 3 }), dot('A', counter)))).toEqual([
      true,
      true,
      true,
      false,
    ]);
  });

  // "this function makes use of the invariant that the node BVV for node Id knows all events generated at Id"
  // Gonçalves: ServerWideClocks, src/swc_node.erl, event/2. Ours needs no bitmap: a node clock has no holes at all.
  test('the next event of a node is one more than its own entry, and its clock then knows it', () => {
    const clock = vector({ n1: 7, n2: 3 });
    const event = dot('n1', counterOf(clock, 'n1') + 1);
    expect(event.counter).toBe(8);
    expect(covers(clock, event)).toBe(false);
    expect(shownVector(advance(clock, event))).toEqual([
      ['n1', 8],
      ['n2', 3],
    ]);
    expect(counterOf(clock, 'n3') + 1).toBe(1);
  });
});
