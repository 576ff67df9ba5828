// The laws of claims: what is known of ranges of keys.
//
// Claims stand for a function from keys to version vectors, so every operation is checked against that function, value by
// value. It is looked at in every key of a list that boundaries are drawn from, and in the next key after each of them:
// two claims that agree there agree everywhere.

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  claimedByAll,
  claimedByAny,
  claimOf,
  compareKeys,
  isWithin,
  NO_CLAIMS,
  raise,
  settle,
  type Claim,
  type Claims,
  type KeySpan,
} from '../../src/clock/claims.js';
import { EMPTY_VECTOR, type VersionVector } from '../../src/clock/version-vector.js';
import { anyVector, shownVector, vector } from '../support/clock-arbitraries.js';

/** Each is the beginning of others, or differs in order between UTF-8 and UTF-16, or lies at the edge of a length. */
const KEYS: readonly string[] = [
  ...['', '\0', '\0\0', 'a', 'a\0', 'aa', 'a\uffff', 'a\u{1f600}', 'b', '\u007f', '\u0080', 'é', '\u07ff', '\u0800'],
  ...['\ud7ff', '\ue000', '\uffff', '\uffff\uffff', '\u{10000}', '\u{1f600}', '\u{1f600}a', '\u{10ffff}'],
];

const PROBES: readonly string[] = [...new Set(KEYS.flatMap((key) => [key, `${key}\0`]))];

const anyKey = fc.constantFrom(...KEYS);
const anyEnd = fc.option(anyKey, { nil: undefined, freq: 4 });
const anySpan: fc.Arbitrary<KeySpan> = fc.record({ after: anyEnd, through: anyEnd });

/** In the order of keys and without gaps, but with equal neighbours and claims of nothing. */
const anyClaims: fc.Arbitrary<Claims> = fc
  .record({
    claims: fc.uniqueArray(fc.record({ through: anyKey, clock: anyVector }), {
      selector: ({ through }) => through,
      maxLength: 5,
    }),
    last: fc.option(anyVector, { nil: undefined }),
  })
  .map(({ claims, last }): Claims => {
    const sorted = claims.sort((left, right) => compareBytes(left.through, right.through));
    return last === undefined ? sorted : [...sorted, { through: undefined, clock: last }];
  });

describe('The order of keys', () => {
  const anyText = fc.oneof(
    fc.string({ unit: fc.constantFrom('a', 'b', '\0', 'é', '\ue000', '\uffff', '\u{10000}', '\u{1f600}') }),
    fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed()),
    anyKey,
  );

  test('is that of their UTF-8 bytes, whatever they are', () => {
    fc.assert(
      fc.property(anyText, anyText, fc.string({ unit: 'binary' }), (left, right, shared) => {
        fc.pre(shared.isWellFormed());
        expect(Math.sign(compareKeys(left, right))).toBe(compareBytes(left, right));
        expect(Math.sign(compareKeys(shared + left, shared + right))).toBe(compareBytes(left, right));
      }),
      { numRuns: 1000 },
    );
  });

  test('puts every pair of the keys that these laws are checked with in its place', () => {
    const wrong = PROBES.flatMap((left) => PROBES.map((right) => [left, right] as const)).filter(
      ([left, right]) => Math.sign(compareKeys(left, right)) !== compareBytes(left, right),
    );
    expect(wrong).toEqual([]);
  });
});

test('A key lies within a span when it follows its beginning and does not follow its end', () => {
  fc.assert(
    fc.property(anySpan, (span) => {
      expect(PROBES.filter((key) => isWithin(span, key))).toEqual(PROBES.filter((key) => isInside(span, key)));
    }),
  );
});

test('What is claimed of a key is what the first claim says that reaches it', () => {
  fc.assert(
    fc.property(anyClaims, (claims) => {
      expect(PROBES.map((key) => claimOf(claims, key))).toEqual(PROBES.map((key) => meaning(claims, key)));
    }),
  );
});

describe('Raising the claims of a span', () => {
  test('adds the clock to what is claimed of each key inside, and nothing outside', () => {
    fc.assert(
      fc.property(anyClaims, anySpan, anyVector, (claims, span, clock) => {
        const raised = raise(claims, span, clock);
        const expected = PROBES.map((key) => {
          const before = meaning(claims, key);
          return isInside(span, key) ? maximum(before, clock) : before;
        });
        expect(PROBES.map((key) => shownVector(meaning(raised, key)))).toEqual(expected.map(shownVector));
      }),
      { numRuns: 500 },
    );
  });

  test('leaves claims in order and without gaps', () => {
    fc.assert(
      fc.property(anyClaims, anySpan, anyVector, (claims, span, clock) => {
        const ends = raise(claims, span, clock).map(({ through }) => through);
        const keys = ends.filter((end) => end !== undefined);
        expect(keys).toEqual([...new Set(keys)].sort(compareBytes));
        expect(ends.slice(0, -1)).not.toContain(undefined);
      }),
    );
  });

  test('comes to the same in any order, and to nothing more when it is repeated', () => {
    fc.assert(
      fc.property(anyClaims, anySpan, anyVector, anySpan, anyVector, (claims, span, clock, other, otherClock) => {
        const one = raise(raise(claims, span, clock), other, otherClock);
        const reversed = raise(raise(claims, other, otherClock), span, clock);
        expect(shown(reversed)).toEqual(shown(one));
        expect(shown(raise(one, span, clock))).toEqual(shown(one));
      }),
    );
  });

  test('leaves the claims that it was given as they were', () => {
    fc.assert(
      fc.property(anyClaims, anySpan, anyVector, (claims, span, clock) => {
        const before = shown(claims);
        raise(claims, span, clock);
        expect(shown(claims)).toEqual(before);
      }),
    );
  });

  test('piece by piece to the last key claims of all keys what all pieces have in common', () => {
    fc.assert(
      fc.property(fc.uniqueArray(anyKey), fc.array(anyVector, { minLength: 1 }), (cuts, clocks) => {
        const ends = [...cuts.sort(compareBytes), undefined];
        let claims = NO_CLAIMS;
        ends.forEach((through, place) => {
          claims = raise(claims, { after: ends[place - 1], through }, clocks[place % clocks.length]!);
        });
        const used = clocks.slice(0, ends.length);
        expect(shownVector(claimedByAll(claims, undefined))).toEqual(shownVector(used.reduce(minimum)));
      }),
    );
  });
});

describe('Settling claims', () => {
  test('takes away exactly what the clock covers', () => {
    fc.assert(
      fc.property(anyClaims, anyVector, (claims, clock) => {
        const settled = settle(claims, clock);
        const beyond = PROBES.map((key) =>
          shownVector(meaning(claims, key)).filter(([actor, counter]) => counter > (clock.get(actor) ?? 0)),
        );
        expect(PROBES.map((key) => shownVector(meaning(settled, key)))).toEqual(beyond);
      }),
      { numRuns: 500 },
    );
  });

  test('leaves nothing when the clock covers all that is claimed', () => {
    fc.assert(
      fc.property(anyClaims, anyVector, (claims, extra) => {
        const clock = claims.reduce((all, claim) => maximum(all, claim.clock), extra);
        expect(settle(claims, clock)).toEqual(NO_CLAIMS);
      }),
    );
  });

  test('gives equal claims to equal knowledge, however it is written down', () => {
    fc.assert(
      fc.property(anyClaims, anyVector, fc.array(anyKey, { maxLength: 3 }), anyVector, (claims, clock, cuts, noise) => {
        const disguised = disguise(claims, cuts, minimum(noise, clock));
        expect(shown(settle(disguised, clock))).toEqual(shown(settle(claims, clock)));
      }),
      { numRuns: 500 },
    );
  });

  test('gives different claims to different knowledge', () => {
    fc.assert(
      fc.property(anyClaims, anyClaims, anyVector, (left, right, clock) => {
        const isEqual = PROBES.every((key) => {
          const [ours, theirs] = [left, right].map((claims) => shownVector(maximum(meaning(claims, key), clock)));
          return JSON.stringify(ours) === JSON.stringify(theirs);
        });
        const [ours, theirs] = [left, right].map((claims) => JSON.stringify(shown(settle(claims, clock))));
        expect(ours === theirs).toBe(isEqual);
      }),
    );
  });

  test('of settled claims changes nothing', () => {
    fc.assert(
      fc.property(anyClaims, anyVector, (claims, clock) => {
        const settled = settle(claims, clock);
        expect(shown(settle(settled, clock))).toEqual(shown(settled));
      }),
    );
  });
});

describe('What is claimed of many keys', () => {
  test('by all of them up to one is the least of what is claimed of each', () => {
    fc.assert(
      fc.property(anyClaims, anyEnd, (claims, through) => {
        const keys = PROBES.filter((key) => isInside({ after: undefined, through }, key));
        const least = keys.map((key) => meaning(claims, key)).reduce(minimum);
        expect(shownVector(claimedByAll(claims, through))).toEqual(shownVector(least));
      }),
      { numRuns: 500 },
    );
  });

  test('by any of them is the greatest of what is claimed of each', () => {
    fc.assert(
      fc.property(anyClaims, (claims) => {
        const greatest = PROBES.map((key) => meaning(claims, key)).reduce(maximum);
        expect(shownVector(claimedByAny(claims))).toEqual(shownVector(greatest));
      }),
    );
  });

  test('is nothing when nothing is claimed', () => {
    expect(claimedByAll(NO_CLAIMS, undefined)).toEqual(EMPTY_VECTOR);
    expect(claimedByAll(NO_CLAIMS, 'a')).toEqual(EMPTY_VECTOR);
    expect(claimedByAny(NO_CLAIMS)).toEqual(EMPTY_VECTOR);
  });

  test('is nothing of all keys as long as something is claimed only of those up to one', () => {
    const claims: Claims = [{ through: '\u{10ffff}', clock: vector({ 'n1.a': 1 }) }];
    expect(claimedByAll(claims, undefined)).toEqual(EMPTY_VECTOR);
    expect(claimedByAll(claims, '\u{10ffff}')).toEqual(vector({ 'n1.a': 1 }));
  });
});

/** What claims mean, from their definition and without help from the code under test. */
function meaning(claims: Claims, key: string): VersionVector {
  const reaching = claims.find(({ through }) => through === undefined || compareBytes(key, through) <= 0);
  return reaching?.clock ?? EMPTY_VECTOR;
}

/** The same knowledge with more boundaries, with `covered` claimed in places, and with something said of the end. */
function disguise(claims: Claims, cuts: readonly string[], covered: VersionVector): Claims {
  const ends = [...new Set([...claims.map(({ through }) => through ?? '\u{10ffff}'), ...cuts])].sort(compareBytes);
  const last = claims.at(-1)?.through === undefined ? claims.at(-1)?.clock : undefined;
  const pieces = ends.map((through, place): Claim => {
    const clock = meaning(claims, through);
    return { through, clock: place % 2 === 0 ? maximum(covered, clock) : clock };
  });
  return [...pieces, { through: undefined, clock: maximum(last ?? EMPTY_VECTOR, covered) }];
}

function isInside({ after, through }: KeySpan, key: string): boolean {
  return (
    (after === undefined || compareBytes(key, after) > 0) && (through === undefined || compareBytes(key, through) <= 0)
  );
}

function compareBytes(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}

function maximum(left: VersionVector, right: VersionVector): VersionVector {
  return pointwise(left, right, (ours, theirs) => Math.max(ours, theirs));
}

function minimum(left: VersionVector, right: VersionVector): VersionVector {
  return pointwise(left, right, (ours, theirs) => Math.min(ours, theirs));
}

function pointwise(
  left: VersionVector,
  right: VersionVector,
  choose: (ours: number, theirs: number) => number,
): VersionVector {
  const actors = [...new Set([...left.keys(), ...right.keys()])];
  const entries = actors.map((actor) => [actor, choose(left.get(actor) ?? 0, right.get(actor) ?? 0)] as const);
  return new Map(entries.filter(([, counter]) => counter > 0));
}

/** As plain data: equal exactly when the claims have the same boundaries and vectors. */
function shown(claims: Claims): unknown {
  return claims.map(({ through, clock }) => [through ?? null, shownVector(clock)]);
}
