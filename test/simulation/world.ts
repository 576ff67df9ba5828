// What do all nodes of a simulated cluster share? Time, network, chance and the oracle; and one place to report a
// broken promise to, from wherever it is noticed.

import type { PeerAnswer, PeerRequest } from '../../src/replication/engine/messages.js';
import type { Cargo } from './mind.js';
import type { SimulatedNetwork } from './network.js';
import type { SimulationOptions } from './options.js';
import type { Oracle } from './oracle.js';
import type { Prng } from './prng.js';
import type { Timeline } from './timeline.js';

/** A message on its way, with what it brings by the oracle's account. */
export interface Parcel {
  readonly message: PeerRequest | PeerAnswer;
  /** The message in its wire format, where the run uses it. */
  readonly bytes: Uint8Array | undefined;
  readonly cargo: Cargo | undefined;
}

export interface World {
  readonly options: SimulationOptions;
  readonly timeline: Timeline;
  readonly network: SimulatedNetwork<Parcel>;
  readonly oracle: Oracle;
  readonly prng: Prng;
  readonly names: readonly string[];
  readonly keys: readonly string[];
  /** Whether the faults are over. */
  readonly isCalm: boolean;
  /** Actors whose last dots some replica has given up. */
  readonly sealed: Set<string>;
  /** A replica takes these writes for lost with a disk: no other one, alive or not, may know of them. */
  giveUp(by: string, key: string, writes: bigint): void;
  /** The nodes whose disks have any of these writes, readable and not replaced. */
  holders(key: string, writes: bigint): readonly string[];
  /** A replica has reported this. */
  count(kind: string): void;
  /** The run ends with the first failure. */
  fail(error: unknown): void;
}
