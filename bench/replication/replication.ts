// How soon is a write everywhere, and what does that cost? `npm run bench:replication` measures it with four replicas on this
// machine in about five minutes, prints the tables and writes them to docs/benchmarks. `-- --quick` prints only.

import { mkdir, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { barChart } from '../chart.js';
import { measureBytes } from './bytes.js';
import { bars, markdown } from './document.js';
import { measureShares } from './shares.js';
import { measureVisibility } from './visibility.js';

const FOLDER = resolve(import.meta.dirname, '../../docs/benchmarks');
const PLOT = 'replication.svg';

/** V8 collects the whole heap of a busy replica once or twice while its cache fills: a steady load lasts as long. */
const FULL = { seconds: 60, writes: 100_000 };
const QUICK = { seconds: 3, writes: 10_000 };

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
  const size = values.quick ? QUICK : FULL;
  const visibility = await measureVisibility(size);
  const shares = await measureShares(size.writes);
  const bytes = await measureBytes(size.writes);
  const text = markdown({ visibility, shares, bytes, size, plot: PLOT });
  console.log(`\n${text}`);
  if (process.argv.length > 2) return console.log('Nothing is written: only a full run is kept.');
  await mkdir(FOLDER, { recursive: true });
  await writeFile(resolve(FOLDER, 'replication.md'), text);
  await writeFile(resolve(FOLDER, PLOT), barChart(bars(visibility)));
  console.log(`Written to ${FOLDER}`);
}

await main();
