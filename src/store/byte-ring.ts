// How is the newest of much kept in memory that neither grows nor is anything to the collector? As bytes, one piece after the
// other, over those that came first.

export interface RingPiece {
  /** Of all bytes that were ever put there. */
  readonly at: number;
  readonly length: number;
}

export class ByteRing {
  private readonly ring: Buffer;
  private end = 0;

  constructor(bytes: number) {
    this.ring = Buffer.allocUnsafeSlow(bytes);
  }

  /** @throws RangeError when it is larger than the ring */
  put(bytes: Uint8Array): RingPiece {
    const { length: size } = this.ring;
    const left = size - (this.end % size);
    const at = bytes.length <= left ? this.end : this.end + left;
    this.ring.set(bytes, at % size);
    this.end = at + bytes.length;
    return { at, length: bytes.length };
  }

  /** False: others have been put over it. */
  has({ at }: RingPiece): boolean {
    return at >= this.end - this.ring.length;
  }

  /** Valid until the next piece is put. */
  get({ at, length }: RingPiece): Buffer {
    const from = at % this.ring.length;
    return this.ring.subarray(from, from + length);
  }
}
