// How do replicas recover, and what does it cost? `npm run bench:recovery` measures it on this machine in about twenty
// minutes, prints the tables, and writes them to docs/benchmarks. `-- --quick` takes less than two minutes, `-- --keys N`
// sets the largest number of keys, `-- --only catch-up|growth|deletes` leaves out the rest: these print only.

import { mkdir, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { measureCatchUp } from './catch-up.js';
import { measureDeletes } from './deletes.js';
import { markdown, type Results } from './document.js';
import { measureGrowth } from './growth.js';
import { DESIGNS, merkleBytes } from './merkle.js';
import { plot, type Comparison } from './plot.js';
import type { Repair } from './repair.js';

const FOLDER = resolve(import.meta.dirname, '../../docs/benchmarks');
const PLOT = 'recovery-bytes.svg';

const FULL = {
  keys: 1_000_000,
  missed: 100_000,
  runs: 3,
  deleted: 20_000,
  rounds: 8,
  quietSeconds: 10,
  idleSeconds: 20,
};
const QUICK = { keys: 10_000, missed: 10_000, runs: 1, deleted: 2000, rounds: 2, quietSeconds: 3, idleSeconds: 4 };

/** Of the plots: few keys that differ, and many. */
const PLOTTED = [10, 1000];

async function main(): Promise<void> {
  const { values: options } = parseArgs({
    options: { quick: { type: 'boolean' }, keys: { type: 'string' }, only: { type: 'string' } },
  });
  const size = options.quick === true ? QUICK : FULL;
  const keys = options.keys === undefined ? size.keys : Number(options.keys);
  if (!(keys >= 2000)) throw new Error('--keys must be a number, at least 2000');
  const has = (part: string): boolean => options.only === undefined || options.only === part;

  const startedAt = performance.now();
  const results: { -readonly [Name in keyof Results]: Results[Name] } = {
    minutes: 0,
    command: 'npm run bench:recovery',
  };
  if (has('catch-up')) {
    step('A replica that was away catches up');
    results.catchUp = await measureCatchUp(Math.min(size.missed, keys), size.quietSeconds, size.runs);
  }
  if (has('growth')) {
    step('A cluster grows; at rest, repairs, disk, memory, and a fifth replica');
    results.growth = await measureGrowth(sizesUpTo(keys), size);
    step('The same repairs with Merkle trees');
    results.comparisons = compare(results.growth.repairs);
  }
  if (has('deletes')) {
    step('Everything is deleted, again and again');
    results.deletes = await measureDeletes(Math.min(size.deleted, keys), size.rounds);
  }
  results.minutes = (performance.now() - startedAt) / 60_000;

  const text = markdown(results, PLOT);
  console.log(`\n${text}`);
  if (process.argv.length > 2) return console.log('Nothing is written: only a full run is kept.');
  await mkdir(FOLDER, { recursive: true });
  await writeFile(resolve(FOLDER, 'recovery.md'), text);
  await writeFile(resolve(FOLDER, PLOT), plot(results.comparisons!, PLOTTED));
  console.log(`Written to ${FOLDER}`);
}

function step(title: string): void {
  console.log(`\n${title}`);
}

/** A thousand, ten thousand and so on, and at last `keys`. */
function sizesUpTo(keys: number): readonly number[] {
  const sizes = [];
  for (let size = 1000; size < keys; size *= 10) sizes.push(size);
  return [...sizes, keys];
}

function compare(repairs: readonly Repair[]): readonly Comparison[] {
  const sizes = [...new Set(repairs.map(({ keys }) => keys))];
  return sizes.flatMap((keys) => {
    const same = repairs.filter((repair) => repair.keys === keys);
    const differing = same.map((repair) => repair.differing);
    const bytes = DESIGNS.map((design) => merkleBytes(design, keys, differing));
    console.log(`   ${keys.toLocaleString('en')} keys`);
    return same.map((repair, place) => ({ repair, merkle: bytes.map((counts) => counts[place]!) }));
  });
}

await main();
