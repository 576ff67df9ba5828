// Which keys does a peer know in full, once it has the dots of a message?
//
// A container that is sent is the state of its key as of the sender's whole clock, which covers more than the ranges of the
// message bring. So the receiver would have to keep, for each key, what the key knows beyond the clock, and drop it later.
// But where all dots of a key that the peer lacks are in the message, the state is the same as of what the peer's clock
// covers then. To know that, the dots that the peer lacks are counted by their keys, from the log, which has each of them.

import {
  advance,
  countBeyond,
  counterOf,
  descends,
  EMPTY_VECTOR,
  equalVectors,
  meet,
} from '../clock/version-vector.js';
import type { VersionVector } from '../clock/version-vector.js';
import type { CommittedView } from '../store/committed-view.js';
import { keyHash } from '../store/key-hash.js';
import { rangeEnd, type DotRange } from './engine/messages.js';

/** A map is renewed when it has had so many more changes than it has keys. */
const CHANGES_MAX = 256;

/** Beyond this, a peer is far behind, and to count what it lacks would take more memory than it saves work. */
const DOTS_MAX = 300_000;

export class Unsent {
  /**
   * By the hash of a key, how many of its dots the peer lacks; none for 0. The keys themselves may have a kilobyte each. Two
   * with the same hash are counted as one: neither is taken to be known in full before both are.
   *
   * Keys come and go with each write. V8 moves the entries of a map that does so to a new table again and again, and each table
   * leads to the next: one that has died in the old generation keeps all later ones until the whole heap is collected. So the
   * map is renewed first.
   */
  private counts = new Map<number, number>();
  /** Of `counts`, since it was renewed. */
  private changes = 0;
  /** What the peer has of the own clock, as far as it was told or sent. */
  private sent: VersionVector = EMPTY_VECTOR;
  /** Up to here the log has been counted. */
  private counted: VersionVector = EMPTY_VECTOR;

  /**
   * Counts what the view has and a peer with the clock `since` lacks. False: it can't be told, or is too much.
   * @throws CorruptRecordError
   */
  async follow(view: CommittedView, since: VersionVector): Promise<boolean> {
    const has = meet(view.clock, since);
    const lacking = countBeyond(view.clock, has);
    if (lacking > DOTS_MAX || !reachesBack(view, has)) return false;
    const goesOn = descends(has, this.sent) && descends(view.clock, this.counted);
    if (!goesOn || countBeyond(has, this.sent) > lacking) this.begin(has);
    await this.count(view, this.counted, view.clock, 1);
    this.counted = view.clock;
    if (!equalVectors(has, this.sent)) await this.count(view, this.sent, has, -1);
    this.sent = has;
    return true;
  }

  /** These are in the message. @returns what the peer has of the own clock then */
  send(ranges: readonly DotRange[]): VersionVector {
    for (const range of ranges) {
      for (const key of range.keys) this.add(key, -1);
      this.sent = advance(this.sent, { actor: range.actor, counter: rangeEnd(range) });
    }
    return this.sent;
  }

  /** Whether the peer lacks no dot of this key that the view has. */
  hasAllOf(key: string): boolean {
    return !this.counts.has(keyHash(key));
  }

  private begin(has: VersionVector): void {
    this.counts = new Map();
    this.changes = 0;
    this.sent = has;
    this.counted = has;
  }

  private async count(view: CommittedView, from: VersionVector, to: VersionVector, by: 1 | -1): Promise<void> {
    for (const [actor, counter] of to) {
      const before = counterOf(from, actor);
      if (before >= counter) continue;
      const span = { actor, from: before, to: counter };
      for await (const keys of view.log.chunks(span)) for (const key of keys) this.add(key, by);
    }
  }

  private add(key: string, by: 1 | -1): void {
    if (this.changes++ > this.counts.size + CHANGES_MAX) this.renew();
    const hash = keyHash(key);
    const count = (this.counts.get(hash) ?? 0) + by;
    if (count === 0) this.counts.delete(hash);
    else this.counts.set(hash, count);
  }

  private renew(): void {
    this.counts = new Map(this.counts);
    this.changes = 0;
  }
}

/** Whether the log has every dot beyond `has`. */
function reachesBack({ clock, node }: CommittedView, has: VersionVector): boolean {
  for (const [actor, counter] of clock) {
    const from = counterOf(has, actor);
    if (from < counter && from < counterOf(node.floor, actor)) return false;
  }
  return true;
}
