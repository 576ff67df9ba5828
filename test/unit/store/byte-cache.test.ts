import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ByteCache } from '../../../src/store/byte-cache.js';

const MAX = 1024 * 1024;

function bytes(length: number, fill: number): Buffer {
  return Buffer.alloc(length, fill);
}

describe('a cache of bytes', () => {
  it('has what was set last, or nothing', () => {
    const operation = fc.record({
      key: fc.constantFrom('a', 'b', 'ü', '漢字', 'x'.repeat(1024)),
      value: fc.option(fc.uint8Array({ maxLength: 40_000 }), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
        const cache = new ByteCache(MAX);
        const model = new Map<string, Uint8Array>();
        for (const { key, value } of operations) {
          if (value === undefined) cache.delete(key);
          else cache.set(key, value);
          if (value === undefined) model.delete(key);
          else model.set(key, value);
          for (const [known, expected] of model) {
            const found = cache.get(known);
            // It may have gone, but it is never another's, and never old.
            if (found !== undefined) expect(found.equals(expected)).toBe(true);
            expect(cache.has(known)).toBe(found !== undefined);
          }
          if (value === undefined) expect(cache.get(key)).toBeUndefined();
        }
      }),
    );
  });

  it('keeps no more than it may, and the newest', () => {
    const cache = new ByteCache(MAX);
    for (let i = 0; i < 5000; i++) cache.set(`key ${i}`, bytes(1000, i % 256));
    const kept = Array.from({ length: 5000 }, (_, i) => i).filter((i) => cache.has(`key ${i}`));
    expect(kept.length).toBeGreaterThan(700);
    expect(kept.length).toBeLessThan(1024);
    expect(kept).toEqual(Array.from({ length: kept.length }, (_, i) => 5000 - kept.length + i));
    for (const i of kept) expect(cache.get(`key ${i}`)!.equals(bytes(1000, i % 256))).toBe(true);
  });

  it('keeps what is in use, and not what is only looked at', () => {
    const cache = new ByteCache(MAX);
    cache.set('used', bytes(1000, 1));
    cache.set('peeked', bytes(1000, 2));
    for (let i = 0; i < 5000; i++) {
      cache.set(`key ${i}`, bytes(1000, 0));
      cache.get('used');
      cache.peek('peeked');
    }
    expect(cache.get('used')?.equals(bytes(1000, 1))).toBe(true);
    expect(cache.has('peeked')).toBe(false);
  });

  it('makes room though all of it is in use', () => {
    const cache = new ByteCache(MAX);
    for (let i = 0; i < 5000; i++) {
      cache.set(`key ${i}`, bytes(1000, 0));
      cache.get(`key ${i}`);
    }
    expect(Array.from({ length: 5000 }, (_, i) => i).filter((i) => cache.has(`key ${i}`)).length).toBeLessThan(1024);
  });

  it('takes what is larger than a slab, up to a sixteenth of all, and forgets what a key had before', () => {
    const cache = new ByteCache(4 * MAX);
    cache.set('large', bytes(200_000, 7));
    cache.set('small', bytes(10, 1));
    expect(cache.get('large')?.equals(bytes(200_000, 7))).toBe(true);
    expect(cache.get('small')?.equals(bytes(10, 1))).toBe(true);
    cache.set('small', bytes(300_000, 1));
    expect(cache.has('small')).toBe(false);
    for (let i = 0; i < 100; i++) cache.set(`large ${i}`, bytes(200_000, i));
    const kept = Array.from({ length: 100 }, (_, i) => i).filter((i) => cache.has(`large ${i}`));
    expect(kept.length).toBeGreaterThan(15);
    expect(kept.length).toBeLessThan(22);
    for (const i of kept) expect(cache.get(`large ${i}`)!.equals(bytes(200_000, i))).toBe(true);
  });

  it('with many small entries counts what each costs', () => {
    const cache = new ByteCache(MAX);
    for (let i = 0; i < 50_000; i++) cache.set(`k${i}`, bytes(1, 0));
    const kept = Array.from({ length: 50_000 }, (_, i) => i).filter((i) => cache.has(`k${i}`));
    expect(kept.length).toBeLessThan(MAX / 80);
    expect(kept.length).toBeGreaterThan(MAX / 160);
  });
});
