// A version vector reads back as it was, and what is no version vector is refused.

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { VersionVector } from '../../../src/clock/version-vector.js';
import { BinaryReader, MalformedBytesError } from '../../../src/codec/binary-reader.js';
import { BinaryWriter } from '../../../src/codec/binary-writer.js';
import { readActor, readVector, writeVector } from '../../../src/codec/vector-codec.js';
import { vector } from '../../support/clock-arbitraries.js';

const anyActor = fc.stringMatching(/^[a-z0-9-]{1,63}\.[a-z0-9]{1,16}$/);
const anyWideVector: fc.Arbitrary<VersionVector> = fc
  .uniqueArray(fc.tuple(anyActor, fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })), {
    selector: ([actor]) => actor,
    maxLength: 8,
  })
  .map((entries) => new Map(entries));

describe('A version vector', () => {
  test('reads back with the same entries in the same order', () => {
    fc.assert(
      fc.property(anyWideVector, (written) => {
        const reader = new BinaryReader(bytesOf(written));
        expect([...readVector(reader)]).toEqual([...written]);
        reader.end();
      }),
    );
  });

  test('stands on disk as a count, and actor and counter of each entry', () => {
    expect(bytesOf(vector({})).toString('hex')).toBe('00');
    expect(bytesOf(vector({ 'n1.a': 1, 'n2.b': 300 })).toString('hex')).toBe(
      '02' + '046e312e61' + '01' + '046e322e62' + 'ac02',
    );
  });

  test('that is cut short is refused, wherever it is cut', () => {
    const whole = bytesOf(vector({ 'n1.a': 1, 'n2.b': 2 ** 40 }));
    for (let length = 0; length < whole.length; length++) {
      expect(() => readVector(new BinaryReader(whole.subarray(0, length)))).toThrow(MalformedBytesError);
    }
  });

  test('with an actor that stands twice is refused', () => {
    const bytes = new BinaryWriter().varint(2).text('n1.a').varint(1).text('n1.a').varint(2).finish();
    expect(() => readVector(new BinaryReader(bytes))).toThrow('the entry of n1.a is not valid');
  });

  test('with a counter of 0 is refused: no write has it', () => {
    const bytes = new BinaryWriter().varint(1).text('n1.a').varint(0).finish();
    expect(() => readVector(new BinaryReader(bytes))).toThrow('the entry of n1.a is not valid');
  });

  test('that announces more entries than it can have is refused at once', () => {
    const bytes = new BinaryWriter().varint(2 ** 40).finish();
    expect(() => readVector(new BinaryReader(bytes))).toThrow('items are announced');
  });
});

describe('An actor', () => {
  test.each(['n1.a', '-.0', `${'n'.repeat(63)}.${'z'.repeat(16)}`])('may be %s', (actor) => {
    expect(readActor(new BinaryReader(new BinaryWriter().text(actor).finish()))).toBe(actor);
  });

  test.each([
    '',
    'n1',
    '.a',
    'n1.',
    'n1.a.b',
    'N1.a',
    'n1.A',
    'n 1.a',
    'é.a',
    'n1.a\n',
    '__proto__',
    `${'n'.repeat(64)}.a`,
    `n1.${'z'.repeat(17)}`,
  ])('is never %j', (actor) => {
    expect(() => readActor(new BinaryReader(new BinaryWriter().text(actor).finish()))).toThrow(MalformedBytesError);
  });
});

function bytesOf(written: VersionVector): Buffer {
  const writer = new BinaryWriter();
  writeVector(writer, written);
  return writer.finish();
}
