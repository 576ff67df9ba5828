// What type has a key, what competes to be its value, what lives, and how much may it hold?

import { describe, expect, test } from '@jest/globals';
import type { Version } from '../../../src/clock/container.js';
import {
  PARTS_BYTES_MAX,
  PARTS_MAX,
  refusalOf,
  SIBLING_BYTES_MAX,
  SIBLINGS_MAX,
} from '../../../src/clock/key-limits.js';
import { ofType, typeOf } from '../../../src/clock/key-type.js';
import { keep, keptAt, liveAt } from '../../../src/clock/lifetime.js';
import { ranked } from '../../../src/clock/resolution.js';
import { siblingCount } from '../../../src/clock/siblings.js';
import type { ValueType } from '../../../src/clock/value-type.js';
import { EMPTY_VECTOR } from '../../../src/clock/version-vector.js';
import { MEMBERS_MAX } from '../../../src/cluster/members.js';
import { MESSAGE_BYTES_MAX } from '../../../src/replication/transport/http-peer-transport.js';
import { utf8, version } from '../../support/clock-arbitraries.js';

/** The largest that can be configured. */
const VALUE_BYTES_MAX = 2 ** 24;

let counter = 0;

function of(type: ValueType, part = '', other: Partial<Version> = {}): Version {
  return { ...version('n1.a', ++counter), type, part, ...other };
}

describe('The type of a key', () => {
  test('is that of its versions', () => {
    for (const type of ['register', 'counter', 'set', 'map'] as const) expect(typeOf([of(type), of(type)])).toBe(type);
    expect(typeOf([])).toBeUndefined();
  });

  test('is the one with more structure, when types raced, in whatever order they came', () => {
    expect(typeOf([of('register'), of('counter')])).toBe('counter');
    expect(typeOf([of('set'), of('counter')])).toBe('set');
    expect(typeOf([of('map'), of('set'), of('register')])).toBe('map');
  });

  test('leaves the versions of the others where they are', () => {
    const [text, element] = [of('register'), of('set', 'x')];
    expect(ofType([text, element], 'register')).toEqual([text]);
    const one = [text];
    expect(ofType(one, 'register')).toBe(one);
  });

  test('comes first where all versions are listed', () => {
    const versions = [of('register'), of('set', 'b'), of('set', 'a'), of('counter')];
    expect(ranked(versions, 'order').map(({ type, part }) => type + part)).toEqual([
      'seta',
      'setb',
      'counter',
      'register',
    ]);
  });
});

describe('What competes to be a key’s value', () => {
  test.each([
    ['nothing', [], 0],
    ['one value', [of('register')], 1],
    ['two values', [of('register'), of('register')], 2],
    ['a counter of three replicas', [of('counter'), of('counter'), of('counter')], 1],
    ['a set of three elements', [of('set', 'a'), of('set', 'b'), of('set', 'c')], 1],
    ['an element that was added twice at once', [of('set', 'a'), of('set', 'a')], 1],
    ['a map of two fields', [of('map', 'a'), of('map', 'b')], 1],
    ['a map with a field that raced', [of('map', 'a'), of('map', 'b'), of('map', 'b'), of('map', 'b')], 3],
    ['two types', [of('register'), of('counter')], 2],
    ['two types, one with siblings', [of('register'), of('register'), of('set', 'a'), of('set', 'b')], 3],
  ])('is counted: %s', (_what, versions, siblings) => {
    expect(siblingCount(versions)).toBe(siblings);
  });
});

describe('A version with a deadline', () => {
  const mortal = of('register', '', { deadlineMs: 1000 });
  const lasting = of('register');

  test('lives up to its deadline, and not at it', () => {
    expect(liveAt([mortal, lasting], 999)).toEqual([mortal, lasting]);
    expect(liveAt([mortal, lasting], 1000)).toEqual([lasting]);
  });

  test('is kept three minutes longer', () => {
    expect(keptAt([mortal, lasting], 180_999)).toEqual([mortal, lasting]);
    expect(keptAt([mortal, lasting], 181_000)).toEqual([lasting]);
  });

  test('costs nothing where nothing ends: the same list comes back', () => {
    const versions = [mortal, lasting];
    expect(liveAt(versions, 0)).toBe(versions);
    const container = { versions, context: EMPTY_VECTOR };
    expect(keep(container, 180_999)).toBe(container);
    expect(keep(container, 181_000)).toEqual({ versions: [lasting], context: EMPTY_VECTOR });
  });
});

describe('A key', () => {
  const many = (type: ValueType, count: number): Version[] => Array.from({ length: count }, (_, i) => of(type, `${i}`));

  test('has at most 64 siblings, and takes a write that leaves fewer', () => {
    const full = many('register', SIBLINGS_MAX + 1);
    expect(refusalOf(full.slice(1), full)).toBe('too-many-siblings');
    expect(refusalOf(full, full.slice(0, 2))).toBeUndefined();
    expect(refusalOf(full, full)).toBeUndefined();
  });

  describe('with more bytes of siblings than it may have', () => {
    const large = (bytes: number, actor: string): Version => ({
      ...version(actor, ++counter),
      value: new Uint8Array(bytes),
    });
    const half = SIBLING_BYTES_MAX / 2;
    const three = [large(half, 'n1.a'), large(half, 'n2.a'), large(half, 'n3.a')];
    const [first, second, third] = three as [Version, Version, Version];

    test('takes no write that puts a larger one in the place of a sibling, nor of several', () => {
      expect(refusalOf(three, [second, third, large(half + 1, 'n1.a')])).toBe('too-many-siblings');
      expect(refusalOf(three, [third, large(2 * half + 1, 'n1.a')])).toBe('too-many-siblings');
    });

    test('takes one that makes it smaller, or leaves it as large', () => {
      expect(refusalOf(three, [second, third, large(half, 'n1.a')])).toBeUndefined();
      expect(refusalOf(three, [third, large(half + 1, 'n1.a')])).toBeUndefined();
      expect(refusalOf(three, [first, second])).toBeUndefined();
    });

    test('takes the value of who has seen all siblings, however large', () => {
      expect(refusalOf(three, [large(4 * half, 'n1.a')])).toBeUndefined();
    });

    test('is not multiplied by replicas that each replace what the others do: what one has written is bounded, too', () => {
      // Two of its own fill the bound; a third goes beyond, though it takes the place of another’s.
      const before = [first, large(half, 'n1.a'), second, third];
      expect(refusalOf(before, [...before.slice(0, 2), third, large(half, 'n1.a')])).toBe('too-many-siblings');
      expect(refusalOf(before, [...before.slice(1), large(half, 'n1.a')])).toBeUndefined();
      const small = [...many('register', SIBLINGS_MAX), large(1, 'n2.a'), large(1, 'n3.a')];
      expect(refusalOf(small, [...small.slice(0, -1), of('register')])).toBe('too-many-siblings');
      expect(refusalOf(small, [...small.slice(1), of('register')])).toBeUndefined();
    });
  });

  test('fits into a message between replicas, though all members have added the largest value at the same time', () => {
    expect(MESSAGE_BYTES_MAX).toBeGreaterThan(MEMBERS_MAX * Math.max(SIBLING_BYTES_MAX, VALUE_BYTES_MAX) + 2 ** 23);
  });

  test('has at most so many elements or fields', () => {
    const full = many('set', PARTS_MAX + 1);
    expect(refusalOf(full.slice(1), full)).toBe('too-large');
    expect(refusalOf(full, full.slice(1))).toBeUndefined();
  });

  test('has at most so many bytes in elements and fields, by their UTF-8', () => {
    const half = 'é'.repeat(PARTS_BYTES_MAX / 4);
    const two = [of('map', half, { value: utf8('') }), of('map', half, { value: utf8('') })];
    expect(refusalOf([], two)).toBeUndefined();
    expect(refusalOf(two, [...two, of('map', '😀', { value: utf8('') })])).toBe('too-large');
    expect(refusalOf(two, [two[0]!, of('map', `${half}a`, { value: utf8('') })])).toBe('too-large');
  });

  test('has no element or field that alone has more, and takes one that is smaller than what was there', () => {
    const large = [of('map', 'field', { value: new Uint8Array(PARTS_BYTES_MAX) })];
    expect(refusalOf([], large)).toBe('too-large');
    expect(refusalOf([of('map', 'longer field', { value: large[0]!.value })], large)).toBeUndefined();
    expect(refusalOf([], [of('register', '', { value: large[0]!.value })])).toBeUndefined();
  });
});
