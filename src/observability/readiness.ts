// May this replica get requests? Named checks, each with a word on why.

import { MEMBERS_MAX } from '../cluster/members.js';
import type { Standing } from '../replication/engine/members.js';
import type { ReplicaDriver } from '../replication/replica-driver.js';
import type { CatchUp } from './catch-up.js';
import type { CommitWatch } from './commit-watch.js';
import type { DiskSpace } from './disk-space.js';

export interface Check {
  readonly name: string;
  readonly isOk: boolean;
  readonly detail: string;
}

const STANDINGS: Readonly<Record<Standing, string>> = {
  unfound: 'not yet: the name service of QUARTET_PEERS_DNS lists nobody, not even this node',
  joining: 'not yet: no other replica has told who the members are',
  member: 'yes',
  unlisted: 'not as far as it knows: nobody has told of it, and it has no QUARTET_URL to join with',
  unnamed: 'not known: peers that are listed by their address only tell nothing of members',
  forgotten: 'removed from the cluster; with an empty data folder it can join again',
};

/** Of one that has been told who the members are, and is none of them. */
const LEFT_OUT: Partial<Readonly<Record<Standing, string>>> = {
  joining: `no: there are ${MEMBERS_MAX} members, and can be no more: remove one`,
  unlisted: 'no: the others do not list it. Set QUARTET_URL to where they reach it, or list it there',
};

export class Readiness {
  private isLeaving = false;

  constructor(
    private readonly driver: ReplicaDriver,
    private readonly catchUp: CatchUp,
    private readonly disk: DiskSpace,
    private readonly commits: CommitWatch,
  ) {}

  /** The node is about to stop: no more requests, please. */
  leave(): void {
    this.isLeaving = true;
  }

  get isReady(): boolean {
    return this.checks().every(({ isOk }) => isOk);
  }

  checks(): readonly Check[] {
    const { failure, standing, view } = this.driver;
    const { leftOut } = this;
    return [
      {
        name: 'member',
        isOk: !['forgotten', 'unfound'].includes(standing) && leftOut === undefined,
        detail: leftOut ?? STANDINGS[standing],
      },
      { name: 'store', isOk: failure === undefined && !this.commits.hangs, detail: this.storeDetail },
      { name: 'clock', isOk: true, detail: `loaded, ${view.clock.size} actors` },
      { name: 'caught up', isOk: this.catchUp.isOver, detail: this.catchUp.detail },
      // Reads still work on a full disk, so it does not make the replica unready.
      {
        name: 'disk',
        isOk: true,
        detail: this.disk.isNearlyFull ? 'nearly full: writes are refused, and keys of peers too' : 'has room',
      },
      { name: 'running', isOk: !this.isLeaving, detail: this.isLeaving ? 'shutting down' : 'yes' },
    ];
  }

  /** What it takes goes to the others, but what it has told of and not sent yet is given up as lost while it is away. */
  private get leftOut(): string | undefined {
    const { peers, standing } = this.driver;
    return peers.some(({ wasToldMembers }) => wasToldMembers) ? LEFT_OUT[standing] : undefined;
  }

  private get storeDetail(): string {
    if (this.driver.failure !== undefined) return 'failed; see the log';
    return this.commits.hangs ? 'the disk has not answered a commit for more than ten seconds: look at it' : 'open';
  }
}
