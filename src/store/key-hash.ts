// Which number stands for a key in a table of this process? HalfSipHash-1-3 of its UTF-16: who does not know the secret can't
// make keys that share a number, and with them a table that is slow.
//
// Source: Aumasson, Bernstein: SipHash: a fast short-input PRF (INDOCRYPT 2012), its variant of 32-bit words.

import { randomBytes } from 'node:crypto';

/** Of a process of its own: nothing that is stored or sent depends on it. */
const secret = randomBytes(8);
const SECRET_LOW = secret.readInt32LE(0);
const SECRET_HIGH = secret.readInt32LE(4);

/** 32 bits, as a signed number. */
export function keyHash(key: string): number {
  return halfSipHash(key, SECRET_LOW, SECRET_HIGH);
}

export function halfSipHash(key: string, low: number, high: number): number {
  let a = low;
  let b = high;
  let c = low ^ 0x6c796765;
  let d = high ^ 0x74656462;
  const { length } = key;
  // Two units are a word; then one with the length and what is left; then the three rounds at the end.
  const words = length >> 1;
  for (let place = 0; place < words + 4; place++) {
    let word = 0;
    if (place < words) word = key.charCodeAt(2 * place) | (key.charCodeAt(2 * place + 1) << 16);
    else if (place === words) word = ((2 * length) << 24) | ((length & 1) === 1 ? key.charCodeAt(length - 1) : 0);
    else if (place === words + 1) c ^= 0xff;
    d ^= word;
    a = (a + b) | 0;
    b = ((b << 5) | (b >>> 27)) ^ a;
    a = (a << 16) | (a >>> 16);
    c = (c + d) | 0;
    d = ((d << 8) | (d >>> 24)) ^ c;
    a = (a + d) | 0;
    d = ((d << 7) | (d >>> 25)) ^ a;
    c = (c + b) | 0;
    b = ((b << 13) | (b >>> 19)) ^ c;
    c = (c << 16) | (c >>> 16);
    a ^= word;
  }
  return b ^ d;
}
