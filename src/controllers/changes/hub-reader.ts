// How does one reader wait for its next batch? Until there is one, or until somebody closes it.

import type { Batch, Selection } from './batch.js';
import type { ChangeHub } from './change-hub.js';
import type { Outcome, Standing, Waiting } from './place.js';

export class HubReader implements Waiting {
  /** Whether it waits no longer: its client has left, or its time is over. */
  isClosed = false;
  mayHaveMore = true;
  readonly selectionName: string;
  private settle: (outcome: Outcome) => void = () => {};

  constructor(
    private readonly hub: ChangeHub,
    readonly selection: Selection,
    /** While it waits it moves on past what it has not asked for. */
    public standing: Standing,
  ) {
    this.selectionName = JSON.stringify(selection);
  }

  get token(): string {
    return this.standing.token;
  }

  /**
   * Moves on to the end of the next batch. Undefined: it was closed, or the replica stops.
   * @throws what reading the batch has failed with
   */
  async next(): Promise<Batch | undefined> {
    if (this.isClosed) return undefined;
    const outcome = await new Promise<Outcome>((resolve) => {
      this.settle = resolve;
      this.hub.join(this);
    });
    if (outcome instanceof Error) throw outcome;
    if (outcome === undefined || this.isClosed) return undefined;
    this.standing = outcome;
    this.mayHaveMore = outcome.pending > 0;
    return outcome;
  }

  tell(outcome: Outcome): void {
    this.settle(outcome);
  }

  close(): void {
    this.isClosed = true;
    this.hub.leave(this);
    this.settle(undefined);
  }
}
