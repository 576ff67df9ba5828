import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { halfSipHash, keyHash } from '../../../src/store/key-hash.js';

describe('the hash of a key', () => {
  it('is HalfSipHash-1-3, by the vectors that the Linux kernel tests its own with', () => {
    // lib/siphash_kunit.c, those of an even number of bytes: 0, 1, 2 and on, with the secret 0 to 7.
    const expected = [0x5814c896, 0xbc4b0e30, 0x7e059ea6, 0xa0080b65, 0x577999b1, 0xe4fa32cf];
    const hashes = expected.map((_, words) => {
      const bytes = Buffer.from(Array.from({ length: 2 * words }, (_, place) => place));
      return halfSipHash(bytes.toString('utf16le'), 0x03020100, 0x07060504) >>> 0;
    });
    expect(hashes).toEqual(expected);
  });

  it('is the same for the same key, and of another secret another', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (key) => {
        expect(keyHash(Buffer.from(key, 'utf16le').toString('utf16le'))).toBe(keyHash(key));
      }),
    );
    const hashes = Array.from({ length: 1000 }, (_, secret) => halfSipHash('key', secret, 0));
    expect(new Set(hashes).size).toBe(1000);
  });
});
