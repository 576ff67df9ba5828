import { describe, expect, test } from '@jest/globals';
import { compareBytes, ranked, RESOLUTIONS, winner } from '../../../src/clock/resolution.js';
import { dot, textOf, utf8, version, versionOf } from '../../support/clock-arbitraries.js';

const FULLWIDTH_TILDE = '\uff5e';
const GRINNING_FACE = '\u{1f600}';

describe('The value that a reader gets', () => {
  test('is none when no version lives', () => {
    for (const resolution of RESOLUTIONS) expect(winner([], resolution)).toBeUndefined();
  });

  test('is the only version when there is one', () => {
    const only = version('a', 1);
    for (const resolution of RESOLUTIONS) expect(winner([only], resolution)).toBe(only);
  });
});

describe('By order', () => {
  test('the greatest string wins, whenever it was written', () => {
    const siblings = [version('a', 1, 'pear', 1), version('b', 1, 'apple', 9)];
    expect(textOf(winner(siblings, 'order')!)).toBe('pear');
  });

  test('capital letters come before small ones, and a beginning before what it begins', () => {
    const siblings = ['pear', 'Pear', 'pea', ''].map((text, i) => version('a', i + 1, text));
    expect(ranked(siblings, 'order').map(textOf)).toEqual(['pear', 'pea', 'Pear', '']);
  });

  test('numbers are strings like any other, so 9 wins over 10', () => {
    expect(textOf(winner([version('a', 1, '10'), version('b', 1, '9')], 'order')!)).toBe('9');
  });

  test('a character beyond U+FFFF wins over every one below it, as in Python and unlike in JavaScript', () => {
    const siblings = [version('a', 1, FULLWIDTH_TILDE), version('b', 1, GRINNING_FACE)];
    expect(textOf(winner(siblings, 'order')!)).toBe(GRINNING_FACE);
    expect(textOf(winner([...siblings].reverse(), 'order')!)).toBe(GRINNING_FACE);
    // The contrast is the point: JavaScript compares the surrogate 0xD83D with 0xFF5E.
    expect(GRINNING_FACE < FULLWIDTH_TILDE).toBe(true);
  });

  test('equal values are decided by the greater dot, so that every replica names the same one', () => {
    const siblings = [version('a', 9, 'same'), version('b', 1, 'same'), version('a', 10, 'same')];
    expect(ranked(siblings, 'order').map(({ actor, counter }) => `${actor}:${counter}`)).toEqual([
      'b:1',
      'a:10',
      'a:9',
    ]);
    expect(winner(siblings, 'order')).toMatchObject(dot('b', 1));
  });

  test('values that are no text are compared as unsigned bytes', () => {
    const siblings = [versionOf(dot('a', 1), Uint8Array.of(0x7f)), versionOf(dot('b', 1), Uint8Array.of(0x80))];
    expect(winner(siblings, 'order')).toMatchObject(dot('b', 1));
    expect(compareBytes(Uint8Array.of(0xff), Uint8Array.of(0x00))).toBeGreaterThan(0);
  });
});

describe('By latest', () => {
  test('the greatest stamp wins, whatever the value', () => {
    const siblings = [version('a', 1, 'zebra', 1), version('b', 1, 'apple', 2)];
    expect(textOf(winner(siblings, 'latest')!)).toBe('apple');
  });

  test('equal stamps are decided by the greater dot, whatever the value', () => {
    const siblings = [version('a', 2, 'zebra', 5), version('b', 1, 'apple', 5), version('a', 1, 'zoo', 5)];
    expect(ranked(siblings, 'latest').map(textOf)).toEqual(['apple', 'zebra', 'zoo']);
    expect(winner(siblings, 'latest')).toMatchObject(dot('b', 1));
  });

  test('stamps that differ by one microsecond differ', () => {
    const siblings = [
      version('a', 1, 'later', 1_780_000_000_000_001),
      version('b', 1, 'earlier', 1_780_000_000_000_000),
    ];
    expect(textOf(winner(siblings, 'latest')!)).toBe('later');
  });
});

describe('As the standards define it', () => {
  // "Strings (instances of str) compare lexicographically using the numerical Unicode code points (the result of the
  // built-in function ord()) of their characters." The Python Language Reference, Expressions, "Value comparisons".
  test('strings compare by the numbers of their code points', () => {
    const ascending = ['', 'A', 'a', 'aa', 'b', '\u00e9', '\ud7ff', '\ue000', FULLWIDTH_TILDE, '\uffff', GRINNING_FACE];
    const siblings = ascending.map((text, i) => version('a', i + 1, text));
    expect(ranked(siblings, 'order').map(textOf)).toEqual([...ascending].reverse());
  });

  // "The byte-value lexicographic sorting order of UTF-8 strings is the same as if ordered by character numbers."
  // Yergeau: UTF-8, a transformation format of ISO 10646 (RFC 3629), section 1.
  test('comparing the bytes of UTF-8 compares character numbers', () => {
    const lastAndFirst = [
      [0x7f, 0x80],
      [0x7ff, 0x800],
      [0xd7ff, 0xe000],
      [0xffff, 0x10000],
      [0x10fffe, 0x10ffff],
    ] as const;
    for (const [smaller, greater] of lastAndFirst) {
      const [left, right] = [utf8(String.fromCodePoint(smaller)), utf8(String.fromCodePoint(greater))];
      expect(compareBytes(left, right)).toBeLessThan(0);
      expect(compareBytes(right, left)).toBeGreaterThan(0);
    }
  });
});
