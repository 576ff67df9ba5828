// How does the cluster look from here? One description, for `/v1/cluster` and for the metrics.

import { actorName } from '../clock/dot.js';
import { countBeyond, EMPTY_VECTOR, type VersionVector } from '../clock/version-vector.js';
import type { ReplicaDriver } from '../replication/replica-driver.js';
import type { Standing } from '../replication/engine/members.js';
import type { Peer } from '../replication/engine/state.js';
import type { CatchUp } from './catch-up.js';
import type { CommitWatch } from './commit-watch.js';
import { LagMeter } from './lag-meter.js';

const MARK_EVERY_MS = 1000;

/** `behind`: it lacks writes that this node has, or the other way round; `bootstrapping`: it takes over all keys. */
export type PeerCondition = 'up' | 'behind' | 'unreachable' | 'bootstrapping';

export interface PeerStatus {
  readonly name: string;
  readonly url: string;
  readonly state: PeerCondition;
  /** Dots that this node has and the peer lacks, as far as it has told. */
  readonly lagDots: number;
  readonly lagSeconds: number;
  /** Dots that the peer has and this node lacks. */
  readonly missingDots: number;
  /** Why it is unreachable; null when it is not. */
  readonly problem: string | null;
}

export class ClusterStatus {
  private readonly lag = new LagMeter();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly driver: ReplicaDriver,
    readonly catchUp: CatchUp,
    private readonly commits: CommitWatch,
    /** What the last request to a peer that failed came to. */
    private readonly failureOf: (peer: string) => string | undefined,
  ) {}

  watch(): void {
    const mark = (): void => {
      this.lag.mark(this.driver.view.clock, Date.now());
      this.catchUp.look();
      this.commits.look();
    };
    mark();
    this.timer = setInterval(mark, MARK_EVERY_MS).unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  get clock(): VersionVector {
    return this.driver.view.clock;
  }

  /** Entries of the log that are still kept. */
  get logEntries(): number {
    return countBeyond(this.clock, this.driver.view.node.floor);
  }

  get isBootstrapping(): boolean {
    return this.driver.progress.bootstrap !== undefined;
  }

  /** The peer that all keys are being taken over from; undefined: none, or none just now. */
  get bootstrapsFrom(): string | undefined {
    return this.driver.progress.bootstrap?.from;
  }

  get name(): string {
    return actorName(this.driver.actor);
  }

  get actor(): string {
    return this.driver.actor;
  }

  /** What this node is to the others, as far as it has heard. */
  get standing(): Standing {
    return this.driver.standing;
  }

  /** By name, in order. One that was removed is none, and has what it last knew of the others. */
  get members(): readonly string[] {
    const others = this.driver.peers.map((peer) => peer.name);
    return (this.standing === 'forgotten' ? others : [this.name, ...others]).sort();
  }

  peers(): readonly PeerStatus[] {
    const { clock } = this;
    return this.driver.peers.map((peer) => {
      const lagDots = countBeyond(clock, peer.clock ?? EMPTY_VECTOR);
      const missingDots = countBeyond(peer.clock ?? EMPTY_VECTOR, clock);
      const isLevel = lagDots === 0 && missingDots === 0;
      return {
        name: peer.name,
        url: this.driver.members.get(peer.name)?.url ?? '',
        state: conditionOf(peer, isLevel),
        lagDots,
        lagSeconds: this.lag.lagSeconds(peer.clock, Date.now()),
        missingDots,
        problem: isAnswering(peer) ? null : (this.failureOf(peer.name) ?? null),
      };
    });
  }
}

/** One that is only heard from may be unreachable from here. */
function isAnswering({ isReachable, hasCompared }: Readonly<Peer>): boolean {
  return isReachable && hasCompared;
}

function conditionOf(peer: Readonly<Peer>, isLevel: boolean): PeerCondition {
  if (!isAnswering(peer)) return 'unreachable';
  if (peer.awaited.size > 0) return 'bootstrapping';
  return isLevel ? 'up' : 'behind';
}
