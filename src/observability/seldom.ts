// How often is something logged that may happen thousands of times a second? Once a minute at most.

const EVERY_MS = 60_000;

export class Seldom {
  private readonly toldAtMs = new Map<string, number>();

  /**
   * Whether it is time to say so; then it counts as said.
   * @param of each has a minute of its own, and is remembered: members, say, and nothing that clients choose
   */
  isDue(of = ''): boolean {
    const nowMs = performance.now();
    if (nowMs - (this.toldAtMs.get(of) ?? -Infinity) < EVERY_MS) return false;
    this.toldAtMs.set(of, nowMs);
    return true;
  }
}
