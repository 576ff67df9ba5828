// Has this replica caught up with what its peers knew when it started?
//
// Until then it is not ready: a client sent to it would see the past. The wait is bounded: when no peer answers, or nothing
// comes any more, it serves what it has, and says that it may be behind.

import { countBeyond, descends } from '../clock/version-vector.js';
import type { ReplicaDriver } from '../replication/replica-driver.js';

/**
 * Looks without progress, one a second: for longer than a lost request goes unnoticed. They are counted, not timed: while a process
 * stands still, or when its clock is set, nothing can have come.
 */
const STALLED_LOOKS = 15;

export class CatchUp {
  private isDone = false;
  private hasStalled = false;
  private lastProgress = '';
  private looksWithoutProgress = 0;

  constructor(private readonly driver: ReplicaDriver) {}

  /** Call it once a second. */
  look(): void {
    if (this.hasAll() || !this.isIntroduced) return;
    // Not how often it was asked for: a peer may refuse for ever.
    const progress = `${this.missingDots} ${this.driver.progress.bootstrap?.through}`;
    this.looksWithoutProgress = progress === this.lastProgress ? this.looksWithoutProgress + 1 : 0;
    this.lastProgress = progress;
    if (this.looksWithoutProgress > STALLED_LOOKS) this.hasStalled = true;
  }

  private hasAll(): boolean {
    if (!this.isDone && this.isIntroduced && this.missingDots === 0) {
      this.isDone = true;
      this.hasStalled = false;
    }
    return this.isDone;
  }

  private get isIntroduced(): boolean {
    return this.driver.progress.isIntroduced && this.driver.standing !== 'unfound';
  }

  /** Dots that the peers had which answered at the start, and that are still missing here. */
  get missingDots(): number {
    const { clock } = this.driver.view;
    const { caughtUpAt } = this.driver.progress;
    return descends(clock, caughtUpAt) ? 0 : countBeyond(caughtUpAt, clock);
  }

  /** Whether the replica may serve. */
  get isOver(): boolean {
    return this.hasAll() || this.hasStalled;
  }

  get detail(): string {
    const { answered, bootstrap } = this.driver.progress;
    if (!this.isIntroduced) return 'asking the peers what they know';
    if (this.isDone) return answered || this.driver.peers.length === 0 ? 'yes' : 'may be behind: no peer has answered';
    const missing = `${this.missingDots} writes are missing`;
    if (this.hasStalled) return `may be behind: ${missing}, and nothing comes`;
    return bootstrap === undefined ? missing : `${missing}; taking over all keys from ${bootstrap.from ?? 'a peer'}`;
  }
}
