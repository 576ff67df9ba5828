// The laws of resolution: whoever holds the same versions shows the same winner.
//
// `order` promises Python's order of strings. Its oracle here compares arrays of code points, which have nothing to do
// with bytes. Strings are drawn near the places where encodings disagree: the ends of the ranges that UTF-8 writes in
// one, two, three and four bytes, and the characters between the surrogates and U+FFFF, which UTF-16 sorts last.

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Version } from '../../src/clock/container.js';
import { compareDots, formatDot } from '../../src/clock/dot.js';
import { compareBytes, ranked, RESOLUTIONS, winner } from '../../src/clock/resolution.js';
import { anyDot, textOf, utf8, versionOf } from '../support/clock-arbitraries.js';

const EDGES = [0x0, 0x41, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xff5e, 0xffff, 0x10000, 0x1f600, 0x10ffff];
const anyEdge = fc.constantFrom(...EDGES).map((point) => String.fromCodePoint(point));
/** Well-formed by construction: units are whole code points, and surrogates are none. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.string({ unit: anyEdge, maxLength: 4 }),
  fc.string({ unit: fc.oneof(anyEdge, fc.constant('a')), maxLength: 6 }),
);
/** Pairs that share a beginning: two random strings nearly always differ in the first character already. */
const anyTextPair = fc.tuple(anyText, anyText, anyText).map(([start, left, right]) => [start + left, start + right]);

function codePoints(text: string): number[] {
  return Array.from(text).map((character) => character.codePointAt(0)!);
}

/** How Python compares two strings: by the first code point that differs, or else by length. */
function compareCodePoints(left: string, right: string): number {
  const [a, b] = [codePoints(left), codePoints(right)];
  const at = a.findIndex((point, i) => point !== b[i]);
  if (at < 0) return a.length === b.length ? 0 : -1;
  return at >= b.length ? 1 : a[at]! < b[at]! ? -1 : 1;
}

/** Siblings with few values and few stamps, so that ties are common; each under its own dot. */
const anySiblings: fc.Arbitrary<Version[]> = fc.uniqueArray(
  fc
    .tuple(anyDot, fc.oneof(anyText, fc.constantFrom('', 'a', '\uff5e', '\u{1f600}')), fc.nat({ max: 2 }))
    .map(([origin, text, stamp]) => versionOf(origin, utf8(text), stamp)),
  { minLength: 1, maxLength: 5, selector: formatDot },
);

const anyResolution = fc.constantFrom(...RESOLUTIONS);

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item, i) =>
    permutations([...items.slice(0, i), ...items.slice(i + 1)]).map((rest) => [item, ...rest]),
  );
}

describe('The winner among siblings', () => {
  test('is the same in whichever order they arrived', () => {
    fc.assert(
      fc.property(anySiblings, anyResolution, (siblings, resolution) => {
        const won = new Set(permutations(siblings).map((order) => formatDot(winner(order, resolution)!)));
        expect(won.size).toBe(1);
      }),
    );
  });

  test('is one of them, and is missing only when there is none', () => {
    fc.assert(
      fc.property(anySiblings, anyResolution, (siblings, resolution) => {
        expect(siblings).toContain(winner(siblings, resolution));
        expect(winner([], resolution)).toBeUndefined();
      }),
    );
  });

  test('stays the winner when siblings that it beat go away', () => {
    fc.assert(
      fc.property(anySiblings, anyResolution, fc.nat(), (siblings, resolution, pick) => {
        const won = winner(siblings, resolution)!;
        const left = siblings.filter((each, i) => each === won || i !== pick % siblings.length);
        expect(winner(left, resolution)).toBe(won);
      }),
    );
  });

  test('by order is the greatest value as Python compares strings, then the greatest dot', () => {
    fc.assert(
      fc.property(anySiblings, (siblings) => {
        const won = winner(siblings, 'order')!;
        for (const each of siblings) {
          const order = compareCodePoints(textOf(won), textOf(each));
          expect(order).toBeGreaterThanOrEqual(0);
          if (order === 0) expect(compareDots(won, each)).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });

  test('by latest is the greatest stamp, then the greatest dot, whatever the values', () => {
    fc.assert(
      fc.property(anySiblings, (siblings) => {
        const won = winner(siblings, 'latest')!;
        for (const each of siblings) {
          expect(won.stamp).toBeGreaterThanOrEqual(each.stamp);
          if (won.stamp === each.stamp) expect(compareDots(won, each)).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });
});

describe('The ranking of siblings', () => {
  test('is the same in whichever order they arrived, and loses none of them', () => {
    fc.assert(
      fc.property(anySiblings, anyResolution, (siblings, resolution) => {
        const rankings = permutations(siblings).map((order) => ranked(order, resolution).map(formatDot).join(' '));
        expect(new Set(rankings).size).toBe(1);
        expect(new Set(ranked(siblings, resolution))).toEqual(new Set(siblings));
      }),
      { numRuns: 50 },
    );
  });

  test('is the winner, then the winner among the rest, and so on', () => {
    fc.assert(
      fc.property(anySiblings, anyResolution, (siblings, resolution) => {
        const order = ranked(siblings, resolution);
        order.forEach((each, i) => expect(winner(order.slice(i), resolution)).toBe(each));
      }),
    );
  });

  test('leaves the list it was given as it was', () => {
    fc.assert(
      fc.property(anySiblings, anyResolution, (siblings, resolution) => {
        const before = [...siblings];
        ranked(siblings, resolution);
        winner(siblings, resolution);
        expect(siblings).toEqual(before);
      }),
      { numRuns: 50 },
    );
  });
});

describe('The order of bytes', () => {
  test('of two strings in UTF-8 is the order of their code points', () => {
    fc.assert(
      fc.property(anyTextPair, ([left, right]) => {
        expect(Math.sign(compareBytes(utf8(left!), utf8(right!)))).toBe(compareCodePoints(left!, right!));
      }),
      { numRuns: 2000 },
    );
  });

  test('of any two values is the order that Node gives to buffers', () => {
    const anyBytes = fc.uint8Array({ maxLength: 6 });
    fc.assert(
      fc.property(anyBytes, anyBytes, anyBytes, (start, a, b) => {
        const [left, right] = [Uint8Array.from([...start, ...a]), Uint8Array.from([...start, ...b])];
        expect(Math.sign(compareBytes(left, right))).toBe(Buffer.compare(left, right));
      }),
      { numRuns: 1000 },
    );
  });
});
