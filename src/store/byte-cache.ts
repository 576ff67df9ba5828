// How are many small things kept in memory without a cost for each? As bytes in slabs, filled one after the other. An object for
// each would survive the young generation and be marked by every collection of the old one; bytes in a slab are nothing to the
// collector.
//
// When there is no room, the oldest slab goes. What was in use since it came there goes on to the newest: a second chance.

/** Little, so that letting one go is soon done. What is larger has a slab of its own. */
const SLAB_BYTES = 64 * 1024;

/** What an entry costs beside its bytes: its key, and its place in the map (measured). */
const ENTRY_OVERHEAD_BYTES = 80;

/** No single entry may push out more than this part of all. */
const ENTRY_SHARE_MAX = 1 / 16;

/** Of a slab that goes, no more than this part stays: otherwise none of them might ever make room. */
const SECOND_CHANCE_SHARE = 1 / 2;

// An entry: its whole length and the length of its key (4 bytes each), whether it was in use (1), key, bytes.
const KEY_LENGTH_AT = 4;
const USED_AT = 8;
const HEADER_BYTES = 9;

interface Slab {
  readonly bytes: Buffer;
  filled: number;
}

export class ByteCache {
  /** Where a key's entry stands: its slab's place in `slabs`, times `SLAB_BYTES`, and the offset in it. A small integer. */
  private readonly places = new Map<string, number>();
  private readonly slabs: Slab[] = [];
  /** Places in `slabs`: of those in use, the oldest first, and of the others. */
  private readonly used: number[] = [];
  private readonly free: number[] = [];
  private bytes = 0;

  /** @param bytesMax that all of it takes at most, roughly */
  constructor(private readonly bytesMax: number) {}

  has(key: string): boolean {
    return this.places.has(key);
  }

  /** A view, valid until the next `set`. It counts as a use. */
  get(key: string): Buffer | undefined {
    const place = this.places.get(key);
    if (place === undefined) return undefined;
    const slab = this.slabAt(place);
    const at = place % SLAB_BYTES;
    slab[at + USED_AT] = 1;
    return bytesAt(slab, at);
  }

  /** As `get`, but no use. */
  peek(key: string): Buffer | undefined {
    const place = this.places.get(key);
    return place === undefined ? undefined : bytesAt(this.slabAt(place), place % SLAB_BYTES);
  }

  set(key: string, bytes: Uint8Array): void {
    this.append(key, bytes);
    while (this.bytes + this.places.size * ENTRY_OVERHEAD_BYTES > this.bytesMax && this.used.length > 1) {
      this.dropOldest();
    }
  }

  delete(key: string): void {
    this.places.delete(key);
  }

  private slabAt(place: number): Buffer {
    return this.slabs[Math.floor(place / SLAB_BYTES)]!.bytes;
  }

  private append(key: string, bytes: Uint8Array): void {
    const keyLength = Buffer.byteLength(key);
    const length = HEADER_BYTES + keyLength + bytes.length;
    if (length > this.bytesMax * ENTRY_SHARE_MAX) return this.delete(key);
    const number = this.numberWithRoom(length);
    const slab = this.slabs[number]!;
    const at = slab.filled;
    slab.bytes.writeUInt32LE(length, at);
    slab.bytes.writeUInt32LE(keyLength, at + KEY_LENGTH_AT);
    slab.bytes[at + USED_AT] = 0;
    slab.bytes.write(key, at + HEADER_BYTES);
    slab.bytes.set(bytes, at + HEADER_BYTES + keyLength);
    slab.filled += length;
    this.places.set(key, number * SLAB_BYTES + at);
  }

  /** Of the newest slab, or one more. */
  private numberWithRoom(length: number): number {
    const newest = this.used.at(-1);
    if (newest !== undefined) {
      const { filled, bytes } = this.slabs[newest]!;
      if (filled + length <= bytes.length) return newest;
    }
    const number = this.free.pop() ?? this.slabs.length;
    const size = Math.max(SLAB_BYTES, length);
    const isAtHand = this.slabs[number]?.bytes.length === size;
    this.slabs[number] = { bytes: isAtHand ? this.slabs[number]!.bytes : Buffer.allocUnsafeSlow(size), filled: 0 };
    this.used.push(number);
    this.bytes += size;
    return number;
  }

  private dropOldest(): void {
    const number = this.used.shift()!;
    const { bytes, filled } = this.slabs[number]!;
    this.bytes -= bytes.length;
    let chances = bytes.length * SECOND_CHANCE_SHARE;
    for (let at = 0; at < filled; at += bytes.readUInt32LE(at)) {
      const key = keyAt(bytes, at);
      // It was written anew since, or is gone.
      if (this.places.get(key) !== number * SLAB_BYTES + at) continue;
      chances -= bytes.readUInt32LE(at);
      if (bytes[at + USED_AT] === 1 && chances >= 0) this.append(key, bytesAt(bytes, at));
      else this.places.delete(key);
    }
    if (bytes.length > SLAB_BYTES) this.slabs[number] = { bytes: NO_BYTES, filled: 0 };
    this.free.push(number);
  }
}

const NO_BYTES = Buffer.alloc(0);

function keyAt(slab: Buffer, at: number): string {
  const from = at + HEADER_BYTES;
  return slab.toString('utf8', from, from + slab.readUInt32LE(at + KEY_LENGTH_AT));
}

function bytesAt(slab: Buffer, at: number): Buffer {
  return slab.subarray(at + HEADER_BYTES + slab.readUInt32LE(at + KEY_LENGTH_AT), at + slab.readUInt32LE(at));
}
