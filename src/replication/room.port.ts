// Is there room on this replica's disk for what the others send? A commit that fails for lack of it stops the replica.

export interface Room {
  /** So little is left that nothing more is taken, of clients or of peers. */
  readonly isNearlyFull: boolean;
}

export const Room = Symbol('Room');
