// The laws of the hybrid clock: stamps follow causality, and stay close to wall time.
//
// The oracle of "follows" is a set of events for each process, handed on with every message; it knows no stamps.

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  DRIFT_MAX_MS,
  isTooFarAhead,
  nextStamp,
  observeStamp,
  type Stamp,
  stampToMs,
} from '../../src/clock/hybrid-clock.js';

const NOW_MS = 1_780_000_000_000;
/** Wall clocks that jump to and fro by a few milliseconds, or by minutes. */
const anyWallMs = fc.oneof(
  fc.integer({ min: NOW_MS - 5, max: NOW_MS + 5 }),
  fc.integer({ min: NOW_MS - 3 * DRIFT_MAX_MS, max: NOW_MS + 3 * DRIFT_MAX_MS }),
);
const anyStamp = fc.oneof(
  anyWallMs.map((wallMs) => wallMs * 1000),
  fc.tuple(anyWallMs, fc.integer({ min: -1001, max: 1001 })).map(([wallMs, ticks]) => wallMs * 1000 + ticks),
);

describe('The stamp of a local event', () => {
  test('is greater than the last one, whatever wall time does', () => {
    fc.assert(
      fc.property(fc.array(anyWallMs, { minLength: 2, maxLength: 30 }), (walls) => {
        let last = 0;
        for (const wallMs of walls) {
          const stamp = nextStamp(last, wallMs);
          expect(stamp).toBeGreaterThan(last);
          last = stamp;
        }
      }),
    );
  });

  test('is never before wall time, and after it only as far as it must be to follow the last one', () => {
    fc.assert(
      fc.property(anyStamp, anyWallMs, (last, wallMs) => {
        const stamp = nextStamp(last, wallMs);
        expect(stamp).toBeGreaterThanOrEqual(wallMs * 1000);
        expect(stamp === wallMs * 1000 || stamp === last + 1).toBe(true);
        expect(stampToMs(stamp)).toBeGreaterThanOrEqual(wallMs);
      }),
    );
  });

  test('is an exact integer', () => {
    fc.assert(
      fc.property(anyStamp, anyWallMs, (last, wallMs) => {
        expect(Number.isSafeInteger(nextStamp(last, wallMs))).toBe(true);
        expect(Number.isSafeInteger(stampToMs(last))).toBe(true);
      }),
    );
  });
});

describe('A stamp from elsewhere', () => {
  test('is before the next local event, unless it is too far ahead of wall time', () => {
    fc.assert(
      fc.property(anyStamp, anyStamp, anyWallMs, anyWallMs, (last, remote, wallMs, laterMs) => {
        fc.pre(remote <= (wallMs + 60_000) * 1000);
        expect(nextStamp(observeStamp(last, remote, wallMs), laterMs)).toBeGreaterThan(remote);
      }),
    );
  });

  test('more than 60 seconds ahead of wall time changes nothing', () => {
    fc.assert(
      fc.property(anyStamp, anyWallMs, fc.integer({ min: 1, max: 1e12 }), (last, wallMs, excess) => {
        const remote = (wallMs + 60_000) * 1000 + excess;
        expect(isTooFarAhead(remote, wallMs)).toBe(true);
        expect(observeStamp(last, remote, wallMs)).toBe(last);
      }),
    );
  });

  test('never turns the clock back, and never drives it more than 60 seconds ahead of wall time', () => {
    fc.assert(
      fc.property(anyStamp, anyStamp, anyWallMs, (last, remote, wallMs) => {
        const seen = observeStamp(last, remote, wallMs);
        expect(seen).toBeGreaterThanOrEqual(last);
        expect(seen).toBeLessThanOrEqual(Math.max(last, (wallMs + 60_000) * 1000));
        expect(seen === last || seen === remote).toBe(true);
      }),
    );
  });

  test('has the same effect in whichever order several arrive, and however often', () => {
    fc.assert(
      fc.property(anyStamp, anyStamp, anyStamp, anyWallMs, (last, one, other, wallMs) => {
        const forth = observeStamp(observeStamp(last, one, wallMs), other, wallMs);
        const back = observeStamp(observeStamp(last, other, wallMs), one, wallMs);
        expect(forth).toBe(back);
        expect(observeStamp(forth, one, wallMs)).toBe(forth);
      }),
    );
  });
});

interface Move {
  readonly act: 'event' | 'message' | 'tick';
  readonly process: number;
  readonly peer: number;
  readonly ms: number;
}

const PROCESSES = 4;
const anyMove: fc.Arbitrary<Move> = fc.record({
  act: fc.constantFrom('event', 'event', 'message', 'tick'),
  process: fc.nat({ max: PROCESSES - 1 }),
  peer: fc.nat({ max: PROCESSES - 1 }),
  // A wall clock that is corrected also goes back.
  ms: fc.integer({ min: -3, max: 5 }),
});
const anySkews = fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: PROCESSES, maxLength: PROCESSES });
const anyMoves = fc.array(anyMove, { minLength: 1, maxLength: 40, size: 'max' });

interface Event {
  readonly stamp: Stamp;
  readonly wallMs: number;
  readonly past: ReadonlySet<Event>;
}

/** Events of processes whose wall clocks disagree, each with the set of all events that it follows. */
function runProcesses(skews: readonly number[], moves: readonly Move[]): { events: Event[]; fastestMs: number } {
  const walls = skews.map((skew) => NOW_MS + skew);
  const clocks: Stamp[] = skews.map(() => 0);
  const pasts = skews.map(() => new Set<Event>());
  const events: Event[] = [];
  let fastestMs = Math.max(...walls);
  for (const { act, process, peer, ms } of moves) {
    if (act === 'event') {
      const stamp = nextStamp(clocks[process]!, walls[process]!);
      const event: Event = { stamp, wallMs: walls[process]!, past: new Set(pasts[process]) };
      clocks[process] = stamp;
      pasts[process]!.add(event);
      events.push(event);
    } else if (act === 'message') {
      clocks[peer] = observeStamp(clocks[peer]!, clocks[process]!, walls[peer]!);
      for (const event of pasts[process]!) pasts[peer]!.add(event);
    } else {
      walls[process]! += ms;
      fastestMs = Math.max(fastestMs, walls[process]!);
    }
  }
  return { events, fastestMs };
}

describe('Among processes whose wall clocks disagree', () => {
  test('an event that follows another has the greater stamp', () => {
    fc.assert(
      fc.property(anySkews, anyMoves, (skews, moves) => {
        for (const event of runProcesses(skews, moves).events) {
          for (const earlier of event.past) expect(event.stamp).toBeGreaterThan(earlier.stamp);
        }
      }),
      { numRuns: 200 },
    );
  });

  test('no stamp is behind the wall clock of its process, nor ahead of the fastest by more than a tick per event', () => {
    fc.assert(
      fc.property(anySkews, anyMoves, (skews, moves) => {
        const { events, fastestMs } = runProcesses(skews, moves);
        for (const event of events) {
          expect(event.stamp).toBeGreaterThanOrEqual(event.wallMs * 1000);
          expect(event.stamp).toBeLessThanOrEqual(fastestMs * 1000 + events.length);
        }
      }),
      { numRuns: 200 },
    );
  });
});
