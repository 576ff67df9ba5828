// How long are log entries kept that every member has? Time is ticks here.

import { describe, expect, test } from '@jest/globals';
import { EMPTY_VECTOR, type VersionVector } from '../../../src/clock/version-vector.js';
import { beginRetention, expiredOf, tickRetention } from '../../../src/replication/engine/retention.js';
import { shownVector, vector } from '../../support/clock-arbitraries.js';

/** A log whose entries no member lacks. */
function logOf({ retentionTicks = 100, logMax = 1000, clock = {} as Record<string, number> }) {
  const loaded = vector(clock);
  const state = { clock: loaded, floor: EMPTY_VECTOR, logMax, retentionTicks, retention: beginRetention(loaded) };
  return {
    state,
    ticks(count: number, writesPerTick = 0, actor = 'n1.a'): void {
      for (let tick = 0; tick < count; tick++) {
        const written = (state.clock.get(actor) ?? 0) + writesPerTick;
        if (writesPerTick > 0) state.clock = new Map(state.clock).set(actor, written);
        tickRetention(state);
      }
    },
    /** How far it may be trimmed, when members lack nothing but what is beyond `unneeded`. */
    expired: (unneeded: VersionVector = state.clock) => shownVector(expiredOf(state, unneeded)),
  };
}

describe('A log entry that every member has', () => {
  test('goes when it is as old as the retention, and a 64th of that later at most', () => {
    const log = logOf({ retentionTicks: 128 });
    log.ticks(1, 5);
    log.ticks(127);
    expect(log.expired()).toEqual([]);
    log.ticks(3);
    expect(log.expired()).toEqual([['n1.a', 5]]);
  });

  test('is never younger than the retention when it goes, whenever it was written', () => {
    for (const retentionTicks of [1, 2, 7, 64, 100, 1000]) {
      const log = logOf({ retentionTicks, logMax: 1e9 });
      for (let tick = 1; tick <= 3 * retentionTicks + 70; tick++) {
        log.ticks(1, 1);
        const [[, gone] = ['', 0]] = log.expired();
        // The entry with the counter n was written before tick n.
        expect(gone).toBeLessThanOrEqual(Math.max(0, tick - retentionTicks));
        expect(gone).toBeGreaterThanOrEqual(Math.max(0, tick - retentionTicks - retentionTicks / 64 - 2));
      }
    }
  });

  test('goes at once when nothing is to be kept for readers', () => {
    const log = logOf({ retentionTicks: 0, clock: { 'n1.a': 7 } });
    log.ticks(1, 1);
    expect(log.expired()).toEqual([['n1.a', 8]]);
  });

  test('stays for all of the retention after a restart, for nobody knows how old it is', () => {
    const log = logOf({ retentionTicks: 100, clock: { 'n1.a': 7 } });
    log.ticks(99);
    expect(log.expired()).toEqual([]);
    log.ticks(1);
    expect(log.expired()).toEqual([['n1.a', 7]]);
  });

  test('stays while a member lacks it, however old it is', () => {
    const log = logOf({ retentionTicks: 10, clock: { 'n1.a': 7 } });
    log.ticks(100);
    expect(log.expired(vector({ 'n1.a': 3 }))).toEqual([['n1.a', 3]]);
  });
});

describe('The bound of the log', () => {
  test('shortens what readers are told of the past, the oldest first', () => {
    const log = logOf({ retentionTicks: 1000, logMax: 640 });
    log.ticks(900, 1);
    const [[, gone] = ['', 0]] = log.expired();
    expect(900 - gone).toBeLessThanOrEqual(640);
    expect(900 - gone).toBeGreaterThanOrEqual(640 - 2 * 10);
  });

  test('counts what members need first, and leaves readers the rest', () => {
    const log = logOf({ retentionTicks: 1000, logMax: 64 });
    log.ticks(60, 1, 'n1.a');
    log.ticks(40, 1, 'n2.b');
    // A member lacks all 40 dots of n2.b: 24 are left for readers.
    const expired = new Map(log.expired(vector({ 'n1.a': 60 })));
    expect(expired.get('n2.b')).toBeUndefined();
    expect(60 - expired.get('n1.a')!).toBeLessThanOrEqual(24);
    expect(60 - expired.get('n1.a')!).toBeGreaterThanOrEqual(22);
  });

  test('of nothing keeps nothing for readers', () => {
    const log = logOf({ retentionTicks: 1000, logMax: 0 });
    log.ticks(10, 1);
    expect(log.expired()).toEqual([['n1.a', 10]]);
  });
});

test('Few marks are kept, however long the retention, however many writes', () => {
  for (const writesPerTick of [0, 1, 1000]) {
    const log = logOf({ retentionTicks: 5000, logMax: 10_000 });
    log.ticks(12_000, writesPerTick);
    expect(log.state.retention.marks.length).toBeLessThan(140);
  }
});
