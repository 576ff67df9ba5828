// Where is what has this hash? Numbers by the hash of what stands there, in two arrays with open addressing. A Map from keys
// would keep a string for each key, and tables for the collector to mark and to leave behind in the old generation.

const SLOTS_MIN = 1024;

/** Of the slots, at most so many are taken. */
const FILL_MAX = 3 / 4;

/** No slot. */
export const NONE = -1;

export class PlaceTable {
  private hashes = new Int32Array(SLOTS_MIN);
  /** One more than the place; 0: the slot is free. */
  private taken = new Uint32Array(SLOTS_MIN);
  private count = 0;

  /** What it takes of the memory. */
  get bytes(): number {
    return this.hashes.byteLength + this.taken.byteLength;
  }

  placeAt(slot: number): number {
    return this.taken[slot]! - 1;
  }

  /** @returns the first slot with this hash, or `NONE` */
  first(hash: number): number {
    return this.from(this.home(hash), hash);
  }

  /** @returns the next slot with this hash after that one, or `NONE` */
  next(slot: number, hash: number): number {
    return this.from(this.after(slot), hash);
  }

  /** @param place below 2 ** 32 - 1 */
  add(hash: number, place: number): void {
    if (this.count >= this.taken.length * FILL_MAX) this.grow();
    this.count++;
    this.put(hash, place + 1);
  }

  /** The same hash is at another place now. */
  move(slot: number, place: number): void {
    this.taken[slot] = place + 1;
  }

  /** No slot that was found before stays valid. */
  remove(slot: number): void {
    this.count--;
    // What follows without a gap is found by walking over this slot: whatever may, moves up.
    let free = slot;
    for (let at = this.after(slot); this.taken[at] !== 0; at = this.after(at)) {
      if (this.distance(this.home(this.hashes[at]!), at) < this.distance(free, at)) continue;
      this.hashes[free] = this.hashes[at]!;
      this.taken[free] = this.taken[at]!;
      free = at;
    }
    this.taken[free] = 0;
  }

  private from(slot: number, hash: number): number {
    for (let at = slot; this.taken[at] !== 0; at = this.after(at)) if (this.hashes[at] === hash) return at;
    return NONE;
  }

  private put(hash: number, taken: number): void {
    let at = this.home(hash);
    while (this.taken[at] !== 0) at = this.after(at);
    this.hashes[at] = hash;
    this.taken[at] = taken;
  }

  private grow(): void {
    const { hashes, taken } = this;
    this.hashes = new Int32Array(hashes.length * 2);
    this.taken = new Uint32Array(taken.length * 2);
    for (let at = 0; at < taken.length; at++) if (taken[at] !== 0) this.put(hashes[at]!, taken[at]!);
  }

  private home(hash: number): number {
    return hash & (this.taken.length - 1);
  }

  private after(slot: number): number {
    return (slot + 1) & (this.taken.length - 1);
  }

  /** Steps forward from one slot to another. */
  private distance(from: number, to: number): number {
    return (to - from) & (this.taken.length - 1);
  }
}
