// What does a replica remember between steps? Its identity, its clock, what it last heard from each peer, which keys
// know more than the clock, and which writes wait for acknowledgements. Containers and log stay in the store.

import type { Container } from '../../clock/container.js';
import type { Actor } from '../../clock/dot.js';
import type { Stamp } from '../../clock/hybrid-clock.js';
import type { VersionVector } from '../../clock/version-vector.js';
import { Acknowledgements } from './acknowledgements.js';
import type { Observation, Output, Reply, Send, Writes } from './output.js';

/** What this replica believes of another member. */
export interface Peer {
  readonly name: string;
  /** The clock it told last; undefined before the first word. It may go down: a peer can lose its disk. */
  clock: VersionVector | undefined;
  isReachable: boolean;
  /** One request of each kind is in flight at most. */
  isPushing: boolean;
  isComparing: boolean;
  /** Whether it has answered a comparison since it was last unreachable. */
  hasCompared: boolean;
  /** The own clock when the last comparison found dots missing here; undefined when none were. */
  clockWhenBehind: VersionVector | undefined;
  /** Comparisons in a row that found other keys ahead than ours. */
  aheadDiffered: number;
}

/** The containers as the steps before this one left them, committed or not; stripped by the engine's clock. */
export interface Stored {
  /** Throws when the record can't be read; the step has then changed nothing. */
  container(key: string): Container;
}

export interface LoadedState {
  readonly actor: Actor;
  readonly clock: VersionVector;
  readonly stamp: Stamp;
  /** By key, the part of its context that reaches beyond `clock`. */
  readonly ahead: ReadonlyMap<string, VersionVector>;
}

export interface ReplicaState {
  readonly name: string;
  /** A name for the next life of this node's disk, never given before. */
  readonly nextIncarnation: () => string;
  actor: Actor;
  clock: VersionVector;
  stamp: Stamp;
  readonly ahead: Map<string, VersionVector>;
  /** Digest of `ahead` as of the last tick: under load it changes all the time, and equal ones only matter at rest. */
  aheadDigest: number;
  readonly peers: ReadonlyMap<string, Peer>;
  readonly acknowledgements: Acknowledgements;
  /** The peer that a pull is under way from. */
  pullingFrom: string | undefined;
  /** The peer that keys ahead are being fetched from. */
  pullingAheadFrom: string | undefined;
  /** Comparisons that this peer has answered since the pull began. */
  pullComparisons: number;
}

export function initialState(
  name: string,
  peerNames: readonly string[],
  loaded: LoadedState,
  nextIncarnation: () => string,
): ReplicaState {
  return {
    name,
    nextIncarnation,
    actor: loaded.actor,
    clock: loaded.clock,
    stamp: loaded.stamp,
    ahead: new Map(loaded.ahead),
    aheadDigest: 0,
    peers: new Map(peerNames.map((peer) => [peer, unheard(peer)])),
    acknowledgements: new Acknowledgements(),
    pullingFrom: undefined,
    pullingAheadFrom: undefined,
    pullComparisons: 0,
  };
}

function unheard(name: string): Peer {
  return {
    name,
    clock: undefined,
    isReachable: false,
    isPushing: false,
    isComparing: false,
    hasCompared: false,
    clockWhenBehind: undefined,
    aheadDiffered: 0,
  };
}

/** Collects what a step wants done. */
export class Effects {
  private readonly contexts: (readonly [string, VersionVector])[] = [];
  private readonly containers: (readonly [string, Container])[] = [];
  private readonly log: Writes['log'][number][] = [];
  private isChanged = false;
  readonly sends: Send[] = [];
  readonly replies: Reply[] = [];
  readonly observations: Observation[] = [];

  /** Stores a stripped container, and keeps account of the keys ahead. */
  store(state: ReplicaState, key: string, container: Container): void {
    this.keepAccount(state, key, container.context);
    this.containers.push([key, container]);
  }

  /** Stores what is left of a key's context; its versions stay as they are. */
  storeContext(state: ReplicaState, key: string, context: VersionVector): void {
    this.keepAccount(state, key, context);
    this.contexts.push([key, context]);
  }

  logDot(actor: Actor, counter: number, key: string): void {
    this.log.push({ actor, counter, key });
    this.isChanged = true;
  }

  /** The node record differs though no container does. */
  touchNode(): void {
    this.isChanged = true;
  }

  output({ actor, clock, stamp }: ReplicaState): Output {
    const node = this.isChanged ? { actor, clock, stamp } : undefined;
    return {
      writes: { contexts: this.contexts, containers: this.containers, log: this.log, node },
      sends: this.sends,
      replies: this.replies,
      observations: this.observations,
    };
  }

  private keepAccount(state: ReplicaState, key: string, context: VersionVector): void {
    if (context.size > 0) state.ahead.set(key, context);
    else state.ahead.delete(key);
    this.isChanged = true;
  }
}
