// What do these bytes say? The counterpart of `BinaryWriter`. The bytes may come from anywhere, so every read is checked
// and a malformed input ends in `MalformedBytesError`, never in a wrong value or a read past the end.

import type { KnownTexts } from './known-texts.js';

/** The bytes are not what their format says: truncated, too long, or out of range. */
export class MalformedBytesError extends Error {
  readonly code = 'MALFORMED_BYTES';
}

/** Up to here it is faster to look whether a text is ASCII than to have it decoded as if it were not. */
const SHORT_TEXT_MAX = 64;

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads primitives in order. `bytes` results are views of the input, not copies. */
export class BinaryReader {
  private position = 0;
  private readonly buffer: Buffer;

  constructor(bytes: Uint8Array) {
    this.buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get remaining(): number {
    return this.buffer.length - this.position;
  }

  byte(): number {
    this.require(1);
    return this.buffer[this.position++]!;
  }

  uint32(): number {
    const [a, b, c, d] = [this.byte(), this.byte(), this.byte(), this.byte()];
    return a * 0x1000000 + b * 0x10000 + c * 0x100 + d;
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (let groups = 0; groups < 8; groups++) {
      const group = this.byte();
      value += (group % 0x80) * scale;
      if (group < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) break;
        return value;
      }
      scale *= 0x80;
    }
    throw new MalformedBytesError('a number is longer than 53 bits');
  }

  /** A count of items that take at least `itemBytesMin` bytes each, so that a short input cannot announce a huge list. */
  count(itemBytesMin: number): number {
    const items = this.varint();
    if (items * itemBytesMin > this.remaining) {
      throw new MalformedBytesError(`${items} items are announced, ${this.remaining} bytes are left`);
    }
    return items;
  }

  raw(length: number): Uint8Array {
    this.require(length);
    const { buffer, position } = this;
    this.position += length;
    return new Uint8Array(buffer.buffer, buffer.byteOffset + position, length);
  }

  bytes(): Uint8Array {
    return this.raw(this.varint());
  }

  text(): string {
    const length = this.varint();
    if (length <= SHORT_TEXT_MAX) {
      this.require(length);
      const from = this.position;
      let end = from;
      while (end < from + length && this.buffer[end]! < 0x80) end++;
      if (end === from + length) {
        this.position = end;
        return this.buffer.toString('latin1', from, end);
      }
    }
    return textOf(this.raw(length));
  }

  /** A text of a kind of which few come again and again. */
  knownText(known: KnownTexts): string {
    const length = this.varint();
    this.require(length);
    const found = known.find(this.buffer, this.position, length);
    if (found !== undefined) {
      this.position += length;
      return found;
    }
    const bytes = this.raw(length);
    const text = textOf(bytes);
    if (!known.pattern.test(text)) throw new MalformedBytesError(known.problem);
    known.add(bytes, text);
    return text;
  }

  /** Asserts that everything has been read: trailing bytes mean another format or a damaged one. */
  end(): void {
    if (this.remaining > 0) throw new MalformedBytesError(`${this.remaining} bytes are left over`);
  }

  private require(bytes: number): void {
    if (bytes > this.remaining) {
      throw new MalformedBytesError(`${bytes} bytes are needed, ${this.remaining} are left`);
    }
  }
}

function textOf(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new MalformedBytesError('a text is not UTF-8');
  }
}
