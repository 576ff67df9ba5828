// May this replica take writes yet?
//
// Between its start and the first word of its peers it can't know whether its disk has lost dots that others have: a disk
// may be an old copy. To give such a dot again would give two values one name. So writes wait until every peer has
// answered once, or failed to: some milliseconds as a rule, and two seconds when a peer is silent.

export class Introduction {
  private isDone = false;
  private settle: { resolve: () => void; reject: (error: unknown) => void } = { resolve: () => {}, reject: () => {} };
  private readonly done = new Promise<void>((resolve, reject) => {
    this.settle = { resolve, reject };
  });

  constructor() {
    // Nobody may be waiting when it is abandoned.
    this.done.catch(() => {});
  }

  get isOver(): boolean {
    return this.isDone;
  }

  end(): void {
    this.isDone = true;
    this.settle.resolve();
  }

  /** The replica stops: who waits is told so. */
  abandon(error: unknown): void {
    this.settle.reject(error);
  }

  /** Rejects when it is abandoned: nothing has happened then. */
  wait(): Promise<void> {
    return this.done;
  }
}
