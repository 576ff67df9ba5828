// Does the disk answer? One that hangs without an error, a volume of the network say, keeps the commit under way for ever, and with
// it every answer to a write and to a peer. The replica can't say so to those; but it can say that it is not ready.

import type { ReplicaDriver } from '../replication/replica-driver.js';

/** Looks, one a second: counted, not timed, for a process that stands still gets no answer either. */
const LOOKS_MAX = 10;

export class CommitWatch {
  private commit: number | undefined;
  private looks = 0;

  constructor(private readonly driver: Pick<ReplicaDriver, 'commitUnderWay'>) {}

  /** Call it once a second. */
  look(): void {
    const commit = this.driver.commitUnderWay();
    this.looks = commit !== undefined && commit === this.commit ? this.looks + 1 : 0;
    this.commit = commit;
  }

  /** Whether one commit has been under way at more than ten looks. */
  get hangs(): boolean {
    return this.looks >= LOOKS_MAX;
  }
}
