// How many large answers are made at one time? A few: of more side by side none would be ready earlier, and each would be in memory
// as far as it is made, with what is read ahead for it.

/** As many as read the disk at one time. */
const LANES = 4;

export class Lanes {
  private readonly waiting: (() => void)[] = [];

  constructor(private free = LANES) {}

  /** Makes an answer when its turn has come, in the order of calls. What waits for a client does not belong in here. */
  async take<T>(make: () => Promise<T>): Promise<T> {
    if (this.free > 0) this.free--;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
    try {
      return await make();
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) this.free++;
      else next();
    }
  }
}
