// What if only a replica that stops has a write? It is on disk, but the others would wait for it until the replica is
// back. So it goes on pushing until those that are there have everything, or the time is over.

import { counterOf, EMPTY_VECTOR } from '../clock/version-vector.js';
import { pushSince } from './engine/push.js';
import type { Replica } from './engine/replica.js';
import type { Cancel, Time } from './time.port.js';

/** A peer that takes nothing for so long must not hold up a stop: it gets the rest at the next start. */
export const HAND_OVER_MS_MAX = 5000;

const LOOK_EVERY_MS = 25;

/** Resolves once every peer that is there has told that it has all own dots, or after a while. */
export function handedOver(replica: Replica, time: Time): Promise<void> {
  return new Promise((resolve) => {
    let cancelLook: Cancel = () => {};
    const end = (): void => {
      cancelLook();
      cancelEnd();
      resolve();
    };
    const cancelEnd = time.after(HAND_OVER_MS_MAX, end);
    const look = (): void => {
      if (!owesPushes(replica)) return end();
      cancelLook = time.after(LOOK_EVERY_MS, look);
    };
    look();
  });
}

/**
 * How many own writes no member has told that it has: at most so many are on this disk only. None where nobody is to get them,
 * and none before peers were asked: no write was taken by then.
 */
export function onlyHere({ actor, clock, peers, standing, progress: { isIntroduced } }: Replica): number {
  if (standing === 'forgotten' || peers.length === 0 || !isIntroduced) return 0;
  const told = peers.map((peer) => counterOf(peer.clock ?? EMPTY_VECTOR, actor));
  return counterOf(clock, actor) - Math.max(...told);
}

/** Nobody else pushes them; and nobody takes them from a replica that was removed. */
function owesPushes({ actor, clock, peers, standing, progress: { floor } }: Replica): boolean {
  return standing !== 'forgotten' && peers.some((peer) => pushSince({ actor, clock, floor }, peer) !== undefined);
}
