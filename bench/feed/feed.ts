// How many can follow the changes, and how soon are they told? `npm run bench:feed` measures it on this machine in about five
// minutes, prints the tables and writes them to docs/benchmarks/feed.md. `-- --seconds N` and `-- --only TITLE` print only.

import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { number } from '../../demo/report.js';
import { measureFanOut, type Measured, type Setting } from './fan-out.js';

const FOLDER = resolve(import.meta.dirname, '../../docs/benchmarks');

const COMMON = { readers: 200, stalled: 0, writesPerSecond: 1000, seconds: 60 };

const SETTINGS: readonly Setting[] = [
  { ...COMMON, title: 'a replica alone', replicas: 1, serving: 1 },
  { ...COMMON, title: 'alone, 20 more take nothing', replicas: 1, serving: 1, stalled: 20 },
  { ...COMMON, title: 'four, all at one', replicas: 4, serving: 1 },
  { ...COMMON, title: 'four, spread over all', replicas: 4, serving: 4 },
];

async function main(): Promise<void> {
  const { values: options } = parseArgs({ options: { seconds: { type: 'string' }, only: { type: 'string' } } });
  const seconds = Number(options.seconds ?? COMMON.seconds);
  const settings = SETTINGS.filter(({ title }) => title.includes(options.only ?? ''));
  const results: Measured[] = [];
  for (const setting of settings) results.push(await measureFanOut({ ...setting, seconds }));
  const text = markdown(results);
  console.log(`\n${text}`);
  if (process.argv.length > 2) return console.log('Nothing is written: only a full run is kept.');
  await mkdir(FOLDER, { recursive: true });
  await writeFile(resolve(FOLDER, 'feed.md'), text);
  console.log(`Written to ${FOLDER}/feed.md`);
}

function markdown(results: readonly Measured[]): string {
  const [{ setting }] = results as [Measured];
  return `# The change feed

How soon are many readers told of a write, and what do they cost? To repeat it:

    npm run bench:feed

- ${cpus()[0]!.model.trim()}, ${availableParallelism()} cores, Node ${process.versions.node}, ${new Date().toISOString().slice(0, 10)}; the machine's load average at the end was ${loadavg()[0]!.toFixed(1)}
- Each replica is a process of its own; all of them, the writer and the readers share these cores
- ${setting.readers} readers, each a stream of server-sent events with values; ${number(setting.writesPerSecond)} writes a second to 1,000 keys, values of 100 B,
  each on disk before it is acknowledged; ${setting.seconds} seconds, after five that do not count

Latency is from a write's acknowledgement until a reader has the event, over all writes and readers. The target is 100 ms for 99 of 100.

| | writes/s | told/s | p50 ms | p99 ms | most ms | events/s of a reader | CPU of all replicas | CPU of all readers |
|---|--:|--:|--:|--:|--:|--:|--:|--:|
${results.map(latencyRow).join('\n')}

CPU is in cores. Every reader ${results.every(({ incomplete }) => incomplete === 0) ? 'had' : '**did not have**'} the last state of every key in the end.

Resident memory of the replica that has most of it, in MiB, at equal intervals:

| | ${results[0]!.memoryMiB.map((_, place) => (place === 0 ? 'at first' : `${Math.round((place * setting.seconds) / (results[0]!.memoryMiB.length - 1))} s`)).join(' | ')} |
|---|${results[0]!.memoryMiB.map(() => '--:').join('|')}|
${results.map(({ memoryMiB, setting: { title } }) => `| ${title} | ${memoryMiB.map((mib) => mib.toFixed(0)).join(' | ')} |`).join('\n')}
${results.map(stalledNote).join('')}`;
}

function latencyRow({
  busy,
  busyReplicas,
  events,
  maxMs,
  p50Ms,
  p99Ms,
  setting: { readers, seconds, title },
  told,
  writesPerSecond,
}: Measured): string {
  const cells = [
    number(writesPerSecond),
    number(told / seconds),
    p50Ms.toFixed(1),
    p99Ms.toFixed(1),
    maxMs.toFixed(0),
    (events / readers / seconds).toFixed(0),
    busyReplicas.toFixed(2),
    busy.toFixed(2),
  ];
  return `| ${title} | ${cells.join(' | ')} |`;
}

function stalledNote({ cutOff, setting: { stalled, title } }: Measured): string {
  return stalled === 0 ? '' : `\n*${title}*: ${cutOff} of the ${stalled} that take nothing were cut off.\n`;
}

await main();
