// What is asked for, row by row, and of which keys?

import type { RowId } from './targets/target.js';

/** Keys of one page, and writes of one batch. */
export const LIST_KEYS = 100;
export const BATCH_KEYS = 100;

export interface Row {
  readonly id: RowId;
  readonly title: string;
}

export const ROWS: readonly Row[] = [
  { id: 'get', title: 'GET, 100 B' },
  { id: 'get-large', title: 'GET, 10 kB' },
  { id: 'put', title: 'PUT, 100 B, on disk before the answer' },
  { id: 'put-majority', title: 'PUT, 100 B, on the disks of a majority' },
  { id: 'mixed', title: '95 % GET, 5 % PUT, 100 B, Zipf' },
  { id: 'list', title: `a page of ${LIST_KEYS} keys` },
  { id: 'batch', title: `a batch of ${BATCH_KEYS} PUTs, 100 B each` },
  { id: 'counter', title: 'add to a counter' },
];

export interface Sizes {
  readonly keys: readonly string[];
  readonly largeKeys: readonly string[];
  readonly bytes: number;
  readonly largeBytes: number;
  readonly connections: number;
}

export function sizesOf(count: number, connections: number): Sizes {
  return {
    keys: Array.from({ length: count }, (_, index) => keyOf(index)),
    largeKeys: Array.from({ length: Math.min(count, 2000) }, (_, index) => `large-${keyOf(index)}`),
    bytes: 100,
    largeBytes: 10_000,
    connections,
  };
}

/** 16 bytes. */
export function keyOf(index: number): string {
  return `bench-${String(index).padStart(10, '0')}`;
}

/** So many requests are drawn, and then sent again from the first. */
const DRAWN = 200_000;
const FEW_DRAWN = 2000;

/** Of Zipf's law: how much more often the first keys come. 0.99 is what YCSB takes. */
const ZIPF = 0.99;

/** All draws of keys are the same in every run. */
export const draw = {
  /** Each key as often as any other, in a random order. */
  evenly(keys: readonly string[]): string[] {
    const next = generator();
    return Array.from({ length: Math.max(DRAWN, keys.length) }, () => keys[Math.floor(next() * keys.length)]!);
  },
  /** One place after the other, without a list of all keys: there may be millions. */
  below(count: number): () => number {
    const next = generator();
    return () => Math.floor(next() * count);
  },
  /** Each place once. */
  shuffled(count: number): number[] {
    const next = generator();
    const places = Array.from({ length: count }, (_, place) => place);
    for (let place = count - 1; place > 0; place--) {
      const other = Math.floor(next() * (place + 1));
      [places[place], places[other]] = [places[other]!, places[place]!];
    }
    return places;
  },
  few(keys: readonly string[]): string[] {
    return draw.evenly(keys).slice(0, FEW_DRAWN);
  },
  groups(keys: readonly string[], size: number): string[][] {
    const drawn = draw.evenly(keys);
    return Array.from({ length: FEW_DRAWN / 2 }, (_, group) => [
      ...new Set(drawn.slice(group * size, (group + 1) * size)),
    ]);
  },
  zipf(keys: readonly string[]): string[] {
    const next = generator();
    const sums: number[] = [];
    let sum = 0;
    for (let rank = 1; rank <= keys.length; rank++) sums.push((sum += rank ** -ZIPF));
    return Array.from({ length: DRAWN }, () => keys[placeOf(sums, next() * sum)]!);
  },
};

function placeOf(sums: readonly number[], sought: number): number {
  let [low, high] = [0, sums.length - 1];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (sums[middle]! < sought) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Numbers from 0 to 1, always the same ones (mulberry32). */
function generator(): () => number {
  let state = 20_26;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
