// What does a replica remember between steps? Its identity, its clock, what it last heard from each peer, which keys
// know more than the clock, and which writes wait for acknowledgements. Containers and log stay in the store.

import type { Container } from '../../clock/container.js';
import type { Actor } from '../../clock/dot.js';
import { isMember, type Members } from '../../clock/membership.js';
import type { Stamp } from '../../clock/hybrid-clock.js';
import type { KeptRequest, RequestPlace } from '../../clock/request.js';
import { claimOf, type Claims } from '../../clock/claims.js';
import { EMPTY_VECTOR, join, type VersionVector } from '../../clock/version-vector.js';
import { Acknowledgements } from './acknowledgements.js';
import type { Seal } from './messages.js';
import type { NodeState } from './output.js';
import { noRepairs, type Repairs } from './repairs.js';
import { beginRetention, type Retention } from './retention.js';
import type { QuorumReads } from './waiting-reads.js';

/** What a peer has of a dead actor's dots, and knows beyond, the same as this replica. */
export interface Level {
  /** The highest counter that both have. */
  readonly from: number;
  /** Names what both know of dots after that; 0: nothing. */
  readonly digest: number;
  /** Comparisons in a row that have found so. */
  readonly comparisons: number;
}

/** What this replica believes of another member. */
export interface Peer {
  readonly name: string;
  /** The clock it told last; undefined before the first word. It may go down: a peer can lose its disk. */
  clock: VersionVector | undefined;
  /** What it has told since the last comparison was sent. */
  toldSince: VersionVector;
  isReachable: boolean;
  /** One request of each kind is in flight at most: a push of what comes after this clock; undefined: none. */
  pushingSince: VersionVector | undefined;
  isComparing: boolean;
  /** Comparisons in a row that got no answer. */
  failedComparisons: number;
  /** Whether it has answered a comparison since it was last unreachable. */
  hasCompared: boolean;
  /** The own clock when the last comparison found dots missing here; undefined when none were. */
  clockWhenBehind: VersionVector | undefined;
  /** Comparisons in a row that found other keys ahead than ours, or other claims. */
  aheadDiffered: number;
  /** Comparisons in a row with equal clocks that found other claims than ours, since the last pull that came to nothing. */
  claimsDiffered: number;
  /** The actor that it goes by, as it last told. */
  actor: Actor | undefined;
  /** By dead actor. */
  levels: Map<Actor, Level>;
  /** Where its log begins, as far as it has refused a pull for it. */
  floor: VersionVector;
  /** Of the pulls, and pieces of keys, that came to nothing, the number of its last one; 0: something has come since. */
  failedPull: number;
  /** What it will know once it has taken over all keys; empty when it does not. Logs are kept for it from there on. */
  awaited: VersionVector;
  /** Whether it said so itself; else it is what it asked for. */
  hasToldAwaited: boolean;
  /**
   * Words of it, in comparisons, until something is pushed to it again. It is back, far behind, and may soon say that it takes
   * over all keys.
   */
  wordsUntilPush: number;
  /** Pushes in a row that it has refused, and answered comparisons until the next one. */
  refusedPushes: number;
  comparisonsUntilPush: number;
  /** Whether it was told the members since this node started, and since its own entry has changed: addresses are new then. */
  wasToldMembers: boolean;
  /** Whether it has answered or failed since this replica started. */
  hasBeenTried: boolean;
  /** Whether it has answered since. */
  hasAnswered: boolean;
}

/** The containers as the steps before this one left them, committed or not; stripped by the engine's clock. */
export interface Stored {
  /** Throws when the record can't be read; the step has then changed nothing. */
  container(key: string): Container;
  /** What is remembered of a request. Throws when its record can't be read. */
  requested(place: RequestPlace): KeptRequest | undefined;
}

/** A piece is waited for until the peer has answered this many comparisons meanwhile, half a second each. */
export const PIECE_COMPARISONS_MIN = 10;

/** All keys are being taken over from a peer, piece by piece in their order. */
export interface Bootstrap {
  /** The last key that is done; undefined before the first. */
  readonly through: string | undefined;
  /** The peer that a piece is asked from; undefined: nobody, until a peer says again that its log does not reach back. */
  readonly from: string | undefined;
  /** Tells the answer that is waited for from late ones. */
  readonly attempt: number;
  /** Keys stored since the piece was asked for, which the shell may not see yet when it looks for local keys. */
  readonly touched: Set<string>;
  /** Comparisons that the peer has answered since, and how many it may. */
  readonly comparisons: number;
  readonly patience: number;
}

export interface LoadedState extends NodeState {
  readonly claims: Claims;
  readonly members: Members;
  /** By key, the part of its context that reaches beyond what is known of its range. */
  readonly ahead: ReadonlyMap<string, VersionVector>;
}

/** What a replica is told once. */
export interface Identity {
  readonly name: string;
  /** A name for the next life of this node's disk, never given before. */
  readonly nextIncarnation: () => string;
  /** Log entries kept for members that stay away, and for readers of the change feed. */
  readonly logMax: number;
  /** For how many ticks they are kept for readers, though every member has them; 0: not at all. */
  readonly retentionTicks: number;
  /** The other members, as far as they are configured by name. */
  readonly configured: Members;
  /** Other members of which only the address is configured, by the names given to these. */
  readonly unnamed: readonly string[];
  /** Where this node takes requests of others; undefined: not known, and it can't join a cluster that does not list it. */
  readonly url: string | undefined;
  /** Whether its disk is new, and a name service is to tell of the members, which has told of none yet. */
  readonly awaitsMembers: boolean;
}

export interface ReplicaState extends Omit<Identity, 'awaitsMembers'> {
  awaitsMembers: boolean;
  actor: Actor;
  clock: VersionVector;
  stamp: Stamp;
  /** What is known of ranges of keys beyond the clock. */
  claims: Claims;
  /** By actor, the highest counter whose log entry need not be kept any more. */
  floor: VersionVector;
  /** What versions that are stored here may depend on, apart from what they say themselves. */
  past: VersionVector;
  /** By dead actor, up to where nothing that is shown depends on what nobody has. */
  readonly givenUp: Map<Actor, number>;
  /** Dots that clients have named since the start and that have not come: nothing depends on them, but their origin may ask. */
  named: VersionVector;
  retention: Retention;
  bootstrap: Bootstrap | undefined;
  /** Pieces of keys asked for since the start, over all bootstraps. */
  piecesAsked: number;
  readonly ahead: Map<string, VersionVector>;
  /** Digest of `ahead` as of the last tick: under load it changes all the time, and equal ones only matter at rest. */
  aheadDigest: number;
  /** The clock at the last tick, and how many ticks ago the digest was computed. */
  digestedAt: VersionVector | undefined;
  ticksSinceDigest: number;
  readonly peers: Map<string, Peer>;
  /** All that were ever heard of, this node included once the others know it. */
  members: Members;
  /** Whether the members have names, and can be told to others. */
  readonly isNamed: boolean;
  readonly acknowledgements: Acknowledgements;
  /** The peer that a pull is under way from. */
  pullingFrom: string | undefined;
  /** The peer that keys ahead are being fetched from. */
  pullingAheadFrom: string | undefined;
  /** Comparisons that this peer has answered since the pull began. */
  pullComparisons: number;
  /** Pulls, and pieces of keys, that came to nothing since the start. */
  failedPulls: number;
  /** Of actors whose disks are lost, what was made final since the start. */
  sealed: ReadonlyMap<Actor, Seal>;
  /** Of such actors, what was known of their dots since the start, and might be sealed. Oldest first. */
  readonly deadNoted: Map<Actor, readonly Seal[]>;
  /** The last of those. */
  dead: ReadonlyMap<Actor, Seal>;
  /** As a peer's, counted in ticks, of a replica that all others were removed from. */
  levels: Map<Actor, Level>;
  /** What the peers knew that answered since the start: to know it too is to have caught up. */
  caughtUpAt: VersionVector;
  readonly quorumReads: QuorumReads;
  /** Forgotten at a restart: the next read of a damaged record finds it again. */
  readonly repairs: Repairs;
}

export function initialState(identity: Identity, loaded: LoadedState): ReplicaState {
  const members = ownAddressIn(configuredOver(loaded.members, identity.configured), identity);
  const isNamed = identity.unnamed.length === 0;
  // Under an address without a name a member that was known before may be configured: it must not count twice.
  const isPeer = (name: string): boolean => name !== identity.name && (isNamed || identity.configured.has(name));
  const peers = [...members].filter(([name, member]) => isPeer(name) && isMember(member));
  return {
    ...identity,
    isNamed,
    members,
    actor: loaded.actor,
    clock: loaded.clock,
    stamp: loaded.stamp,
    claims: loaded.claims,
    floor: loaded.floor,
    past: loaded.past,
    givenUp: new Map(),
    named: EMPTY_VECTOR,
    retention: beginRetention(loaded.clock),
    bootstrap: loaded.bootstrap && {
      through: loaded.bootstrap.through,
      from: undefined,
      attempt: 0,
      touched: new Set(),
      comparisons: 0,
      patience: PIECE_COMPARISONS_MIN,
    },
    piecesAsked: 0,
    ahead: new Map(loaded.ahead),
    aheadDigest: 0,
    digestedAt: undefined,
    ticksSinceDigest: 0,
    peers: new Map([...identity.unnamed, ...peers.map(([name]) => name)].map((name) => [name, unheard(name)])),
    acknowledgements: new Acknowledgements(),
    quorumReads: new Map(),
    pullingFrom: undefined,
    pullingAheadFrom: undefined,
    pullComparisons: 0,
    failedPulls: 0,
    sealed: new Map(),
    deadNoted: new Map(),
    dead: new Map(),
    levels: new Map(),
    caughtUpAt: loaded.clock,
    repairs: noRepairs(),
  };
}

/** What is known of a key, whatever its own context says besides: stored containers are stripped by it. */
export function knownOf({ clock, claims }: ReplicaState, key: string): VersionVector {
  return claims.length === 0 ? clock : join(clock, claimOf(claims, key));
}

/** Whether every peer has answered or failed since the start: until then dots of this actor may exist that it lost. */
export function isIntroduced({ peers }: ReplicaState): boolean {
  for (const peer of peers.values()) if (!peer.hasBeenTried) return false;
  return true;
}

/** Addresses are as configured; whether a node belongs is as it was heard. */
function configuredOver(known: Members, configured: Members): Members {
  const members = new Map(known);
  for (const [name, { url }] of configured) members.set(name, { url, version: known.get(name)?.version ?? 0 });
  return members;
}

/** Where this node is now, whatever it was when it joined. */
function ownAddressIn(members: Members, { name, url }: Identity): Members {
  const own = members.get(name);
  if (url === undefined || own === undefined || own.url === url) return members;
  return new Map(members).set(name, { url, version: own.version });
}

export function unheard(name: string): Peer {
  return {
    name,
    clock: undefined,
    toldSince: EMPTY_VECTOR,
    isReachable: false,
    pushingSince: undefined,
    isComparing: false,
    failedComparisons: 0,
    hasCompared: false,
    clockWhenBehind: undefined,
    aheadDiffered: 0,
    claimsDiffered: 0,
    actor: undefined,
    levels: new Map(),
    floor: EMPTY_VECTOR,
    failedPull: 0,
    awaited: EMPTY_VECTOR,
    hasToldAwaited: false,
    wordsUntilPush: 0,
    refusedPushes: 0,
    comparisonsUntilPush: 0,
    wasToldMembers: false,
    hasBeenTried: false,
    hasAnswered: false,
  };
}
