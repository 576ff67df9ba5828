// How are many small things kept in memory without a cost for each? As bytes in slabs, filled one after the other. An object for
// each would survive the young generation and be marked by every collection of the old one; bytes in a slab are nothing to the
// collector.
//
// When there is no room, the oldest slab goes. What was in use since it came there goes on to the newest: a second chance.

/** Little, so that letting one go is soon done. What is larger has a slab of its own. */
const SLAB_BYTES = 64 * 1024;

/** What an entry costs beside its bytes and its key: its place in the map, and the head of a string (measured). */
const ENTRY_OVERHEAD_BYTES = 80;

/** No single entry may push out more than this part of all. */
const ENTRY_SHARE_MAX = 1 / 16;

/** Of many entries in a slab that goes, no more than so much stays: otherwise one write might have to move all that is kept. */
const SECOND_CHANCE_BYTES_MAX = SLAB_BYTES / 2;

// An entry: its whole length and the length of its key (4 bytes each), whether it was in use (1), key, bytes.
const KEY_LENGTH_AT = 4;
const USED_AT = 8;
const HEADER_BYTES = 9;

const NO_SLAB = { bytes: Buffer.alloc(0), filled: 0 };

interface Slab {
  readonly bytes: Buffer;
  filled: number;
}

/** Keys are well-formed: what UTF-8 can't hold would not be found again. */
export class ByteCache {
  /** Where a key's entry stands: its slab's place in `slabs`, times `SLAB_BYTES`, and the offset in it. A small integer. */
  private readonly places = new Map<string, number>();
  private readonly slabs: Slab[] = [];
  /** Places in `slabs`: of those in use, the oldest first, and of the others. */
  private readonly used: number[] = [];
  private readonly free: number[] = [];
  /** The bytes of the slab that went last. */
  private spare: Buffer | undefined;
  private slabBytes = 0;
  private keyBytes = 0;

  /** @param bytesMax that all of it takes at most, roughly */
  constructor(private readonly bytesMax: number) {}

  has(key: string): boolean {
    return this.places.has(key);
  }

  /** Nobody changes these bytes. It counts as a use. */
  get(key: string): Buffer | undefined {
    const place = this.places.get(key);
    if (place === undefined) return undefined;
    const slab = this.slabAt(place);
    const at = place % SLAB_BYTES;
    slab[at + USED_AT] = 1;
    return keptBytes(slab, at);
  }

  /** As `get`, but no use. */
  peek(key: string): Buffer | undefined {
    const place = this.places.get(key);
    return place === undefined ? undefined : keptBytes(this.slabAt(place), place % SLAB_BYTES);
  }

  set(key: string, bytes: Uint8Array): void {
    this.append(key, bytes);
    while (this.size > this.bytesMax && this.used.length > 1) this.dropOldest();
  }

  delete(key: string): void {
    if (this.places.delete(key)) this.keyBytes -= key.length;
  }

  private get size(): number {
    return this.slabBytes + this.keyBytes + this.places.size * ENTRY_OVERHEAD_BYTES;
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
    const { size } = this.places;
    this.places.set(key, number * SLAB_BYTES + at);
    if (this.places.size > size) this.keyBytes += key.length;
  }

  /** Of the newest slab, or one more. */
  private numberWithRoom(length: number): number {
    const newest = this.used.at(-1);
    if (newest !== undefined) {
      const { filled, bytes } = this.slabs[newest]!;
      if (filled + length <= bytes.length) return newest;
    }
    const number = this.free.pop() ?? this.slabs.length;
    const bytes = length <= SLAB_BYTES ? this.takeSlab() : Buffer.allocUnsafeSlow(length);
    this.slabs[number] = { bytes, filled: 0 };
    this.used.push(number);
    this.slabBytes += bytes.length;
    return number;
  }

  private takeSlab(): Buffer {
    const bytes = this.spare ?? Buffer.allocUnsafeSlow(SLAB_BYTES);
    this.spare = undefined;
    return bytes;
  }

  private dropOldest(): void {
    const number = this.used.shift()!;
    const { bytes, filled } = this.slabs[number]!;
    this.slabBytes -= bytes.length;
    let left = isOfOne(bytes) ? bytes.length : SECOND_CHANCE_BYTES_MAX;
    for (let at = 0; at < filled; at += bytes.readUInt32LE(at)) {
      const key = keyAt(bytes, at);
      // It was written anew since, or is gone.
      if (this.places.get(key) !== number * SLAB_BYTES + at) continue;
      const isUsed = bytes[at + USED_AT] === 1;
      if (isUsed) left -= bytes.readUInt32LE(at);
      if (isUsed && left >= 0) this.append(key, bytesAt(bytes, at));
      else this.delete(key);
    }
    if (!isOfOne(bytes)) this.spare = bytes;
    this.slabs[number] = NO_SLAB;
    this.free.push(number);
  }
}

function isOfOne(slab: Buffer): boolean {
  return slab.length > SLAB_BYTES;
}

function keyAt(slab: Buffer, at: number): string {
  const from = at + HEADER_BYTES;
  return slab.toString('utf8', from, from + slab.readUInt32LE(at + KEY_LENGTH_AT));
}

function bytesAt(slab: Buffer, at: number): Buffer {
  return slab.subarray(at + HEADER_BYTES + slab.readUInt32LE(at + KEY_LENGTH_AT), at + slab.readUInt32LE(at));
}

/** A copy, since the slab is filled anew some day; one of a single entry never is. */
function keptBytes(slab: Buffer, at: number): Buffer {
  const bytes = bytesAt(slab, at);
  return isOfOne(slab) ? bytes : Buffer.from(bytes);
}
