// What is a new life of a node called? Seconds since 1970 and a random part, in base 36: no memory is needed to make one
// that was never given before, and an operator sees which of two is the later.

import { randomInt } from 'node:crypto';
import { actorName, type Actor } from '../clock/dot.js';

const RANDOM_DIGITS = 4;

export function newIncarnation(nowMs: number): string {
  const seconds = Math.floor(nowMs / 1000).toString(36);
  return (
    seconds +
    randomInt(36 ** RANDOM_DIGITS)
      .toString(36)
      .padStart(RANDOM_DIGITS, '0')
  );
}

/** The actor's life began before this, by the clock of that time. One whose name tells no time began long ago. */
export function begunBeforeMs(actor: Actor): number {
  const seconds = Number.parseInt(actor.slice(actorName(actor).length + 1, -RANDOM_DIGITS), 36);
  return Number.isNaN(seconds) ? 0 : (seconds + 1) * 1000;
}
