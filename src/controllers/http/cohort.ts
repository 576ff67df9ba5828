// Why do requests that have come together go through each stage together? Reading a socket, taking a request apart, looking in the
// database, writing to a socket: each needs code and tables that push those of the others out of the processor's caches. When all
// do the one before any does the next, the caches have what it needs from the second on (cohort scheduling: Larus and Parkes,
// USENIX 2002). A request that comes alone waits for nobody.

export class Cohort<T> {
  private members: T[] = [];

  /**
   * @param later calls what it is given once, when no more members are at hand
   * @param run must not throw: the members after it would be left
   */
  constructor(
    private readonly later: (runAll: () => void) => void,
    private readonly run: (member: T) => void,
  ) {}

  add(member: T): void {
    if (this.members.push(member) === 1) this.later(this.runAll);
  }

  private readonly runAll = (): void => {
    const { members } = this;
    this.members = [];
    for (const member of members) this.run(member);
  };
}
