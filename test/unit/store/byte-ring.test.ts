import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ByteRing, type RingPiece } from '../../../src/store/byte-ring.js';

const SIZE = 100;
const PIECE_MAX = 30;

describe('a ring of bytes', () => {
  it('has each piece as it was put, until others take its place, and the newest always', () => {
    const piece = fc.tuple(fc.nat(PIECE_MAX), fc.nat(255)).map(([length, fill]) => Buffer.alloc(length, fill));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30, size: 'max' }), (pieces) => {
        const ring = new ByteRing(SIZE);
        const placed: { at: RingPiece; bytes: Buffer }[] = [];
        for (const bytes of pieces) {
          placed.push({ at: ring.put(bytes), bytes });
          let since = 0;
          for (const { at, bytes } of placed.toReversed()) {
            since += bytes.length;
            if (since <= SIZE - PIECE_MAX) expect(ring.has(at)).toBe(true);
            if (since > SIZE) expect(ring.has(at)).toBe(false);
            if (ring.has(at)) expect(ring.get(at).equals(bytes)).toBe(true);
          }
        }
      }),
    );
  });

  it('takes a piece as large as itself, and none that is larger', () => {
    const ring = new ByteRing(SIZE);
    ring.put(Buffer.alloc(1, 1));
    const piece = ring.put(Buffer.alloc(SIZE, 7));
    expect(ring.get(piece).equals(Buffer.alloc(SIZE, 7))).toBe(true);
    expect(() => ring.put(Buffer.alloc(SIZE + 1))).toThrow('out of bounds');
    expect(ring.has(piece)).toBe(true);
  });
});
