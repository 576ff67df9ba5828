// How are many small things kept in memory without a cost for each? As bytes in slabs, filled one after the other. An object for
// each would survive the young generation and be marked by every collection of the old one; bytes in a slab are nothing to the
// collector.
//
// When there is no room, the oldest slab goes. What was in use since it came there goes on to the newest: a second chance.

import { keyHash } from './key-hash.js';
import { NONE, PlaceTable } from './place-table.js';

/** Little, so that letting one go is soon done. What is larger has a slab of its own. */
const SLAB_BYTES = 64 * 1024;

/** No single entry may push out more than this part of all. */
const ENTRY_SHARE_MAX = 1 / 16;

/** Of many entries in a slab that goes, no more than so much stays: otherwise one write might have to move all that is kept. */
const SECOND_CHANCE_BYTES_MAX = SLAB_BYTES / 2;

// An entry: its whole length, the length of its key and the hash of it (4 bytes each), whether it was in use and how much is left
// free (1), what is left free, bytes, key.
const KEY_LENGTH_AT = 4;
const HASH_AT = 8;
const USED_AT = 12;
const HEADER_BYTES = 13;
const USED = 1;

/** So many bytes begin at a multiple of 8: V8 copies from and to shared memory by words then, and byte by byte otherwise. */
const WORDS_FROM_BYTES = 512;
const WORD_BYTES = 8;

const NO_SLAB = { bytes: Buffer.alloc(0), filled: 0 };

interface Slab {
  readonly bytes: Buffer;
  filled: number;
}

/** Keys are well-formed: what UTF-8 can't hold would not be found again. */
export class ByteCache {
  /** Where a key's entry stands, by its hash: its slab's place in `slabs`, times `SLAB_BYTES`, and the offset in it. */
  private readonly places = new PlaceTable();
  private readonly slabs: Slab[] = [];
  /** Places in `slabs`: of those in use, the oldest first, and of the others. */
  private readonly used: number[] = [];
  private readonly free: number[] = [];
  /** The bytes of the slab that went last. */
  private spare: Buffer | undefined;
  private slabBytes = 0;

  /** @param bytesMax that all of it takes at most, roughly */
  constructor(
    private readonly bytesMax: number,
    private readonly hashOf: (key: string) => number = keyHash,
  ) {}

  has(key: string): boolean {
    return this.slotOf(key, this.hashOf(key)) !== NONE;
  }

  /** Nobody changes these bytes. It counts as a use. */
  get(key: string): Buffer | undefined {
    const slot = this.slotOf(key, this.hashOf(key));
    if (slot === NONE) return undefined;
    const place = this.places.placeAt(slot);
    const slab = this.slabAt(place);
    const at = place % SLAB_BYTES;
    slab[at + USED_AT]! |= USED;
    return keptBytes(slab, at);
  }

  /** As `get`, but no use. */
  peek(key: string): Buffer | undefined {
    const slot = this.slotOf(key, this.hashOf(key));
    if (slot === NONE) return undefined;
    const place = this.places.placeAt(slot);
    return keptBytes(this.slabAt(place), place % SLAB_BYTES);
  }

  set(key: string, bytes: Uint8Array): void {
    const hash = this.hashOf(key);
    const slot = this.slotOf(key, hash);
    const keyLength = Buffer.byteLength(key);
    const free = bytes.length < WORDS_FROM_BYTES ? 0 : WORD_BYTES - 1;
    const room = HEADER_BYTES + free + bytes.length + keyLength;
    if (room > this.bytesMax * ENTRY_SHARE_MAX) {
      if (slot !== NONE) this.places.remove(slot);
      return;
    }
    const place = this.placeFor(room);
    const slab = this.slabAt(place);
    const at = place % SLAB_BYTES;
    const bytesAt = at + HEADER_BYTES + (free & -(at + HEADER_BYTES));
    slab.writeUInt32LE(room, at);
    slab.writeUInt32LE(keyLength, at + KEY_LENGTH_AT);
    slab.writeInt32LE(hash, at + HASH_AT);
    slab[at + USED_AT] = (bytesAt - at - HEADER_BYTES) << 1;
    slab.set(bytes, bytesAt);
    slab.write(key, at + room - keyLength);
    if (slot === NONE) this.places.add(hash, place);
    else this.places.move(slot, place);
    while (this.size > this.bytesMax && this.used.length > 1) this.dropOldest();
  }

  delete(key: string): void {
    const slot = this.slotOf(key, this.hashOf(key));
    if (slot !== NONE) this.places.remove(slot);
  }

  private get size(): number {
    return this.slabBytes + this.places.bytes;
  }

  private slotOf(key: string, hash: number): number {
    const { places } = this;
    for (let slot = places.first(hash); slot !== NONE; slot = places.next(slot, hash)) {
      const place = places.placeAt(slot);
      if (isKeyAt(this.slabAt(place), place % SLAB_BYTES, key)) return slot;
    }
    return NONE;
  }

  private slotOfPlace(place: number, hash: number): number {
    const { places } = this;
    let slot = places.first(hash);
    while (slot !== NONE && places.placeAt(slot) !== place) slot = places.next(slot, hash);
    return slot;
  }

  private slabAt(place: number): Buffer {
    return this.slabs[Math.floor(place / SLAB_BYTES)]!.bytes;
  }

  /** Room for an entry of this length, which is taken by that. */
  private placeFor(length: number): number {
    const number = this.numberWithRoom(length);
    const slab = this.slabs[number]!;
    const place = number * SLAB_BYTES + slab.filled;
    slab.filled += length;
    return place;
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
    // Shared with nobody: but V8 does not count what could be, and takes all else for growth that a whole collection would help.
    const bytes = this.spare ?? Buffer.from(new SharedArrayBuffer(SLAB_BYTES));
    this.spare = undefined;
    return bytes;
  }

  private dropOldest(): void {
    const number = this.used.shift()!;
    const { bytes, filled } = this.slabs[number]!;
    this.slabBytes -= bytes.length;
    let left = isOfOne(bytes) ? bytes.length : SECOND_CHANCE_BYTES_MAX;
    for (let at = 0; at < filled; at += bytes.readUInt32LE(at)) {
      const slot = this.slotOfPlace(number * SLAB_BYTES + at, bytes.readInt32LE(at + HASH_AT));
      // It was written anew since, or is gone.
      if (slot === NONE) continue;
      const isUsed = (bytes[at + USED_AT]! & USED) !== 0;
      if (isUsed) left -= bytes.readUInt32LE(at);
      if (isUsed && left >= 0) this.places.move(slot, this.copied(bytes, at));
      else this.places.remove(slot);
    }
    if (!isOfOne(bytes)) this.spare = bytes;
    this.slabs[number] = NO_SLAB;
    this.free.push(number);
  }

  /** An entry that has not been in use since then. @returns where it is now, too */
  private copied(bytes: Buffer, at: number): number {
    const length = bytes.readUInt32LE(at);
    const place = this.placeFor(length);
    const slab = this.slabAt(place);
    bytes.copy(slab, place % SLAB_BYTES, at, at + length);
    slab[(place % SLAB_BYTES) + USED_AT]! &= ~USED;
    return place;
  }
}

function isOfOne(slab: Buffer): boolean {
  return slab.length > SLAB_BYTES;
}

function isKeyAt(slab: Buffer, at: number, key: string): boolean {
  const length = slab.readUInt32LE(at + KEY_LENGTH_AT);
  const from = keyFrom(slab, at);
  // As many bytes as units: a key of ASCII, or another one.
  for (let place = 0; place < key.length && key.length === length; place++) {
    const code = key.charCodeAt(place);
    if (code > 0x7f || code !== slab[from + place]) return false;
  }
  return key.length === length || slab.toString('utf8', from, from + length) === key;
}

function keyFrom(slab: Buffer, at: number): number {
  return at + slab.readUInt32LE(at) - slab.readUInt32LE(at + KEY_LENGTH_AT);
}

/** A copy, since the slab is filled anew some day; one of a single entry never is. */
function keptBytes(slab: Buffer, at: number): Buffer {
  const rest = keyFrom(slab, at) - at - HEADER_BYTES;
  const from = at + HEADER_BYTES + (slab[at + USED_AT]! >> 1);
  const bytes = slab.subarray(from, from + rest - (rest < WORDS_FROM_BYTES ? 0 : WORD_BYTES - 1));
  return isOfOne(slab) ? bytes : Buffer.from(bytes);
}
