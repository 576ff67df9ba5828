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
      // 'Ã¼' has as many units as 'ü' has bytes, and these are their numbers.
      key: fc.constantFrom('a', 'b', 'ü', 'Ã¼', '漢字', 'x'.repeat(1024)),
      value: fc.option(
        fc.tuple(fc.oneof(fc.nat(100), fc.nat(70_000)), fc.nat(255)).map(([length, fill]) => bytes(length, fill)),
        { nil: undefined },
      ),
      isUsed: fc.boolean(),
    });
    // Keys that share a hash are told apart by their bytes.
    const hashOf = fc.constantFrom(
      undefined,
      () => 7,
      (key: string) => key.length,
    );
    fc.assert(
      fc.property(hashOf, fc.array(operation, { minLength: 20, maxLength: 60, size: 'max' }), (hash, operations) => {
        // Of four slabs: they are filled, go and are filled anew.
        const cache = new ByteCache(17 * 70_000, hash);
        const model = new Map<string, Uint8Array>();
        for (const { key, value, isUsed } of operations) {
          if (value === undefined) cache.delete(key);
          else cache.set(key, value);
          if (value === undefined) model.delete(key);
          else model.set(key, value);
          for (const [known, expected] of model) {
            const found = isUsed ? cache.get(known) : cache.peek(known);
            // It may have gone, but it is never another's, and never old.
            if (found !== undefined) expect(found.equals(expected)).toBe(true);
            expect(cache.has(known)).toBe(found !== undefined);
          }
          if (value === undefined) expect(cache.get(key)).toBeUndefined();
        }
      }),
      // When it fails, that is known at once: looking for a smaller case may take minutes.
      { interruptAfterTimeLimit: 10_000 },
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

  it('gives what was in use one more chance, not any number', () => {
    const cache = new ByteCache(MAX);
    cache.set('once', bytes(1000, 1));
    cache.get('once');
    for (let i = 0; i < 1500; i++) cache.set(`key ${i}`, bytes(1000, 0));
    expect(cache.has('once')).toBe(true);
    for (let i = 0; i < 3000; i++) cache.set(`key ${i}`, bytes(1000, 0));
    expect(cache.has('once')).toBe(false);
  });

  it('makes room though all of it is in use', () => {
    const cache = new ByteCache(MAX);
    for (let i = 0; i < 5000; i++) {
      cache.set(`key ${i}`, bytes(1000, 0));
      cache.get(`key ${i}`);
    }
    const kept = Array.from({ length: 5000 }, (_, i) => i).filter((i) => cache.has(`key ${i}`));
    expect(kept.length).toBeLessThan(1024);
    expect(kept.length).toBeGreaterThan(700);
  });

  it('keeps what is in use wherever it stands in its slab, and large things too', () => {
    const cache = new ByteCache(2 * MAX);
    const used = ['first', 'middle', 'last', 'large'];
    cache.set('large', bytes(100_000, 4));
    for (let i = 0; i < 60; i++)
      cache.set({ 0: 'first', 30: 'middle', 59: 'last' }[i] ?? `beside ${i}`, bytes(1000, i));
    for (let i = 0; i < 5000; i++) {
      for (const key of used) cache.get(key);
      cache.set(`key ${i}`, bytes(1000, 0));
    }
    expect(used.map((key) => cache.has(key))).toEqual([true, true, true, true]);
    expect(cache.has('beside 1')).toBe(false);
  });

  it('hands out bytes that stay as they were', () => {
    const cache = new ByteCache(MAX);
    cache.set('small', bytes(1000, 1));
    cache.set('large', bytes(65_536 - 100, 2));
    const [small, large] = [cache.get('small')!, cache.get('large')!];
    for (let i = 0; i < 5000; i++) cache.set(`key ${i}`, bytes(1000, 0));
    expect(small.equals(bytes(1000, 1))).toBe(true);
    expect(large.equals(bytes(65_536 - 100, 2))).toBe(true);
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

  it('counts keys', () => {
    const cache = new ByteCache(MAX);
    const keys = Array.from({ length: 2000 }, (_, i) => String(i).padEnd(1000, 'k'));
    for (const key of keys) cache.set(key, bytes(1, 0));
    const kept = keys.filter((key) => cache.has(key)).length;
    expect(kept).toBeGreaterThan(850);
    expect(kept).toBeLessThan(MAX / 1000);
  });

  it('with many small entries counts what each costs', () => {
    const cache = new ByteCache(MAX);
    for (let i = 0; i < 50_000; i++) cache.set(`k${i}`, bytes(1, 0));
    const kept = Array.from({ length: 50_000 }, (_, i) => i).filter((i) => cache.has(`k${i}`));
    // 20 bytes each, and 10 to 22 in the table.
    expect(kept.length).toBeLessThan(MAX / 30);
    expect(kept.length).toBeGreaterThan(MAX / 50);
  });

  it('is nothing to the collector of garbage, not even growth', () => {
    const cache = new ByteCache(64 * MAX);
    const value = bytes(16_000, 1);
    const before = process.memoryUsage().external;
    for (let n = 0; n < 1000; n++) cache.set(`key-${n}`, value);
    expect(process.memoryUsage().external - before).toBeLessThan(4e6);
    expect(cache.get('key-0')).toEqual(value);
    expect(cache.get('key-999')).toEqual(value);
  });
});
