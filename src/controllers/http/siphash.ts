// How is a short text sealed, for each answer anew? By SipHash-2-4, a keyed hash made for short inputs: 64 bits, a key of
// 128. A call into a crypto library costs more than ten times as much as hashing twenty bytes does.
//
// Many texts that begin alike are hashed from a state that has taken the beginning in already.
// Source: Aumasson, Bernstein: SipHash: a fast short-input PRF (INDOCRYPT 2012). 64-bit words are pairs of 32-bit halves.

/** The four words of the state, a to d, each as its low and its high half. Plain fields are copied fastest. */
class Words {
  al = 0;
  ah = 0;
  bl = 0;
  bh = 0;
  cl = 0;
  ch = 0;
  dl = 0;
  dh = 0;

  copy(from: Words): this {
    this.al = from.al;
    this.ah = from.ah;
    this.bl = from.bl;
    this.bh = from.bh;
    this.cl = from.cl;
    this.ch = from.ch;
    this.dl = from.dl;
    this.dh = from.dh;
    return this;
  }
}

const WORD_BYTES = 8;

/** The state after some whole words; never changed. */
export interface SipState {
  readonly words: Words;
  readonly bytes: number;
}

/** A hash, as its low and its high 32 bits. */
export interface SipHash {
  readonly low: number;
  readonly high: number;
}

const scratch = new Words();

/** @param key 16 bytes */
export function sipStart(key: Buffer): SipState {
  const [k0l, k0h] = [key.readInt32LE(0), key.readInt32LE(4)];
  const [k1l, k1h] = [key.readInt32LE(8), key.readInt32LE(12)];
  const words = new Words();
  words.al = k0l ^ 0x70736575;
  words.ah = k0h ^ 0x736f6d65;
  words.bl = k1l ^ 0x6e646f6d;
  words.bh = k1h ^ 0x646f7261;
  words.cl = k0l ^ 0x6e657261;
  words.ch = k0h ^ 0x6c796765;
  words.dl = k1l ^ 0x79746573;
  words.dh = k1h ^ 0x74656462;
  return { words, bytes: 0 };
}

/** The state after these bytes too, and as many zeros as the last word lacks. */
export function sipTake(state: SipState, bytes: Uint8Array): SipState {
  const words = new Words().copy(state.words);
  const whole = Math.ceil(bytes.length / WORD_BYTES) * WORD_BYTES;
  for (let place = 0; place < whole; place += WORD_BYTES) take(words, half(bytes, place), half(bytes, place + 4));
  return { words, bytes: state.bytes + whole };
}

/** The state after a word too, whose first four bytes these are, the least significant first, and the others zeros. */
export function sipWord(state: SipState, low: number): SipState {
  const words = new Words().copy(state.words);
  take(words, low, 0);
  return { words, bytes: state.bytes + WORD_BYTES };
}

/** The hash of what the state has taken, and of these bytes. */
export function sipBytes(state: SipState, bytes: Uint8Array): SipHash {
  scratch.copy(state.words);
  const whole = bytes.length - (bytes.length % WORD_BYTES);
  for (let place = 0; place < whole; place += WORD_BYTES) take(scratch, half(bytes, place), half(bytes, place + 4));
  return finish(half(bytes, whole), half(bytes, whole + 4), state.bytes + bytes.length);
}

/** The hash of what the state has taken, and of the text's UTF-8. */
export function sipText(state: SipState, text: string): SipHash {
  scratch.copy(state.words);
  const { length } = text;
  let place = 0;
  let low = 0;
  let high = 0;
  for (; place < length; place++) {
    const code = text.charCodeAt(place);
    if (code > 0x7f) return sipBytes(state, Buffer.from(text));
    if ((place & 4) === 0) low |= code << ((place & 3) << 3);
    else high |= code << ((place & 3) << 3);
    if ((place & 7) === 7) {
      take(scratch, low, high);
      low = high = 0;
    }
  }
  return finish(low, high, state.bytes + length);
}

/** The hash of what the state has taken, and of another hash. */
export function sipHash(state: SipState, { low, high }: SipHash): SipHash {
  scratch.copy(state.words);
  take(scratch, low, high);
  return finish(0, 0, state.bytes + WORD_BYTES);
}

function finish(low: number, high: number, bytes: number): SipHash {
  take(scratch, low, high | (bytes << 24));
  scratch.cl ^= 0xff;
  rounds(scratch, 4);
  return {
    low: (scratch.al ^ scratch.bl ^ scratch.cl ^ scratch.dl) >>> 0,
    high: (scratch.ah ^ scratch.bh ^ scratch.ch ^ scratch.dh) >>> 0,
  };
}

/** Four bytes, the least significant first; zeros behind the end. */
function half(bytes: Uint8Array, place: number): number {
  if (place + 4 <= bytes.length) {
    return bytes[place]! | (bytes[place + 1]! << 8) | (bytes[place + 2]! << 16) | (bytes[place + 3]! << 24);
  }
  return (
    (bytes[place] ?? 0) |
    ((bytes[place + 1] ?? 0) << 8) |
    ((bytes[place + 2] ?? 0) << 16) |
    ((bytes[place + 3] ?? 0) << 24)
  );
}

function take(words: Words, low: number, high: number): void {
  words.dl ^= low;
  words.dh ^= high;
  rounds(words, 2);
  words.al ^= low;
  words.ah ^= high;
}

function rounds(words: Words, count: number): void {
  let al = words.al;
  let ah = words.ah;
  let bl = words.bl;
  let bh = words.bh;
  let cl = words.cl;
  let ch = words.ch;
  let dl = words.dl;
  let dh = words.dh;
  for (let round = 0; round < count; round++) {
    let sum = (al >>> 0) + (bl >>> 0);
    ah = (ah + bh + (sum > 0xffffffff ? 1 : 0)) | 0;
    al = sum | 0;
    let old = bl;
    bl = ((bl << 13) | (bh >>> 19)) ^ al;
    bh = ((bh << 13) | (old >>> 19)) ^ ah;
    old = al;
    al = ah;
    ah = old;

    sum = (cl >>> 0) + (dl >>> 0);
    ch = (ch + dh + (sum > 0xffffffff ? 1 : 0)) | 0;
    cl = sum | 0;
    old = dl;
    dl = ((dl << 16) | (dh >>> 16)) ^ cl;
    dh = ((dh << 16) | (old >>> 16)) ^ ch;

    sum = (al >>> 0) + (dl >>> 0);
    ah = (ah + dh + (sum > 0xffffffff ? 1 : 0)) | 0;
    al = sum | 0;
    old = dl;
    dl = ((dl << 21) | (dh >>> 11)) ^ al;
    dh = ((dh << 21) | (old >>> 11)) ^ ah;

    sum = (cl >>> 0) + (bl >>> 0);
    ch = (ch + bh + (sum > 0xffffffff ? 1 : 0)) | 0;
    cl = sum | 0;
    old = bl;
    bl = ((bl << 17) | (bh >>> 15)) ^ cl;
    bh = ((bh << 17) | (old >>> 15)) ^ ch;
    old = cl;
    cl = ch;
    ch = old;
  }
  words.al = al;
  words.ah = ah;
  words.bl = bl;
  words.bh = bh;
  words.cl = cl;
  words.ch = ch;
  words.dl = dl;
  words.dh = dh;
}
