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
  readonly heardFrom: Set<string>;
}

export interface Settled {
  readonly id: RequestId;
  readonly result: Written | undefined;
  readonly acks: number;
}

export class Acknowledgements {
  /** In the order of the dots, which are this node's own: a peer's clock covers the first ones first. */
  private readonly waiters = new Map<RequestId, Waiter>();
  /** Of requests that came again: their dots are old, or of other nodes. */
  private readonly repeated = new Map<RequestId, Waiter>();

  /** Whether somebody waits for one. */
  get areAwaited(): boolean {
    return this.waiters.size + this.repeated.size > 0;
  }

  wait(id: RequestId, dot: Dot, acksNeeded: number, result?: Written): void {
    this.waiters.set(id, { id, dot, result, acksNeeded, heardFrom: new Set() });
  }

  /** As `wait`, for a dot in no order. @param had the peers that are known to have committed it */
  waitAgain(id: RequestId, dot: Dot, acksNeeded: number, had: readonly string[], result?: Written): void {
    this.repeated.set(id, { id, dot, result, acksNeeded, heardFrom: new Set(had) });
  }

  /** A peer told its clock: the writes that have enough acknowledgements now. `actor` is the one that writes by now. */
  heard(peer: string, clock: VersionVector, actor: Actor): readonly Settled[] {
    const settled: Settled[] = [];
    for (const waiter of this.repeated.values()) {
      if (covers(clock, waiter.dot)) this.count(waiter, peer, settled);
    }
    for (const waiter of this.waiters.values()) {
      const { dot } = waiter;
      if (!covers(clock, dot)) {
        // An actor's dots are waited for in order; only those of an earlier incarnation can be followed by a covered one.
        if (dot.actor === actor) break;
        continue;
      }
      this.count(waiter, peer, settled);
    }
    return settled;
  }

  /** The author waits no longer: the write with the acknowledgements so far; undefined when it was answered before. */
  giveUp(id: RequestId): Settled | undefined {
    const waiter = this.waiters.get(id) ?? this.repeated.get(id);
    return waiter && this.settle(waiter);
  }

  private count(waiter: Waiter, peer: string, settled: Settled[]): void {
    waiter.heardFrom.add(peer);
    if (acksOf(waiter) >= waiter.acksNeeded) settled.push(this.settle(waiter));
  }

  private settle(waiter: Waiter): Settled {
    this.waiters.delete(waiter.id);
    this.repeated.delete(waiter.id);
    const acks = acksOf(waiter);
    return { id: waiter.id, acks, result: waiter.result && { ...waiter.result, acks } };
  }
}

/** The writing replica and those heard from. */
function acksOf(waiter: Waiter): number {
  return 1 + waiter.heardFrom.size;
}
