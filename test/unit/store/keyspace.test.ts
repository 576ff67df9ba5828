// Records stand in an order that scans rely on: keys by their UTF-8 bytes, log entries by actor and counter.

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isWithin } from '../../../src/clock/claims.js';
import {
  ALL_MARKS,
  CLAIMS_KEY,
  commitOf,
  contextKey,
  contextsRange,
  dotsOf,
  EVERYTHING,
  isLogKey,
  keyOf,
  logKey,
  LOGGED_DOTS_MAX,
  logEndingIn,
  logWith,
  markKey,
  NODE_KEY,
  placeOf,
  requestKey,
  requestsWithin,
  spanRange,
  versionsKey,
  versionsRange,
  WHOLE_LOG,
} from '../../../src/store/keyspace.js';
import type { KeyRange } from '../../../src/store/store.port.js';

/** Texts that share beginnings, and whose order by UTF-16 units is not that of their bytes. */
const anyKey = fc.oneof(
  fc.string({
    unit: fc.constantFrom('a', 'b', '\0', '\u007f', 'é', '\u{ff5e}', '\u{1f600}', '\u{10ffff}'),
    maxLength: 4,
  }),
  fc.string({ unit: 'binary', maxLength: 6 }).filter((text) => text.isWellFormed()),
);

describe('Keys stand in the order of their UTF-8 bytes', () => {
  test('which is the order of code points: U+FF5E before U+1F600, as JavaScript strings are not ordered', () => {
    expect('\u{1f600}' < '\u{ff5e}').toBe(true);
    expect(Buffer.compare(versionsKey('\u{ff5e}'), versionsKey('\u{1f600}'))).toBe(-1);
  });

  test('whatever they are', () => {
    fc.assert(
      fc.property(anyKey, anyKey, (left, right) => {
        expect(Buffer.compare(versionsKey(left), versionsKey(right))).toBe(compareCodePoints(left, right));
        expect(Buffer.compare(contextKey(left), contextKey(right))).toBe(compareCodePoints(left, right));
      }),
    );
  });

  test('and come back from their records as they were', () => {
    fc.assert(
      fc.property(anyKey, (key) => {
        expect(keyOf(versionsKey(key))).toBe(key);
        expect(keyOf(contextKey(key))).toBe(key);
        expect(keyOf(inChunk(versionsKey(key)))).toBe(key);
      }),
    );
  });
});

describe('A range of keys', () => {
  test('holds exactly the keys that begin with the prefix and follow the one given', () => {
    fc.assert(
      fc.property(anyKey, anyKey, fc.option(anyKey, { nil: undefined }), (key, prefix, after) => {
        const isWanted = key.startsWith(prefix) && (after === undefined || compareCodePoints(key, after) > 0);
        expect(holds(versionsRange(prefix, after), versionsKey(key))).toBe(isWanted);
        expect(holds(versionsRange(prefix, after), versionsKey(prefix + key))).toBe(
          after === undefined || compareCodePoints(prefix + key, after) > 0,
        );
        expect(holds(contextsRange(after), contextKey(key))).toBe(
          after === undefined || compareCodePoints(key, after) > 0,
        );
      }),
      { numRuns: 1000 },
    );
  });

  test.each([
    ['the greatest code point there is', '\u{10ffff}'],
    ['it twice', '\u{10ffff}\u{10ffff}'],
    ['the last code point of one byte', '\u007f'],
    ['the last code point of two bytes', '\u07ff'],
    ['the last code point of three bytes', '\uffff'],
    ['a zero byte', '\0'],
  ])('of a prefix that ends with %s holds its keys and no others', (_what, prefix) => {
    const range = versionsRange(prefix, undefined);
    for (const inside of ['', '\0', 'a', '\u{10ffff}']) expect(holds(range, versionsKey(prefix + inside))).toBe(true);
    expect(holds(range, versionsKey(prefix.slice(0, -1)))).toBe(false);
    expect(holds(range, versionsKey('b'))).toBe(false);
  });

  test('after a key begins with the very next key there can be', () => {
    const range = versionsRange('', 'a');
    expect(holds(range, versionsKey('a'))).toBe(false);
    expect(holds(range, versionsKey('a\0'))).toBe(true);
    expect(holds(range, versionsKey('aa'))).toBe(true);
  });

  test('after a key below the prefix is the whole prefix, and after one above it nothing', () => {
    const keys = ['b', 'b\0', 'ba', 'b\u{10ffff}'];
    expect(keys.every((key) => holds(versionsRange('b', 'a'), versionsKey(key)))).toBe(true);
    expect(keys.some((key) => holds(versionsRange('b', 'c'), versionsKey(key)))).toBe(false);
  });

  test('never reaches records of another kind', () => {
    const records = [NODE_KEY, versionsKey('n'), contextKey('n'), logKey('n1.a', 1), CLAIMS_KEY, markKey(1)];
    const inside = (range: KeyRange): number[] => [...records.keys()].filter((place) => holds(range, records[place]!));
    expect(inside(versionsRange('', undefined))).toEqual([1]);
    expect(inside(contextsRange(undefined))).toEqual([2]);
    expect(inside(logWith({ actor: 'n1.a', from: 0, to: Number.MAX_SAFE_INTEGER - 1 }))).toEqual([3]);
    expect(inside(spanRange('k', { after: undefined, through: undefined }))).toEqual([1]);
    expect(inside(spanRange('a', { after: undefined, through: '\u{10ffff}' }))).toEqual([2]);
    expect(inside(WHOLE_LOG)).toEqual([3]);
    expect(inside(ALL_MARKS)).toEqual([5]);
    expect(inside(EVERYTHING)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(records.map(isLogKey)).toEqual([false, false, false, true, false, false]);
  });
});

describe('A span of keys', () => {
  test('holds exactly the keys that follow its beginning, up to and with its end', () => {
    const anyEnd = fc.option(anyKey, { nil: undefined });
    fc.assert(
      fc.property(anyKey, anyEnd, anyEnd, (key, after, through) => {
        const isWanted =
          (after === undefined || compareCodePoints(key, after) > 0) &&
          (through === undefined || compareCodePoints(key, through) <= 0);
        expect(holds(spanRange('k', { after, through }), versionsKey(key))).toBe(isWanted);
        expect(holds(spanRange('a', { after, through }), contextKey(key))).toBe(isWanted);
      }),
      { numRuns: 1000 },
    );
  });

  test('goes on exactly where the one before it ends', () => {
    const [first, second] = [
      spanRange('k', { after: undefined, through: 'a' }),
      spanRange('k', { after: 'a', through: undefined }),
    ];
    expect(first.lt).toEqual(second.gte);
  });
});

describe('Log entries stand in the order of counters', () => {
  const anyCounter = fc.oneof(
    fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    fc.constantFrom(1, 255, 256, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER),
  );

  test('within an actor', () => {
    fc.assert(
      fc.property(anyCounter, anyCounter, (left, right) => {
        expect(Buffer.compare(logKey('n1.a', left), logKey('n1.a', right))).toBe(Math.sign(left - right));
      }),
    );
  });

  const anyActor = fc.constantFrom('n1.a', 'n1.ab', 'n1.b', 'n10.a', 'n1-.a');
  const anyBound = fc.oneof(fc.constant(0), anyCounter).filter((bound) => bound < Number.MAX_SAFE_INTEGER);
  const anyDots = fc.oneof(fc.constant(1), fc.integer({ min: 1, max: LOGGED_DOTS_MAX }));

  test('and a range holds those whose last dot is after its first up to and with its last, of its actor alone', () => {
    fc.assert(
      fc.property(anyActor, anyActor, anyCounter, anyDots, anyBound, anyBound, (actor, other, last, dots, from, to) => {
        const isWanted = actor === other && last > from && last <= to;
        expect(holds(logEndingIn({ actor, from, to }), logKey(other, last, dots))).toBe(isWanted);
      }),
      { numRuns: 1000 },
    );
  });

  test('and every entry that tells of one of its dots is in the range that is read for a span', () => {
    const longest = logKey('n1.a', 6 + LOGGED_DOTS_MAX, LOGGED_DOTS_MAX);
    expect(holds(logWith({ actor: 'n1.a', from: 5, to: 7 }), longest)).toBe(true);
    const anyNear = fc.integer({ min: 0, max: 600 });
    fc.assert(
      fc.property(
        anyActor,
        anyActor,
        anyNear,
        anyDots,
        anyNear,
        anyNear,
        (actor, other, before, dots, from, length) => {
          const last = before + dots;
          const to = from + length;
          const range = logWith({ actor, from, to });
          const isWanted = actor === other && last > from && before < to;
          if (isWanted) expect(holds(range, logKey(other, last, dots))).toBe(true);
          // What comes before the span would be taken for its beginning.
          if (actor !== other || last <= from) expect(holds(range, logKey(other, last, dots))).toBe(false);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

test('Log entries and marks tell the dots and the commit that they stand for', () => {
  const anyNumber = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
  fc.assert(
    fc.property(fc.constantFrom('n1.a', 'n10.zz', '-.0'), anyNumber, (actor, number) => {
      expect(dotsOf(inChunk(logKey(actor, number)))).toEqual({ actor, from: number - 1, to: number });
      const dots = Math.min(number, LOGGED_DOTS_MAX);
      expect(dotsOf(inChunk(logKey(actor, number, dots)))).toEqual({ actor, from: number - dots, to: number });
      expect(commitOf(inChunk(markKey(number)))).toBe(number);
    }),
  );
});

test('Of a log key in which a bit has flipped something is told all the same: its record says that it is damaged', () => {
  for (const key of [logKey('n1.a', 700), logKey('n1.a', 700, 3)]) {
    for (let place = 0; place < 8 * key.length; place++) {
      const flipped = Uint8Array.from(key);
      flipped[place >> 3]! ^= 1 << (place % 8);
      expect(dotsOf(flipped)).toEqual({ actor: expect.any(String), from: expect.any(Number), to: expect.any(Number) });
    }
  }
});

describe('Requests stand in the order of the keys that they wrote', () => {
  const anyId = fc.stringMatching(/^[0-9a-f]{32}$/);
  /** Keys that differ by what separates them from an id. */
  const anyNear = fc.string({ unit: fc.constantFrom('a', '\0', '\x01', '\x02', '\xff'), minLength: 1, maxLength: 4 });

  test('and each record tells its key and id', () => {
    fc.assert(
      fc.property(anyNear, anyId, (key, id) => {
        expect(placeOf(inChunk(requestKey({ key, id })))).toEqual({ key, id });
      }),
    );
  });

  test('and the range of a span holds those of its keys and no others', () => {
    const anyEnd = fc.option(anyNear, { nil: undefined });
    fc.assert(
      fc.property(anyNear, anyId, anyEnd, anyEnd, (key, id, after, through) => {
        const span = { after, through };
        expect(holds(requestsWithin(span), requestKey({ key, id }))).toBe(isWithin(span, key));
      }),
      { numRuns: 2000 },
    );
  });
});

test('Marks stand in the order of commits', () => {
  const numbers = [1, 255, 256, 2 ** 32 - 1, 2 ** 32, 2 ** 40, Number.MAX_SAFE_INTEGER];
  const marks = numbers.map(markKey);
  expect([...marks].reverse().sort((left, right) => Buffer.compare(left, right))).toEqual(marks);
});

describe('The layout on disk', () => {
  test.each([
    ['the node record', NODE_KEY, '6e'],
    ['the versions of a key', versionsKey('aé'), '6b' + '61c3a9'],
    ['the context of a key', contextKey('aé'), '61' + '61c3a9'],
    ['the claims', CLAIMS_KEY, '63'],
    ['the mark of a commit', markKey(2 ** 32 + 258), '6d' + '0000000100000102'],
    ['a request', requestKey({ key: 'a\0é', id: '0f'.repeat(16) }), '69' + '610002c3a9' + '0001' + '0f'.repeat(16)],
    ['a log entry', logKey('n1.a', 2 ** 32 + 258), '6c' + '6e312e61' + '00' + '0000000100000102'],
    ['a log record of 16 entries', logKey('n1.a', 258, 16), '6c' + '6e312e61' + '00' + '0000000000000102' + '10'],
  ])('of %s is what data folders have', (_what, key, layout) => {
    expect(Buffer.from(key).toString('hex')).toBe(layout);
  });
});

function holds({ gte, lt }: KeyRange, key: Uint8Array): boolean {
  return Buffer.compare(key, gte) >= 0 && Buffer.compare(key, lt) < 0;
}

/** As a scan yields it: a part of a larger buffer. */
function inChunk(recordKey: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from('xyz'), recordKey, Buffer.from('xyz')]).subarray(3, -3);
}

/** The order of texts as sequences of code points, from the definition. */
function compareCodePoints(left: string, right: string): number {
  const [ours, theirs] = [Array.from(left), Array.from(right)].map((text) => text.map((each) => each.codePointAt(0)!));
  for (let place = 0; place < Math.min(ours!.length, theirs!.length); place++) {
    if (ours![place] !== theirs![place]) return Math.sign(ours![place]! - theirs![place]!);
  }
  return Math.sign(ours!.length - theirs!.length);
}
