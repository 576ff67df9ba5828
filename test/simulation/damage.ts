// What has rotted on a node's disk, and is what the node does about it right? A repair must bring all that the node knew of
// the key, or say that it does not; then nobody else may have what is lost.

import type { Input } from '../../src/replication/engine/input.js';
import type { Output } from '../../src/replication/engine/output.js';
import type { ReplicaDriver } from '../../src/replication/replica-driver.js';
import { CorruptRecordError } from '../../src/store/record-codec.js';
import type { Disk } from './disk.js';
import type { Mind } from './mind.js';
import type { OracleVersion } from './oracle.js';
import { textOf, type VersionLike } from './shapes.js';
import { Violation } from './violation.js';
import type { World } from './world.js';

export class Damage {
  /** The keys that have had a damaged record on this disk. */
  private readonly rotten = new Set<string>();
  /** Damaged contexts, as they are and as they were. */
  private readonly contexts = new Map<Uint8Array, { readonly record: string; readonly whole: Uint8Array }>();

  constructor(
    private readonly node: string,
    private readonly mind: Mind,
    private readonly world: World,
    private readonly disk: () => Disk,
  ) {}

  /** @param place which bit, from 0 to 1 */
  flipBit(record: string, place: number): void {
    this.rotten.add(record.slice(1));
    this.disk().alter(record, (value) => {
      const bit = Math.floor(place * value.length * 8);
      const damaged = new Uint8Array(value);
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      if (record.startsWith('a'))
        this.contexts.set(damaged, { record, whole: this.contexts.get(value)?.whole ?? value });
      return damaged;
    });
  }

  isRotten(key: string): boolean {
    return this.rotten.has(key);
  }

  /** The record is gone, unseen: until the node has found out, it shows what it has not got. */
  lose(record: string): void {
    this.mind.lost.add(record.slice(1));
    this.disk().alter(record, () => undefined);
  }

  endLoss(): void {
    this.mind.lost.clear();
  }

  isLost(key: string): boolean {
    return this.mind.lost.has(key);
  }

  get hasStruck(): boolean {
    return this.rotten.size > 0;
  }

  /** Whether a record of a key can't be read. */
  isSeenBy({ view }: ReplicaDriver): boolean {
    return [...this.rotten].some((key) => {
      try {
        return view.onDisk(key) === undefined;
      } catch (error) {
        if (error instanceof CorruptRecordError) return true;
        throw error;
      }
    });
  }

  /**
   * A process that finds a damaged context at its start can't know what was in it, and the oracle can't say what it must
   * show: contexts are damaged while their process lives, which still knows them.
   */
  mendContexts(): void {
    for (const [damaged, { record, whole }] of this.contexts) {
      this.disk().alter(record, (now) => (now === damaged ? whole : now));
    }
    this.contexts.clear();
  }

  /** What the step has done about it, by the oracle's account. */
  follow(input: Input, { observations, writes }: Output, wallMs: number): void {
    for (const observation of observations) {
      if (observation.kind === 'damaged' && input.kind === 'damaged' && input.versions === undefined) {
        this.mind.damaged(observation.key);
      }
      if (observation.kind === 'disagreement-settled') this.settle(observation.key, writes);
      if (observation.kind !== 'repaired') continue;
      const { key, isWhole } = observation;
      if (isWhole) this.mind.repaired(key, wallMs);
      else this.followLoss(key, writes);
    }
  }

  /** Replicas drop what has ended at moments of their own: a vote may take from one what it had, or give it back. */
  private settle(key: string, { containers }: Output['writes']): void {
    this.mind.settle(key, containers.find(([stored]) => stored === key)![1].versions);
  }

  private followLoss(key: string, { containers, log }: Output['writes']): void {
    const versions = containers.find(([stored]) => stored === key)![1].versions;
    const writes = log
      .filter((entry) => entry.key === key)
      .map(({ actor, counter }) => {
        const version = versions.find((each) => each.actor === actor && each.counter === counter);
        return { actor, counter, version: version && written(version) };
      });
    const lost = this.mind.repairedInPart(key, writes);
    if (lost === 0n) return;
    this.world.count('writes lost with a record');
    for (const other of this.world.holders(key, lost)) {
      if (other !== this.node)
        throw new Violation('repair', `${this.node} gives up writes of ${key} that ${other} has`);
    }
  }
}

/** What is written anew is what was found. */
function written({ type, part, value, deadlineMs }: VersionLike): OracleVersion {
  return { type: type as OracleVersion['type'], part, value: textOf(value), deadlineMs, adds: 0n, amount: 0n };
}
