// Versions of an unknown layout are refused, not guessed at.

import { describe, expect, test } from '@jest/globals';
import { stampToMs } from '../../../src/clock/hybrid-clock.js';
import { MalformedBytesError } from '../../../src/codec/binary-reader.js';
import { BinaryWriter } from '../../../src/codec/binary-writer.js';
import { versionsOf, writeVersions } from '../../../src/codec/versions-codec.js';
import { version } from '../../support/clock-arbitraries.js';

/** One version whose byte of type, deadline and content type is this. */
function tagged(tag: number): Uint8Array {
  const writer = new BinaryWriter();
  writer.varint(1).text('n1.a').varint(1).varint(1).byte(tag);
  // Whatever may follow: a deadline, a content type or a part, a value.
  return writer.raw(Buffer.of(0, 0, 0)).finish();
}

describe('A content type', () => {
  test('that is common takes no bytes of its own', () => {
    const bytesOf = (contentType: string): number => {
      const writer = new BinaryWriter();
      writeVersions(writer, [{ ...version('n1.a', 1, 'value', 1), contentType }]);
      return writer.finish().length;
    };
    expect(bytesOf('application/octet-stream')).toBe(bytesOf('text/plain; charset=utf-8'));
    expect(bytesOf('application/octet-stream')).toBe(bytesOf('x') - 2);
  });

  test.each([
    ['with a number that is not given', 8 * 7],
    ['with the last number there is room for', 8 * 31],
    ['of a counter', 8 * 1 + 1],
    ['of a set, with a deadline', 8 * 2 + 4 + 2],
  ])('%s is refused', (_, tag) => {
    expect(() => versionsOf(tagged(tag))).toThrow(MalformedBytesError);
    expect(() => versionsOf(tagged(tag))).toThrow('the content type is not known');
  });
});

describe('A time', () => {
  /** Milliseconds since 1970: what a `Date` can hold (ECMA-262, section 21.4.1.1). */
  const DATE_MS_MAX = 8.64e15;

  const written = (deadlineMs: number, stamp: number): Uint8Array => {
    const writer = new BinaryWriter();
    writeVersions(writer, [{ ...version('n1.a', 1, 'value', stamp), deadlineMs }]);
    return writer.finish();
  };

  test('that is read can be shown as a date, however far away it is', () => {
    const [read] = versionsOf(written(DATE_MS_MAX, Number.MAX_SAFE_INTEGER));
    expect(new Date(read!.deadlineMs!).toISOString()).toBe('+275760-09-13T00:00:00.000Z');
    expect(new Date(stampToMs(read!.stamp)).toISOString()).toBe('2255-06-05T23:47:34.740Z');
  });

  test.each([DATE_MS_MAX + 1, Number.MAX_SAFE_INTEGER])('of %d ms is no deadline: it is refused', (deadlineMs) => {
    expect(() => versionsOf(written(deadlineMs, 1))).toThrow(MalformedBytesError);
    expect(() => versionsOf(written(deadlineMs, 1))).toThrow('a deadline is no date');
  });
});
