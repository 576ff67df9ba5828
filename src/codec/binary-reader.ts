// What do these bytes say? The counterpart of `BinaryWriter`. The bytes may come from anywhere, so every read is checked
// and a malformed input ends in `MalformedBytesError`, never in a wrong value or a read past the end.

import type { KnownTexts } from './known-texts.js';

/** The bytes are not what their format says: truncated, too long, or out of range. */
export class MalformedBytesError extends Error {
  readonly code = 'MALFORMED_BYTES';
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads primitives in order. `bytes` results are views of the input, not copies. */
export class BinaryReader {
  private position = 0;

  constructor(private readonly buffer: Uint8Array) {}

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
    this.position += length;
    return this.buffer.subarray(this.position - length, this.position);
  }

  bytes(): Uint8Array {
    return this.raw(this.varint());
  }

  text(): string {
    return textOf(this.bytes());
  }

  /** A text of a kind of which few come again and again. */
  knownText(known: KnownTexts): string {
    const bytes = this.bytes();
    const found = known.find(bytes);
    if (found !== undefined) return found;
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
