// How are bytes laid out? One growing buffer, little primitives, no reflection: records, messages and tokens are
// written with it. Counters exceed 32 bits, so varints are computed by division: `|` and `<<` would truncate them.

/** Up to here a text of ASCII is written faster character by character than by a call into native code. */
const SHORT_TEXT_MAX = 64;

/** Appends primitives to a buffer that doubles as needed. One value at a time: `finish` hands the bytes out and resets. */
export class BinaryWriter {
  private buffer: Buffer;
  private length = 0;

  constructor(initialBytes = 256) {
    this.buffer = Buffer.allocUnsafe(initialBytes);
  }

  /** Bytes written since the last `finish`. */
  get size(): number {
    return this.length;
  }

  byte(value: number): this {
    this.reserve(1);
    this.buffer[this.length++] = value;
    return this;
  }

  uint32(value: number): this {
    this.reserve(4);
    this.length = this.buffer.writeUInt32BE(value, this.length);
    return this;
  }

  /**
   * An integer from 0 to 2^53 - 1 in base 128, least significant group first (LEB128): 1 to 8 bytes.
   * @throws RangeError for any other number: a wrong counter must not reach a disk or a peer
   */
  varint(value: number): this {
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${value} is not a counter`);
    this.reserve(8);
    while (value >= 0x80) {
      this.buffer[this.length++] = (value % 0x80) + 0x80;
      value = Math.floor(value / 0x80);
    }
    this.buffer[this.length++] = value;
    return this;
  }

  raw(bytes: Uint8Array): this {
    this.reserve(bytes.length);
    this.buffer.set(bytes, this.length);
    this.length += bytes.length;
    return this;
  }

  /** Length, then the bytes. */
  bytes(bytes: Uint8Array): this {
    return this.varint(bytes.length).raw(bytes);
  }

  /** Length in bytes, then UTF-8. */
  text(text: string): this {
    if (text.length <= SHORT_TEXT_MAX && this.shortAscii(text)) return this;
    const size = Buffer.byteLength(text);
    this.varint(size);
    this.reserve(size);
    this.length += this.buffer.write(text, this.length, 'utf8');
    return this;
  }

  /** The bytes written, in a buffer of their own; the writer is empty again. */
  finish(): Buffer {
    const bytes = Buffer.allocUnsafe(this.length);
    this.buffer.copy(bytes, 0, 0, this.length);
    this.length = 0;
    return bytes;
  }

  /** The bytes written, valid until the next is. */
  view(): Uint8Array {
    return this.buffer.subarray(0, this.length);
  }

  /** Forgets what an interrupted value has left. */
  clear(): void {
    this.length = 0;
  }

  /** Its length takes one byte. @returns false, with nothing written, when there is more than ASCII in it */
  private shortAscii(text: string): boolean {
    const { length } = text;
    this.reserve(1 + length);
    const { buffer, length: start } = this;
    for (let place = 0; place < length; place++) {
      const code = text.charCodeAt(place);
      if (code >= 0x80) return false;
      buffer[start + 1 + place] = code;
    }
    buffer[start] = length;
    this.length = start + 1 + length;
    return true;
  }

  private reserve(bytes: number): void {
    if (this.length + bytes <= this.buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.length + bytes));
    this.buffer.copy(grown, 0, 0, this.length);
    this.buffer = grown;
  }
}
