// How do costs grow? `npm run bench:scale` measures replicas with ever more keys, larger values, more members, more connections
// and more conflicts, prints the tables and writes them, with plots, to docs/benchmarks. It takes about half an hour.
//
//     --quick            small sizes, in two minutes; nothing is written
//     --only keys        one of keys, memory, values, replicas, connections, conflicts; nothing is written

import { mkdir, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { curveChart } from '../chart.js';
import { withProgress } from '../recovery/progress.js';
import { conflictsAxis } from './conflicts.js';
import { connectionsAxis } from './connections.js';
import { markdown, panels } from './document.js';
import { keysAxis } from './keys.js';
import { memoryAxis } from './memory.js';
import type { Measured, Point } from './point.js';
import { replicasAxis } from './replicas.js';
import { valuesAxis } from './values.js';

const FOLDER = resolve(import.meta.dirname, '../../docs/benchmarks');
const PLOT = 'scale.svg';

const FULL = {
  seconds: 3,
  keys: [1e3, 1e4, 1e5, 1e6, 1e7],
  memory: [1000, 900, 800, 750, 700, 600],
  values: [10, 100, 1000, 10_000, 100_000, 1_000_000],
  replicas: [2, 3, 4, 5, 7, 9],
  connections: [1, 4, 16, 64, 256, 1000],
  conflicts: [0, 1, 5, 10, 20, 50],
};

const QUICK = {
  seconds: 1,
  keys: [1e3, 1e4],
  memory: [1000, 500],
  values: [10, 1000],
  replicas: [2, 4],
  connections: [1, 64],
  conflicts: [0, 50],
};

const axesOf = (keys: number) => ({
  keys: keysAxis,
  memory: memoryAxis(keys),
  values: valuesAxis,
  replicas: replicasAxis,
  connections: connectionsAxis,
  conflicts: conflictsAxis,
});

async function main(): Promise<void> {
  const { values: options } = parseArgs({
    options: { quick: { type: 'boolean', default: false }, only: { type: 'string' } },
  });
  const size = options.quick ? QUICK : FULL;
  const axes = axesOf(Math.max(...size.keys));
  const names = (Object.keys(axes) as (keyof typeof axes)[]).filter((name) => (options.only ?? name) === name);
  if (names.length === 0) throw new Error(`--only takes one of ${Object.keys(axes).join(', ')}`);
  const measured: Measured[] = [];
  for (const name of names) {
    const axis = axes[name];
    const points: Point[] = [];
    await withProgress(axis.title, size[name].length * (axis.stepsPerSize ?? 1), async (progress) => {
      let steps = 0;
      const step = (): void => progress(++steps);
      for await (const point of axis.measure(size[name], size.seconds, step)) {
        points.push(point);
        if (axis.stepsPerSize === undefined) step();
      }
    });
    if (points.length > 0) measured.push({ axis, points });
  }
  const text = markdown(measured, size.seconds, PLOT);
  console.log(`\n${text}`);
  if (process.argv.length > 2) return console.log('Nothing is written: only a full run is kept.');
  await mkdir(FOLDER, { recursive: true });
  await writeFile(resolve(FOLDER, 'scale.md'), text);
  await writeFile(resolve(FOLDER, PLOT), curveChart(panels(measured)));
  console.log(`Written to ${FOLDER}`);
}

await main();
