// Where does chance come from? From one seed, so that a run can be repeated to the same step. (sfc32, seeded by
// splitmix32: small, fast, and far better distributed than a simulation needs.)

export class Prng {
  private a: number;
  private b: number;
  private c: number;
  private d = 1;

  constructor(seed: number) {
    let state = (seed ^ Math.floor(seed / 2 ** 32)) | 0;
    const split = (): number => {
      state = (state + 0x9e3779b9) | 0;
      let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
      mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
      return mixed ^ (mixed >>> 15);
    };
    [this.a, this.b, this.c] = [split(), split(), split()];
    for (let i = 0; i < 12; i++) this.next();
  }

  /** From 0 (included) to 1 (excluded). */
  next(): number {
    const sum = (((this.a + this.b) | 0) + this.d) | 0;
    this.d = (this.d + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = ((this.c << 21) | (this.c >>> 11)) + sum;
    return (sum >>> 0) / 2 ** 32;
  }

  /** An integer from 0 to `end` - 1. */
  int(end: number): number {
    return Math.floor(this.next() * end);
  }

  /** An integer from `first` to `last`, both included. */
  between(first: number, last: number): number {
    return first + this.int(last - first + 1);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** Until the next one of events that come one by one, at random, so long apart on average; at least 0. */
  intervalMs(meanMs: number): number {
    return Math.ceil(-Math.log(1 - this.next()) * meanMs);
  }

  pick<T>(items: readonly T[]): T {
    return items[this.int(items.length)]!;
  }

  /** A generator of its own, so that more draws in one place leave the others as they were. */
  fork(): Prng {
    return new Prng(Math.floor(this.next() * 2 ** 32));
  }
}
