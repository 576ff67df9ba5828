// How does one reader wait for its next batch? Until there is one, or until somebody closes it.

import type { Cursor } from '../../replication/cursor.js';
import type { Batch, Selection } from './batch.js';
import type { ChangeHub } from './change-hub.js';

export class HubReader {
  /** Whether it waits no longer: its client has left, or its time is over. */
  isClosed = false;
  private end: () => void = () => {};

  constructor(
    private readonly hub: ChangeHub,
    private readonly selection: Selection,
    /** Where it stands. */
    public cursor: Cursor,
    public token: string,
  ) {}

  /**
   * Moves on to the end of the next batch. Undefined: it was closed, or the replica stops.
   * @throws what reading the batch has failed with
   */
  async next(): Promise<Batch | undefined> {
    if (this.isClosed) return undefined;
    const outcome = await new Promise<Batch | Error | undefined>((resolve) => {
      const cancel = this.hub.next(this.selection, this.cursor, this.token, resolve);
      this.end = () => {
        cancel();
        resolve(undefined);
      };
    });
    if (outcome instanceof Error) throw outcome;
    if (outcome === undefined || this.isClosed) return undefined;
    this.cursor = outcome.cursor;
    this.token = outcome.token;
    return outcome;
  }

  close(): void {
    this.isClosed = true;
    this.end();
  }
}
