// The laws of dots: their order is total, and their text names one dot only.

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { compareDots, type Dot, formatDot } from '../../src/clock/dot.js';
import { anyActor, anyDot } from '../support/clock-arbitraries.js';

const anyCounter = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const anyWideDot: fc.Arbitrary<Dot> = fc.record({ actor: fc.oneof(anyActor, fc.string()), counter: anyCounter });

describe('The order of dots', () => {
  test('puts every pair of different dots one way round, and only equal dots level', () => {
    fc.assert(
      fc.property(fc.oneof(anyDot, anyWideDot), fc.oneof(anyDot, anyWideDot), (left, right) => {
        const isSame = left.actor === right.actor && left.counter === right.counter;
        expect(compareDots(left, right) === 0).toBe(isSame);
        expect(Math.sign(compareDots(left, right)) + Math.sign(compareDots(right, left))).toBe(0);
      }),
    );
  });

  test('is transitive, so that sorting gives one result whatever the order of arrival', () => {
    fc.assert(
      fc.property(fc.array(anyDot, { maxLength: 12 }), fc.infiniteStream(fc.nat()), (dots, random) => {
        const sorted = [...dots].sort(compareDots);
        const shuffled = dots.map((each) => ({ each, place: random.next().value as number }));
        shuffled.sort((left, right) => left.place - right.place);
        expect(shuffled.map(({ each }) => each).sort(compareDots)).toEqual(sorted);
      }),
    );
  });

  test('goes by counter as a number within one actor, up to the greatest counter there is', () => {
    fc.assert(
      fc.property(anyActor, anyCounter, anyCounter, (actor, left, right) => {
        const order = compareDots({ actor, counter: left }, { actor, counter: right });
        expect(Math.sign(order)).toBe(left < right ? -1 : left > right ? 1 : 0);
      }),
    );
  });
});

describe('The text of a dot', () => {
  test('is different for different dots', () => {
    fc.assert(
      fc.property(anyWideDot, anyWideDot, (left, right) => {
        expect(formatDot(left) === formatDot(right)).toBe(compareDots(left, right) === 0);
      }),
    );
  });
});
