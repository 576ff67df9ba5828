// Is a replica still as fast as it was? By processor time for a request, beside a server that only answers HTTP and a disk
// that only syncs, in turn, in one run; the median of the rounds' ratios: a machine that others share is now fast, now slow, and
// within a round it is mostly the same.
// `npm run bench:guard` fails when a ratio has fallen by a quarter; with --write what is measured becomes what is held against.

import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { cpuMicrosOf, measureAll, medianRatio, type Cell } from './measure.js';
import { ROWS, sizesOf } from './rows.js';
import { bareServer, bareStore } from './targets/bare.js';
import { runningNode } from './targets/node-binaries.js';
import { quartet } from './targets/quartet.js';
import type { RowId, Target } from './targets/target.js';

const FILE = resolve(import.meta.dirname, 'guard.json');

/** It fails below this part of what was written down. */
const LEFT_MIN = 0.75;

const SIZES = sizesOf(2000, 64);
const ROUNDS = { repeats: 8, seconds: 1 };

const PAIRS: readonly { readonly row: RowId; readonly beside: string }[] = [
  { row: 'get', beside: 'bare' },
  { row: 'put', beside: 'bare' },
  { row: 'put', beside: 'level' },
];

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { write: { type: 'boolean', default: false } } });
  const ratios = await measure();
  if (values.write) return writeFile(FILE, `${JSON.stringify(ratios, undefined, 2)}\n`);
  const written = JSON.parse(await readFile(FILE, 'utf8')) as Record<string, number>;
  let hasFallen = false;
  for (const [name, ratio] of Object.entries(ratios)) {
    const was = written[name]!;
    const isFallen = ratio < was * LEFT_MIN;
    hasFallen ||= isFallen;
    console.log(`${name}: ${ratio} (was ${was})${isFallen ? ', FALLEN by more than a quarter' : ''}`);
  }
  if (hasFallen) {
    console.log('Look for what has become slower with `node --cpu-prof`; `-- --write` when it is meant to be so.');
    process.exitCode = 1;
  }
}

/** By row and neighbour: the neighbour's processor time for a request, divided by the replica's. */
async function measure(): Promise<Record<string, number>> {
  const targets: Target[] = [];
  try {
    for (const start of [bareServer, bareStore]) targets.push(await start(SIZES, runningNode()));
    targets.push(await quartet(SIZES, runningNode(), 1));
    for (const target of targets) await target.load();
    const rows = ROWS.filter(({ id }) => PAIRS.some(({ row }) => row === id));
    const cells = await measureAll(targets, rows, ROUNDS);
    const cellOf = (row: RowId, id: string): Cell =>
      cells.find((cell) => cell.row.id === row && cell.target.id.startsWith(id))!;
    return Object.fromEntries(
      PAIRS.map(({ row, beside }) => {
        const ratio = medianRatio(cellOf(row, beside), cellOf(row, 'quartet'), cpuMicrosOf);
        return [`${row} beside ${beside}`, Number(ratio.toFixed(3))];
      }),
    );
  } finally {
    for (const target of targets) await target.stop();
  }
}

await main();
