// What is written, is read back the same; and the layout of each primitive is fixed, because it stands on disks.

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { BinaryReader } from '../../../src/codec/binary-reader.js';
import { BinaryWriter } from '../../../src/codec/binary-writer.js';

const MAX = Number.MAX_SAFE_INTEGER;

/** Every place where a number gets one more byte, or one more bit than a 32-bit operation keeps. */
const EDGES = [7, 14, 21, 28, 31, 32, 35, 42, 49, 52].flatMap((bits) => [2 ** bits - 1, 2 ** bits, 2 ** bits + 1]);

const anyCounter = fc.oneof(fc.maxSafeNat(), fc.nat(), fc.constantFrom(0, 1, MAX - 1, MAX, ...EDGES));
/** All ASCII, none of it, and ASCII up to the last character. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: 'binary-ascii', maxLength: 140 }),
  fc.string({ unit: 'binary-ascii', maxLength: 140 }).map((text) => `${text}\u00e9`),
);

type Primitive =
  | { readonly kind: 'byte' | 'uint32' | 'varint'; readonly value: number }
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'bytes'; readonly value: Uint8Array };

const anyPrimitive: fc.Arbitrary<Primitive> = fc.oneof(
  fc.record({ kind: fc.constant('byte' as const), value: fc.integer({ min: 0, max: 0xff }) }),
  fc.record({ kind: fc.constant('uint32' as const), value: fc.integer({ min: 0, max: 0xffffffff }) }),
  fc.record({ kind: fc.constant('varint' as const), value: anyCounter }),
  fc.record({ kind: fc.constant('text' as const), value: anyText }),
  fc.record({ kind: fc.constant('bytes' as const), value: fc.uint8Array({ maxLength: 600 }) }),
);

describe('Values written one after the other', () => {
  test('are read back the same and in the same order, with nothing left over', () => {
    fc.assert(
      fc.property(fc.array(anyPrimitive), fc.integer({ min: 1, max: 64 }), (values, initialBytes) => {
        const writer = new BinaryWriter(initialBytes);
        for (const value of values) write(writer, value);
        const reader = new BinaryReader(writer.finish());
        for (const value of values) expect(plain(read(reader, value.kind))).toEqual(plain(value.value));
        reader.end();
      }),
    );
  });

  test('are, when they are texts, their lengths and their UTF-8', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const utf8 = Buffer.from(text);
        const length = new BinaryWriter().varint(utf8.length).finish();
        expect(new BinaryWriter(1).text(text).finish()).toEqual(Buffer.concat([length, utf8]));
      }),
      { numRuns: 500 },
    );
  });

  test('do not depend on what the writer held before', () => {
    const writer = new BinaryWriter(1);
    writer.text('something long that makes the buffer grow').varint(MAX);
    writer.finish();
    writer.text('left behind by a value that was never finished').clear();
    expect(writer.byte(7).finish()).toEqual(Buffer.of(7));
  });

  test('stay as they are when the writer goes on to the next ones', () => {
    const writer = new BinaryWriter(16);
    const first = writer.text('first').finish();
    writer.text('second').finish();
    expect(new BinaryReader(first).text()).toBe('first');
  });

  test('are counted while they are written', () => {
    const writer = new BinaryWriter(1);
    expect(writer.size).toBe(0);
    expect(writer.byte(1).uint32(2).varint(300).text('é').size).toBe(1 + 4 + 2 + 3);
    writer.finish();
    expect(writer.size).toBe(0);
  });
});

describe('A counter', () => {
  test.each([
    [0, '00'],
    [1, '01'],
    [127, '7f'],
    [128, '8001'],
    [300, 'ac02'],
    [2 ** 31 - 1, 'ffffffff07'],
    [2 ** 31, '8080808008'],
    [2 ** 32 - 1, 'ffffffff0f'],
    [2 ** 32, '8080808010'],
    [2 ** 53 - 1, 'ffffffffffffff0f'],
  ])('%d stands on disk as %s', (value, layout) => {
    expect(new BinaryWriter(1).varint(value).finish().toString('hex')).toBe(layout);
    expect(new BinaryReader(Buffer.from(layout, 'hex')).varint()).toBe(value);
  });

  test('takes more bytes only when it is greater', () => {
    fc.assert(
      fc.property(anyCounter, anyCounter, (left, right) => {
        const size = (value: number): number => new BinaryWriter().varint(value).size;
        expect(left > right ? size(left) >= size(right) : size(left) <= size(right)).toBe(true);
        expect(size(left)).toBeLessThanOrEqual(8);
      }),
    );
  });

  test.each([-1, 0.5, NaN, Infinity, MAX + 1])('is never %d: the writer refuses it', (value) => {
    expect(() => new BinaryWriter().varint(value)).toThrow(RangeError);
  });
});

describe('A text', () => {
  test.each([
    ['', '00'],
    ['a', '0161'],
    ['é', '02c3a9'],
    ['\u{ff5e}', '03efbd9e'],
    ['\u{1f600}', '04f09f9880'],
    ['\ufeffa', '04efbbbf61'],
    ['\0', '0100'],
  ])('%j stands on disk as %s: its length in bytes, then UTF-8', (text, layout) => {
    expect(new BinaryWriter(1).text(text).finish().toString('hex')).toBe(layout);
    expect(new BinaryReader(Buffer.from(layout, 'hex')).text()).toBe(text);
  });
});

function write(writer: BinaryWriter, { kind, value }: Primitive): void {
  if (kind === 'text') writer.text(value);
  else if (kind === 'bytes') writer.bytes(value);
  else writer[kind](value);
}

function read(reader: BinaryReader, kind: Primitive['kind']): Primitive['value'] {
  return reader[kind]();
}

function plain(value: Primitive['value']): unknown {
  return value instanceof Uint8Array ? [...value] : value;
}
