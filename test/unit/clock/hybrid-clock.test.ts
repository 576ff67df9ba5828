import { describe, expect, test } from '@jest/globals';
import { DRIFT_MAX_MS, isTooFarAhead, nextStamp, observeStamp, stampToMs } from '../../../src/clock/hybrid-clock.js';

const NOON_MS = 1_780_000_000_000;
const NOON = NOON_MS * 1000;

describe('The hybrid clock of a replica', () => {
  test('starts at wall time', () => {
    expect(nextStamp(0, NOON_MS)).toBe(NOON);
  });

  test('counts within a millisecond, so that no two events have one stamp', () => {
    expect(nextStamp(NOON, NOON_MS)).toBe(NOON + 1);
    expect(nextStamp(NOON + 1, NOON_MS)).toBe(NOON + 2);
  });

  test('returns to wall time as soon as that has moved on', () => {
    expect(nextStamp(NOON + 17, NOON_MS + 1)).toBe(NOON + 1000);
  });

  test('goes on counting while wall time stands still or is set back', () => {
    expect(nextStamp(NOON, NOON_MS - 3_600_000)).toBe(NOON + 1);
  });

  test('carries over into the next millisecond after a thousand events in one', () => {
    let stamp = nextStamp(0, NOON_MS);
    for (let events = 1; events < 1000; events++) stamp = nextStamp(stamp, NOON_MS);
    expect(stampToMs(stamp)).toBe(NOON_MS);
    expect(nextStamp(stamp, NOON_MS)).toBe(NOON + 1000);
    expect(stampToMs(nextStamp(stamp, NOON_MS))).toBe(NOON_MS + 1);
  });

  test('is shown in whole milliseconds', () => {
    expect(stampToMs(NOON + 999)).toBe(NOON_MS);
    expect(Number.isInteger(stampToMs(NOON + 1))).toBe(true);
  });
});

describe('A stamp from elsewhere', () => {
  test('is followed, so that the next event here is after it', () => {
    const seen = observeStamp(NOON, NOON + 5_000_000, NOON_MS);
    expect(nextStamp(seen, NOON_MS)).toBe(NOON + 5_000_001);
  });

  test('from the past changes nothing', () => {
    expect(observeStamp(NOON, NOON - 1, NOON_MS)).toBe(NOON);
  });

  test('exactly 60 seconds ahead is still followed, and one microsecond more is not', () => {
    expect(DRIFT_MAX_MS).toBe(60_000);
    const limit = NOON + 60_000_000;
    expect(isTooFarAhead(limit, NOON_MS)).toBe(false);
    expect(observeStamp(NOON, limit, NOON_MS)).toBe(limit);
    expect(isTooFarAhead(limit + 1, NOON_MS)).toBe(true);
    expect(observeStamp(NOON, limit + 1, NOON_MS)).toBe(NOON);
  });

  test('that was too far ahead is followed once wall time has come near it', () => {
    const remote = NOON + 61_000_000;
    expect(observeStamp(NOON, remote, NOON_MS)).toBe(NOON);
    expect(observeStamp(NOON, remote, NOON_MS + 1_000)).toBe(remote);
  });
});

describe('As the papers define it', () => {
  // "HLC captures the causality relationship like logical clocks"
  // Kulkarni et al.: Logical Physical Clocks (2014), abstract. Its theorem was not at hand in its
  // own words; in ours: when one event happened before another, its stamp is the smaller one.
  test('an event that follows another through a message has the greater stamp, though its wall clock is behind', () => {
    const sent = nextStamp(0, NOON_MS);
    const received = nextStamp(observeStamp(0, sent, NOON_MS - 30_000), NOON_MS - 30_000);
    const answered = nextStamp(observeStamp(sent, received, NOON_MS), NOON_MS);
    expect(received).toBeGreaterThan(sent);
    expect(answered).toBeGreaterThan(received);
  });

  // "TypeOK == (\A k \in Procs: l[k] >= pt[k])"
  // Demirbas: HLC, hlc.tla (the authors' model): the clock is never behind the physical clock of its process.
  test('the clock is never behind the wall clock of its replica', () => {
    for (const last of [0, NOON - 1, NOON, NOON + 1, NOON + 90_000_000]) {
      expect(stampToMs(nextStamp(last, NOON_MS))).toBeGreaterThanOrEqual(NOON_MS);
    }
  });

  // "Boundedl == (\A k \in Procs: l[k] < pt[k] + EPS)"
  // Demirbas: HLC, hlc.tla: the clock is ahead of the local wall clock by less than the wall clocks differ. Ours holds
  // while fewer than a thousand events share a millisecond, since one number holds both parts.
  test('the clock stays as close to wall time as the wall clocks are to each other', () => {
    const eps = 21;
    let [fast, slow] = [0, 0];
    for (let slowMs = NOON_MS; slowMs < NOON_MS + 500; slowMs++) {
      const fastMs = slowMs + eps - 1;
      fast = nextStamp(observeStamp(fast, slow, fastMs), fastMs);
      slow = nextStamp(observeStamp(slow, fast, slowMs), slowMs);
      expect(stampToMs(fast)).toBeLessThan(fastMs + eps);
      expect(stampToMs(slow)).toBeLessThan(slowMs + eps);
    }
  });
});
