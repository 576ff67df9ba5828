// How many replicas have committed a write? A replica has, once its clock covers the write's dot (invariant C1), so
// every clock that a peer tells is an acknowledgement, whichever way the write came to it.

import type { Actor, Dot } from '../../clock/dot.js';
import { covers, type VersionVector } from '../../clock/version-vector.js';
import type { RequestId } from './input.js';
import type { WriteResult } from './output.js';

type Written = Extract<WriteResult, { kind: 'written' }>;

interface Waiter {
  readonly id: RequestId;
  readonly dot: Dot;
  /** What its author is answered; undefined: how many have it, and no more. */
  readonly result: Written | undefined;
  readonly acksNeeded: number;
  readonly heardFrom: string[];
}

export interface Settled {
  readonly id: RequestId;
  readonly result: Written | undefined;
  readonly acks: number;
}

/** Lists, and no maps: what came and went in a map's outgrown tables would be kept until the whole heap is collected. */
export class Acknowledgements {
  /** In the order of the dots, which are this node's own: a peer's clock covers the first ones first. */
  private readonly waiters: Waiter[] = [];
  /** Of requests that came again: their dots are old, or of other nodes. */
  private repeated: Waiter[] = [];

  /** Whether somebody waits for one. */
  get areAwaited(): boolean {
    return this.waiters.length + this.repeated.length > 0;
  }

  wait(id: RequestId, dot: Dot, acksNeeded: number, result?: Written): void {
    let place = this.waiters.length;
    // Those of a batch wait once they are committed; what was written meanwhile waits already.
    while (place > 0 && isLater(this.waiters[place - 1]!.dot, dot)) place--;
    this.waiters.splice(place, 0, { id, dot, result, acksNeeded, heardFrom: [] });
  }

  /** As `wait`, for a dot in no order. @param had the peers that are known to have committed it */
  waitAgain(id: RequestId, dot: Dot, acksNeeded: number, had: readonly string[], result?: Written): void {
    this.repeated.push({ id, dot, result, acksNeeded, heardFrom: [...had] });
  }

  /** A peer told its clock: the writes that have enough acknowledgements now. `actor` is the one that writes by now. */
  heard(peer: string, clock: VersionVector, actor: Actor): readonly Settled[] {
    const settled: Settled[] = [];
    const waitsOn = (waiter: Waiter): boolean => {
      if (!covers(clock, waiter.dot)) return true;
      hear(waiter, peer);
      if (acksOf(waiter) < waiter.acksNeeded) return true;
      settled.push(settle(waiter));
      return false;
    };
    this.repeated = this.repeated.filter(waitsOn);
    let [kept, place] = [0, 0];
    for (; place < this.waiters.length; place++) {
      const waiter = this.waiters[place]!;
      // An actor's dots are waited for in order; only those of an earlier incarnation can be followed by a covered one.
      if (waiter.dot.actor === actor && !covers(clock, waiter.dot)) break;
      if (waitsOn(waiter)) this.waiters[kept++] = waiter;
    }
    this.waiters.splice(kept, place - kept);
    return settled;
  }

  /** The author waits no longer: the write with the acknowledgements so far; undefined when it was answered before. */
  giveUp(id: RequestId): Settled | undefined {
    for (const waiters of [this.waiters, this.repeated]) {
      const place = waiters.findIndex((waiter) => waiter.id === id);
      if (place >= 0) return settle(waiters.splice(place, 1)[0]!);
    }
    return undefined;
  }
}

function isLater(left: Dot, right: Dot): boolean {
  return left.actor === right.actor && left.counter > right.counter;
}

function hear({ heardFrom }: Waiter, peer: string): void {
  if (!heardFrom.includes(peer)) heardFrom.push(peer);
}

function settle(waiter: Waiter): Settled {
  const acks = acksOf(waiter);
  return { id: waiter.id, acks, result: waiter.result && { ...waiter.result, acks } };
}

/** The writing replica and those heard from. */
function acksOf(waiter: Waiter): number {
  return 1 + waiter.heardFrom.length;
}
