// How fast is a replica, beside a server that only answers HTTP, a disk that only syncs, and other stores? `npm run bench`
// starts them all, measures them in turn, prints the tables and writes them to docs/benchmarks.
//
//     --quick            one short round, few keys; nothing is written
//     --only get,put     these rows
//     --targets a,b      these servers (bare, level, quartet-1, quartet-4, etcd-1, etcd-3, redis, nats, pouchdb; with other
//                        versions of Node: bare-20, quartet-1-20)
//     --repeats N, --seconds N, --keys N, --connections N

import { mkdir, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { number } from '../demo/report.js';
import { barChart } from './chart.js';
import { bars, markdown, type Footprint } from './document.js';
import { measureAll } from './measure.js';
import { diskBytes, peakBytes } from './processes.js';
import { withProgress } from './recovery/progress.js';
import { ROWS, sizesOf, type Sizes } from './rows.js';
import { bareServer, bareStore } from './targets/bare.js';
import { etcd, etcdVersion } from './targets/etcd.js';
import { nats, natsVersion } from './targets/nats.js';
import { nodeBinaries } from './targets/node-binaries.js';
import { pouchdb, pouchdbVersion } from './targets/pouchdb.js';
import { quartet } from './targets/quartet.js';
import { redis, redisVersion } from './targets/redis.js';
import type { Target } from './targets/target.js';

const FOLDER = resolve(import.meta.dirname, '../docs/benchmarks');
const PLOT = 'speed.svg';

const FULL = { keys: 100_000, seconds: 3, repeats: 3 };
const QUICK = { keys: 5000, seconds: 1, repeats: 1 };
const CONNECTIONS = 64;

interface Starter {
  readonly id: string;
  /** Undefined: it is not installed. */
  readonly start: (() => Promise<Target>) | undefined;
}

function starters(sizes: Sizes): readonly Starter[] {
  const nodes = nodeBinaries();
  const newest = nodes[0]!;
  const [etcdIs, redisIs, natsIs, pouchdbIs] = [etcdVersion(), redisVersion(), natsVersion(), pouchdbVersion()];
  return [
    ...nodes.flatMap((node) => [
      { id: `bare${node.suffix}`, start: () => bareServer(sizes, node) },
      { id: `quartet-1${node.suffix}`, start: () => quartet(sizes, node, 1) },
    ]),
    { id: 'quartet-4', start: () => quartet(sizes, newest, 4) },
    { id: 'level', start: () => bareStore(sizes, newest) },
    { id: 'etcd-1', start: etcdIs === undefined ? undefined : () => etcd(sizes, 1, etcdIs) },
    { id: 'quartet-3', start: etcdIs === undefined ? undefined : () => quartet(sizes, newest, 3) },
    { id: 'etcd-3', start: etcdIs === undefined ? undefined : () => etcd(sizes, 3, etcdIs) },
    { id: 'redis', start: redisIs === undefined ? undefined : () => redis(sizes, redisIs) },
    { id: 'nats', start: natsIs === undefined ? undefined : () => nats(sizes, natsIs) },
    { id: 'pouchdb', start: pouchdbIs === undefined ? undefined : () => pouchdb(sizes, newest, pouchdbIs) },
  ];
}

async function main(): Promise<void> {
  const options = parseOptions();
  const { keys, seconds, repeats, connections } = options;
  const sizes = sizesOf(keys, connections);
  const chosen = starters(sizes).filter(({ id }) => options.targets?.includes(id) ?? true);
  const targets: Target[] = [];
  try {
    await withProgress('Starting and loading', chosen.length, async (progress) => {
      for (const [place, { start }] of chosen.entries()) {
        if (start !== undefined) {
          targets.push(await start());
          await targets.at(-1)!.load();
        }
        progress(place + 1);
      }
    });
    const rows = ROWS.filter(({ id }) => options.rows?.includes(id) ?? true);
    const cells = await measureAll(targets, rows, { repeats, seconds });
    const footprints: Footprint[] = [];
    for (const target of targets) {
      footprints.push({ target, peakBytes: peakBytes(target.pids), diskBytes: await diskBytes(target.folders) });
    }
    const text = markdown({
      cells,
      footprints,
      settings: [
        `${number(keys)} keys of 16 B, ${connections} connections that are kept, one request at a time on each`,
        `Medians of ${repeats} rounds of ${seconds} s for each row and server, after one that does not count; all others are suspended meanwhile`,
      ],
      missing: chosen.filter(({ start }) => start === undefined).map(({ id }) => id),
      command: 'npm run bench',
      plot: PLOT,
    });
    console.log(`\n${text}`);
    if (process.argv.length > 2) return console.log('Nothing is written: only a full run is kept.');
    await mkdir(FOLDER, { recursive: true });
    await writeFile(resolve(FOLDER, 'speed.md'), text);
    await writeFile(resolve(FOLDER, PLOT), barChart(bars(cells)));
    console.log(`Written to ${FOLDER}`);
  } finally {
    for (const target of targets) await target.stop();
  }
}

function parseOptions() {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean' },
      only: text,
      targets: text,
      repeats: text,
      seconds: text,
      keys: text,
      connections: text,
    },
  });
  const preset = values.quick === true ? QUICK : FULL;
  const count = (given: string | undefined, fallback: number): number => {
    const value = given === undefined ? fallback : Number(given);
    if (!(value > 0)) throw new Error(`${given} is not a number above 0`);
    return value;
  };
  return {
    rows: values.only?.split(','),
    targets: values.targets?.split(','),
    repeats: count(values.repeats, preset.repeats),
    seconds: count(values.seconds, preset.seconds),
    keys: count(values.keys, preset.keys),
    connections: count(values.connections, CONNECTIONS),
  };
}

await main();
