// Bytes from anywhere are read or refused: never a wrong value, never a read past the end.

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { BinaryReader, MalformedBytesError } from '../../../src/codec/binary-reader.js';
import { BinaryWriter } from '../../../src/codec/binary-writer.js';

const READS = {
  byte: (reader: BinaryReader) => reader.byte(),
  uint32: (reader: BinaryReader) => reader.uint32(),
  varint: (reader: BinaryReader) => reader.varint(),
  count: (reader: BinaryReader) => reader.count(1),
  bytes: (reader: BinaryReader) => reader.bytes(),
  text: (reader: BinaryReader) => reader.text(),
  'raw of 3': (reader: BinaryReader) => reader.raw(3),
};

describe('The reader', () => {
  test.each(Object.entries(READS))('finds no %s in nothing', (_kind, read) => {
    expect(() => read(readerOf(''))).toThrow(MalformedBytesError);
  });

  test('reads any bytes as something, or refuses them; never past their end', () => {
    const anyReads = fc.array(fc.constantFrom(...Object.values(READS)), { maxLength: 6 });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 24 }), anyReads, (bytes, reads) => {
        // The bytes lie in a larger buffer, as those of a request do.
        const surrounded = Buffer.concat([Buffer.alloc(8, 0x41), bytes, Buffer.alloc(64, 0x41)]);
        const reader = new BinaryReader(surrounded.subarray(8, 8 + bytes.length));
        try {
          for (const read of reads) {
            const before = reader.remaining;
            const value = read(reader);
            expect(reader.remaining).toBeGreaterThanOrEqual(0);
            expect(reader.remaining).toBeLessThan(before);
            if (typeof value === 'number') expect(Number.isSafeInteger(value) && value >= 0).toBe(true);
            else expect(Buffer.byteLength(value)).toBeLessThanOrEqual(bytes.length);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedBytesError);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('refuses every value that is cut short, wherever it is cut', () => {
    const whole = new BinaryWriter()
      .uint32(7)
      .varint(2 ** 40)
      .text('\u{1f600}')
      .bytes(Buffer.from('abc'))
      .finish();
    const readAll = (bytes: Uint8Array): void => {
      const reader = new BinaryReader(bytes);
      reader.uint32();
      reader.varint();
      reader.text();
      reader.bytes();
      reader.end();
    };
    readAll(whole);
    for (let length = 0; length < whole.length; length++) {
      expect(() => readAll(whole.subarray(0, length))).toThrow(MalformedBytesError);
    }
    expect(() => readAll(Buffer.concat([whole, Buffer.of(0)]))).toThrow('1 bytes are left over');
  });

  test('tells how many bytes are left', () => {
    const reader = readerOf('010203');
    reader.byte();
    expect(reader.remaining).toBe(2);
  });

  test('hands out bytes without copying them', () => {
    const bytes = Buffer.from('03616263', 'hex');
    expect(new BinaryReader(bytes).bytes().buffer).toBe(bytes.buffer);
  });
});

describe('A counter', () => {
  test.each([
    ['of 2^53', '8080808080808010'],
    ['of eight full groups', 'ffffffffffffff7f'],
    ['of more than eight groups', '808080808080808001'],
    ['that does not end', 'ffffffffffffffffffffffff'],
  ])('%s is refused: it would be rounded', (_what, layout) => {
    expect(() => readerOf(layout).varint()).toThrow('a number is longer than 53 bits');
  });
});

describe('A length', () => {
  test('that goes beyond what is there is refused before anything is set aside for it', () => {
    for (const length of ['7f', 'ffffffff0f', 'ffffffffffffff0f']) {
      expect(() => readerOf(`${length}6162`).bytes()).toThrow(MalformedBytesError);
      expect(() => readerOf(`${length}6162`).text()).toThrow(MalformedBytesError);
      expect(() => readerOf(`${length}6162`).count(1)).toThrow(/items are announced, 2 bytes are left/);
    }
  });

  test('of a list is refused when its items cannot fit into what is left', () => {
    expect(readerOf('020000').count(1)).toBe(2);
    expect(() => readerOf('020000').count(2)).toThrow('2 items are announced, 2 bytes are left');
  });
});

describe('A text', () => {
  test.each([
    ['a byte that begins nothing', 'ff'],
    ['a continuation without a beginning', '80'],
    ['a beginning without its continuation', 'c3'],
    ['a character cut short', 'f09f98'],
    ['an overlong form of "/"', 'c0af'],
    ['half a surrogate pair', 'eda080'],
    ['a surrogate pair as two characters', 'eda0bdedb880'],
    ['a code point beyond U+10FFFF', 'f4908080'],
  ])('with %s is refused: as another text it would be another key', (_what, bytes) => {
    const length = (bytes.length / 2).toString(16).padStart(2, '0');
    expect(() => readerOf(length + bytes).text()).toThrow('a text is not UTF-8');
  });
});

function readerOf(hex: string): BinaryReader {
  return new BinaryReader(Buffer.from(hex, 'hex'));
}
