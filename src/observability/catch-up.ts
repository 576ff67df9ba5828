// Has this replica caught up with what its peers knew when it started?
//
// Until then it is not ready: a client sent to it would see the past. The wait is bounded: when no peer answers, or nothing
// comes any more, it serves what it has, and says that it may be behind. But who has nothing would tell clients that no key is
// there. So a new disk waits a while for peers that are silent: the one that has all may be starting, or the network between them.
// And when it is refused by all that answer, or has no room for what they have, it has not come to its cluster, and waits on.

import { countBeyond, descends, EMPTY_VECTOR, join, type VersionVector } from '../clock/version-vector.js';
import type { ReplicaDriver } from '../replication/replica-driver.js';
import type { Room } from '../replication/room.port.js';

/**
 * Looks without progress, one a second: for longer than a lost request goes unnoticed. They are counted, not timed: while a process
 * stands still, or when its clock is set, nothing can have come.
 */
const STALLED_LOOKS = 15;

/** What is known of peers that have not answered. */
export interface PeerLog {
  /** Why the peer has refused last; undefined: it has not. */
  refusalOf(peer: string): string | undefined;
  /** Whether something has ended the last request to it. */
  isAbsent(peer: string): boolean;
}

export class CatchUp {
  private isDone = false;
  private hasStalled = false;
  private lastProgress = '';
  private looksWithoutProgress = 0;
  private looks = 0;
  /** Whether the disk was new at the start. A member whose cluster has no keys yet has an empty one, too. */
  private readonly wasNew: boolean;
  /** Whether it was introduced before a peer had answered: the engine has closed its account of what there is to catch up with. */
  private isLate = false;
  /** What the peers of such a one knew when they answered. */
  private knownThen: VersionVector = EMPTY_VECTOR;

  constructor(
    private readonly driver: ReplicaDriver,
    private readonly log: PeerLog,
    private readonly room: Room,
  ) {
    this.wasNew = driver.view.clock.size === 0 && driver.standing !== 'member';
  }

  /** Call it once a second. */
  look(): void {
    if (this.driver.standing !== 'unfound') this.looks++;
    if (this.awaitsPeers() || this.hasAll() || !this.isIntroduced || this.lacksRoom) return;
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

  /** Whether a new disk has nothing to go by yet. */
  private awaitsPeers(): boolean {
    const { peers, progress } = this.driver;
    const isWaiting = this.wasNew && !this.isDone && this.isToWait();
    if (isWaiting || (this.isIntroduced && !progress.answered && peers.length > 0)) this.isLate = true;
    else if (this.isLate) {
      this.isLate = false;
      for (const { clock } of peers) if (clock !== undefined) this.knownThen = join(this.knownThen, clock);
    }
    return isWaiting;
  }

  /** Those that refuse may be wrong themselves: one that answers is enough. Who is silent is waited for, but not for ever. */
  private isToWait(): boolean {
    const { peers, progress } = this.driver;
    if (!progress.answered && this.refusal !== undefined) return true;
    const isSilent = ({ name, hasAnswered }: (typeof peers)[number]): boolean =>
      !hasAnswered && this.log.refusalOf(name) === undefined && !this.log.isAbsent(name);
    return this.looks <= STALLED_LOOKS && peers.some(isSilent);
  }

  /** Of the peers that have not answered. */
  private get refusal(): string | undefined {
    for (const { name, hasAnswered } of this.driver.peers) {
      const reason = hasAnswered ? undefined : this.log.refusalOf(name);
      if (reason !== undefined) return `refused by ${name}: ${reason}`;
    }
    return undefined;
  }

  /** It asks for nothing as long as that is so. A clock is empty until the last key has been taken over, also after a restart. */
  private get lacksRoom(): boolean {
    return this.driver.view.clock.size === 0 && this.room.isNearlyFull;
  }

  private get isIntroduced(): boolean {
    return this.driver.progress.isIntroduced && this.driver.standing !== 'unfound';
  }

  /** Dots that the peers had which answered at the start, and that are still missing here. */
  get missingDots(): number {
    const { clock } = this.driver.view;
    const caughtUpAt = join(this.driver.progress.caughtUpAt, this.knownThen);
    return descends(clock, caughtUpAt) ? 0 : countBeyond(caughtUpAt, clock);
  }

  /** Whether the replica may serve. */
  get isOver(): boolean {
    return !this.awaitsPeers() && (this.hasAll() || this.hasStalled);
  }

  get detail(): string {
    const { answered, bootstrap } = this.driver.progress;
    const isWaiting = this.awaitsPeers();
    if (isWaiting && !answered && this.refusal !== undefined) return this.refusal;
    if (isWaiting || !this.isIntroduced) return 'asking the peers what they know';
    const missing = `${this.missingDots} writes are missing`;
    if (this.hasAll()) {
      if (!answered && this.driver.peers.length > 0) return `may be behind: ${this.refusal ?? 'no peer has answered'}`;
      return this.missingDots === 0 ? 'yes' : `may be behind: ${missing}`;
    }
    if (this.hasStalled) return `may be behind: ${missing}, and nothing comes`;
    if (this.lacksRoom) return `${missing}, and the disk is nearly full`;
    return bootstrap === undefined ? missing : `${missing}; taking over all keys from ${bootstrap.from ?? 'a peer'}`;
  }
}
