// May this replica get requests? Named checks, each with a word on why.

import type { Standing } from '../replication/engine/members.js';
import type { ReplicaDriver } from '../replication/replica-driver.js';
import type { CatchUp } from './catch-up.js';
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

export class Readiness {
  private isLeaving = false;

  constructor(
    private readonly driver: ReplicaDriver,
    private readonly catchUp: CatchUp,
    private readonly disk: DiskSpace,
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
    return [
      { name: 'member', isOk: !['forgotten', 'unfound'].includes(standing), detail: STANDINGS[standing] },
      { name: 'store', isOk: failure === undefined, detail: failure === undefined ? 'open' : 'failed; see the log' },
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
}
