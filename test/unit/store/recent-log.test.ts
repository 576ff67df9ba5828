import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { EMPTY_VECTOR } from '../../../src/clock/version-vector.js';
import { RecentLog } from '../../../src/store/recent-log.js';

/** What it keeps of each actor in any case. */
const NEWEST = 256;

function logOf(actors: Readonly<Record<string, number>>, keyOf: (actor: string, counter: number) => string): RecentLog {
  const log = new RecentLog(EMPTY_VECTOR);
  const last = Math.max(...Object.values(actors));
  for (let counter = 1; counter <= last; counter++) {
    const written = Object.keys(actors).filter((actor) => counter <= actors[actor]!);
    log.add(written.map((actor) => ({ actor, counter, key: keyOf(actor, counter) })));
  }
  return log;
}

function keysOf(actor: string, from: number, to: number, keyOf: (actor: string, counter: number) => string): string[] {
  return Array.from({ length: to - from }, (_, place) => keyOf(actor, from + 1 + place));
}

describe('the log of the newest dots', () => {
  it('tells the keys of any of them, in order', () => {
    const texts = ['plain', 'ünïcode', '漢字', '🙂', ''];
    const keyOf = (actor: string, counter: number): string => `${texts[counter % texts.length]} ${actor}${counter}`;
    const ends = { a: 3000, b: 2 * NEWEST - 1, c: 2 * NEWEST, d: 1 };
    const log = logOf(ends, keyOf);
    const span = fc
      .constantFrom(...(Object.keys(ends) as (keyof typeof ends)[]))
      .chain((actor) => fc.tuple(fc.constant(actor), fc.nat(ends[actor]), fc.nat(ends[actor])));
    fc.assert(
      fc.property(span, ([actor, one, other]) => {
        const [from, to] = [Math.min(one, other), Math.max(one, other)];
        expect(log.keys(actor, from, to)).toEqual(keysOf(actor, from, to, keyOf));
      }),
    );
  });

  it('knows nothing of dots that it was not told of', () => {
    const log = logOf({ a: 1000 }, String);
    expect(log.keys('a', 999, 1001)).toBeUndefined();
    expect(log.keys('b', 0, 1)).toBeUndefined();
    log.add([{ actor: 'c', counter: 2001, key: 'c' }]);
    expect(log.keys('c', 1999, 2001)).toBeUndefined();
    expect(log.keys('c', 2000, 2001)).toEqual(['c']);
  });

  it('begins anew after a gap', () => {
    const log = logOf({ a: 1000 }, String);
    log.add([{ actor: 'a', counter: 1002, key: 'after' }]);
    expect(log.keys('a', 1001, 1002)).toEqual(['after']);
    expect(log.keys('a', 999, 1000)).toBeUndefined();
    expect(log.keys('a', 0, 1002)).toBeUndefined();
  });

  it('keeps the newest of each actor, however much the others write, and of the rest what there is room for', () => {
    const keyOf = (actor: string, counter: number): string => `${actor}${counter}`.padEnd(1000, '.');
    const ends = { rare: 1000, busy: 20_000 };
    const log = logOf(ends, keyOf);
    for (const actor of ['rare', 'busy'] as const) {
      const end = ends[actor];
      expect(log.keys(actor, end - NEWEST, end)).toEqual(keysOf(actor, end - NEWEST, end, keyOf));
      expect(log.keys(actor, 0, end)).toBeUndefined();
      expect(log.keys(actor, 0, 1)).toBeUndefined();
    }
    // 4 MiB of them.
    expect(log.keys('busy', 20_000 - 4000, 20_000)).toEqual(keysOf('busy', 20_000 - 4000, 20_000, keyOf));
    expect(log.keys('busy', 20_000 - 5000, 20_000)).toBeUndefined();
  });

  it('knows which actors requests with names may have written for', () => {
    const log = new RecentLog(new Map([['a', 5]]));
    expect(log.mayHaveRequests('a', 4)).toBe(true);
    expect(log.mayHaveRequests('a', 5)).toBe(false);
    const request = { id: '0'.repeat(32), fingerprint: '0'.repeat(16), dots: 1 };
    log.add([{ actor: 'a', counter: 6, key: 'k', request }]);
    expect(log.mayHaveRequests('a', 5)).toBe(true);
    expect(log.mayHaveRequests('a', 6)).toBe(false);
  });
});
