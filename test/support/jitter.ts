// Does a test pass only because machine and network are quick? With `TEST_JITTER` set to a seed, what replicas send each other
// is late, and the process of the test stands still now and then, as on a machine that is busy elsewhere. The seed decides how
// long; what meets what is up to the machine. `npm run test:jitter` draws one and prints it.

import { Transform, type Writable } from 'node:stream';
import { Prng } from '../simulation/prng.js';

/** Each piece of bytes waits up to so long; those behind it too. */
const LATE_MS_MAX = 100;

/** So often it may stand still, this likely, for up to so long. */
const STILL = { everyMs: 100, chance: 0.1, msMax: 150 };

const seed = process.env['TEST_JITTER'];
const prng = seed === undefined ? undefined : new Prng(Number(seed));

/** What goes into it comes out at `to`, in order. Without jitter `to` itself. */
export function late(to: Writable): Writable {
  if (prng === undefined) return to;
  const delay = new Transform({
    transform: (bytes, _encoding, done) => void setTimeout(() => done(undefined, bytes), prng.int(LATE_MS_MAX)),
  });
  delay.pipe(to);
  return delay;
}

export function standStillNowAndThen(): void {
  if (prng === undefined) return;
  setInterval(() => {
    if (!prng.chance(STILL.chance)) return;
    const end = performance.now() + prng.int(STILL.msMax);
    while (performance.now() < end);
  }, STILL.everyMs).unref();
}
