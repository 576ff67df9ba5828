// Members read back as they were; a version that can't be counted on from is refused.

import { describe, expect, test } from '@jest/globals';
import { forget, NO_MEMBERS, type Members } from '../../../src/clock/membership.js';
import { BinaryReader, MalformedBytesError } from '../../../src/codec/binary-reader.js';
import { BinaryWriter } from '../../../src/codec/binary-writer.js';
import { readMembers, writeMembers } from '../../../src/codec/members-codec.js';

/** Whoever is told of it may forget the node, and the node may join again. */
const VERSION_MAX = Number.MAX_SAFE_INTEGER - 2;

function readBack(members: Members): Members {
  const writer = new BinaryWriter();
  writeMembers(writer, members);
  const reader = new BinaryReader(writer.finish());
  const read = readMembers(reader);
  reader.end();
  return read;
}

function member(version: number): Members {
  return new Map([['n1', { url: 'http://n1:5000', version }]]);
}

describe('Members', () => {
  test.each([0, 1, 300, VERSION_MAX - 1, VERSION_MAX])('read back with version %d', (version) => {
    expect(readBack(member(version))).toEqual(member(version));
  });

  test('may be none', () => {
    expect(readBack(NO_MEMBERS)).toEqual(NO_MEMBERS);
  });

  test('that are forgotten are still read, whatever version they had', () => {
    expect(readBack(forget(readBack(member(VERSION_MAX - 1)), 'n1'))).toEqual(member(VERSION_MAX));
  });

  test.each([VERSION_MAX + 1, VERSION_MAX + 2])(
    'with version %d are refused: no more changes can be counted',
    (version) => {
      expect(() => readBack(member(version))).toThrow(MalformedBytesError);
      expect(() => readBack(member(version))).toThrow('the version of n1 is too large');
    },
  );
});
