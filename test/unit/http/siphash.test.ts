// Is the seal's hash SipHash-2-4? The vectors are those of its authors: key 00 01 … 0f, of the bytes 00, 01, 02 and so on.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { sipBytes, sipHash, sipStart, sipTake, sipText, type SipHash } from '../../../src/controllers/http/siphash.js';

const KEY = Buffer.from(Array.from({ length: 16 }, (_, place) => place));

/** By the number of bytes. */
const VECTORS = new Map([
  [0, '310e0edd47db6f72'],
  [1, 'fd67dc93c539f874'],
  [2, '5a4fa9d909806c0d'],
  [3, '2d7efbd796666785'],
  [7, '37d1018bf50002ab'],
  [8, '6224939a79f5f593'],
  [9, 'b0e4a90bdf82009e'],
  [15, 'e545be4961ca29a1'],
  [63, '724506eb4c328a95'],
]);

function hex({ low, high }: SipHash): string {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(low, 0);
  bytes.writeUInt32LE(high, 4);
  return bytes.toString('hex');
}

describe('SipHash', () => {
  it.each([...VECTORS])('of %i bytes is as published', (length, published) => {
    const bytes = Uint8Array.from({ length }, (_, place) => place);
    expect(hex(sipBytes(sipStart(KEY), bytes))).toBe(published);
  });

  it('is the same of a text and of its UTF-8', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: 'grapheme' })), (text) => {
        expect(sipText(sipStart(KEY), text)).toEqual(sipBytes(sipStart(KEY), Buffer.from(text)));
      }),
    );
  });

  it('is the same in one go and from a state that has taken the beginning', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (first, rest) => {
        const whole = Buffer.alloc(Math.ceil(first.length / 8) * 8);
        whole.set(first);
        const state = sipTake(sipStart(KEY), first);
        expect(sipBytes(state, rest)).toEqual(sipBytes(sipStart(KEY), Buffer.concat([whole, rest])));
      }),
    );
  });

  it('of another hash is that of its eight bytes', () => {
    const inner = sipText(sipStart(KEY), 'any');
    expect(sipHash(sipStart(KEY), inner)).toEqual(sipBytes(sipStart(KEY), Buffer.from(hex(inner), 'hex')));
  });
});
