// How much faster are records loaded in batches? `npm run bench:batch` writes new records to a replica by single PUTs and by
// batches, in turn and in one run, each record on disk (fsync) before its answer. Ratios travel, absolute figures don't.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ProcessCluster } from '../../test/support/process-cluster.js';
import { VALUE_BYTES, type Order, type Sent } from './sender.js';

const OUTPUT = resolve(import.meta.dirname, '../../docs/benchmarks/batch.md');
const CLOCK_TICKS_PER_SECOND = 100;
/** Four replicas share one core with what they have yet to tell each other. */
const LEVEL_MS_MAX = 120_000;
const hasCores = availableParallelism() > 1 && spawnSync('taskset', ['-c', '0', 'true']).status === 0;
const onCore = (core: number): string[] => (hasCores ? ['taskset', '-c', String(core)] : []);

/** As many records as may be in flight: 64, or a few batches. */
const WAYS = [
  { title: 'PUT, 64 connections', connections: 64, recordsPerRequest: 1 },
  { title: 'batches of 100, 4 connections', connections: 4, recordsPerRequest: 100 },
  { title: 'batches of 1,000, 4 connections', connections: 4, recordsPerRequest: 1000 },
  { title: 'batches of 10,000, 2 connections', connections: 2, recordsPerRequest: 10_000 },
] as const;

interface Row {
  readonly title: string;
  readonly samples: (Sent & { readonly serverCpuSeconds: number })[];
}

async function main(): Promise<void> {
  const { values: options } = parseArgs({
    options: { seconds: { type: 'string', default: '4' }, repeats: { type: 'string', default: '3' } },
  });
  const tables = [];
  for (const replicas of [1, 4]) {
    const cluster = await ProcessCluster.start({ replicas, isCuttable: false, launcher: onCore(0) });
    try {
      const rows = WAYS.map(({ title }): Row => ({ title, samples: [] }));
      for (let repeat = 1; repeat <= Number(options.repeats); repeat++) {
        for (const [place, { title, ...way }] of WAYS.entries()) {
          const sample = await measure(cluster, {
            ...way,
            seconds: Number(options.seconds),
            prefix: `${place}-${repeat}`,
          });
          rows[place]!.samples.push(sample);
          console.log(`${replicas} replicas, ${title}: ${thousands(rateOf(sample))} records/s`);
          await cluster.untilLevel(cluster.names, LEVEL_MS_MAX);
        }
      }
      tables.push(table(replicas, rows));
    } finally {
      await cluster.stop();
    }
  }
  const text = `# Loading records in batches

Made by \`npm run bench:batch\`: new records with values of ${VALUE_BYTES} B, written to one replica, each on disk (fsync) before its
answer; the server on one core, the sender on the other. Medians of ${options.repeats} × ${options.seconds} s, the ways in turn.
Node ${process.version}, load ${loadavg()[0]!.toFixed(1)} at the end.

${tables.join('\n')}`;
  await mkdir(dirname(OUTPUT), { recursive: true });
  await writeFile(OUTPUT, text);
  spawnSync('npx', ['prettier', '--write', OUTPUT]);
  console.log(`\n${await readFile(OUTPUT, 'utf8')}\nWritten to ${OUTPUT}`);
}

async function measure({ clients, replicas }: ProcessCluster, order: Omit<Order, 'url'>) {
  const cpu = async (): Promise<number> => {
    const seconds = await Promise.all(replicas.map(({ pid }) => cpuSeconds(pid)));
    return seconds.reduce((sum, each) => sum + each, 0);
  };
  const before = await cpu();
  const sent = await send({ ...order, url: clients[0]!.url });
  return { ...sent, serverCpuSeconds: (await cpu()) - before };
}

async function send(order: Order): Promise<Sent> {
  const [command, ...rest] = [
    ...onCore(1),
    process.execPath,
    '--import',
    'tsx',
    join(import.meta.dirname, 'sender.ts'),
  ];
  const child = spawn(command!, rest, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  child.send(order);
  const failed = once(child, 'exit').then(([code]) => {
    throw new Error(`the sender ended with status ${code}; see above`);
  });
  const [sent] = (await Promise.race([once(child, 'message'), failed])) as [Sent];
  failed.catch(() => {});
  return sent;
}

/** Processor time that a process has had so far, all threads. */
async function cpuSeconds(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND;
}

function table(replicas: number, rows: readonly Row[]): string {
  const single = median(rows[0]!, rateOf);
  const lines = rows.map((row) => {
    const rate = median(row, rateOf);
    const cells = [
      row.title,
      thousands(rate),
      (rate / single).toFixed(1),
      median(row, cpuMicrosOf).toFixed(0),
      median(row, ({ p50Ms }) => p50Ms).toFixed(1),
      median(row, ({ p99Ms }) => p99Ms).toFixed(1),
      median(row, ({ senderBusy }) => senderBusy).toFixed(2),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  const title = replicas === 1 ? 'One replica' : `${replicas} replicas that share the core, written to at one of them`;
  return `## ${title}

| | records/s | of single PUTs | server µs/record | p50 ms | p99 ms | sender busy |
|---|--:|--:|--:|--:|--:|--:|
${lines.join('\n')}
`;
}

function rateOf({ records, seconds }: Sent): number {
  return records / seconds;
}

function cpuMicrosOf({ records, serverCpuSeconds }: Row['samples'][number]): number {
  return (serverCpuSeconds / records) * 1e6;
}

function median({ samples }: Row, figure: (sample: Row['samples'][number]) => number): number {
  const sorted = samples.map(figure).sort((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)]!;
}

function thousands(value: number): string {
  return Math.round(value).toLocaleString('en');
}

await main();
