// Which records can't be trusted, and who has been asked for them? Forgotten when the process ends: the scan finds them
// again.

import type { Container, Version } from '../../clock/container.js';
import type { Actor } from '../../clock/dot.js';
import type { VersionVector } from '../../clock/version-vector.js';

export interface Repairs {
  /** In the order in which they are asked for. */
  readonly damaged: Map<string, Damage>;
  /** Keys that differ between replicas that know the same. */
  readonly suspected: Map<string, Suspicion>;
  /** By peer, the request that is under way. */
  readonly asked: Map<string, Asked>;
}

export interface Asked {
  readonly keys: readonly string[];
  /** Ticks since. */
  ticks: number;
}

export interface Damage {
  /** What this replica knew of the key when the damage was found. */
  readonly known: VersionVector;
  /** What the answers so far amount to, filled. */
  found: Container;
  /** Dots of `known` that no answer covers. */
  missing: number;
  /** By disk of a peer, its answers since one last covered more, and since it was last away. */
  readonly fruitless: Map<Actor, number>;
}

export interface Suspicion {
  /** What this replica knew of the key when its peers were heard: only who knows the same is heard. */
  known: VersionVector;
  /** By peer. */
  readonly votes: Map<string, readonly Version[]>;
  asked: number;
}

export function noRepairs(): Repairs {
  return { damaged: new Map(), suspected: new Map(), asked: new Map() };
}
