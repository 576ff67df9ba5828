// How fast is a replica, beside a server that only answers HTTP? `npm run bench` measures both in one run and in turn,
// since absolute figures say more about the machine than about the store. `--quick` takes less than a minute.

import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ProcessCluster } from '../test/support/process-cluster.js';
import { VALUE_BYTES, type Load } from './load.js';
import { cpuSeconds, generate, SERVER_LAUNCHER, startBareServer } from './processes.js';
import { markdown, type Scenario } from './table.js';

const CONNECTIONS = 64;
const OUTPUT = resolve(import.meta.dirname, '../docs/benchmarks/latest.md');

const FULL = { keys: 100_000, seconds: 5, repeats: 3 };
const QUICK = { keys: 5_000, seconds: 2, repeats: 1 };

interface Target {
  readonly urls: readonly string[];
  readonly pids: readonly number[];
}

async function main(): Promise<void> {
  const { values: options } = parseArgs({ options: { quick: { type: 'boolean' } } });
  const { keys, seconds, repeats } = options.quick === true ? QUICK : FULL;
  const bare = await startBareServer();
  const clusters: ProcessCluster[] = [];
  try {
    for (const replicas of [1, 4]) {
      clusters.push(await ProcessCluster.start({ replicas, isCuttable: false, launcher: SERVER_LAUNCHER }));
    }
    const [one, four] = clusters.map(targetOf);
    const targets = { bare: { urls: [bare.url], pids: [bare.pid] }, one: one!, four: four! };
    for (const [name, { urls }] of Object.entries(targets)) {
      console.log(`Loading ${keys} keys: ${name}`);
      await generate({ method: 'PUT', urls, connections: CONNECTIONS, keys, seconds: undefined });
    }
    await clusters[1]!.untilLevel();

    const scenarios = (['GET', 'PUT'] as const).flatMap((method) =>
      (['bare', 'one', 'four'] as const).map((server): Scenario => ({ server, method, samples: [] })),
    );
    for (let repeat = 1; repeat <= repeats; repeat++) {
      for (const scenario of scenarios) {
        const load = { method: scenario.method, connections: CONNECTIONS, keys, seconds };
        await measure(scenario, targets[scenario.server], load, repeat);
      }
    }
    await clusters[1]!.untilLevel();

    const text = markdown(scenarios, [
      `Values of ${VALUE_BYTES} B, ${keys.toLocaleString('en')} keys, ${CONNECTIONS} connections that are kept, w=1, fsync before the answer`,
      `Medians of ${repeats} × ${seconds} s, the servers in turn`,
    ]);
    await mkdir(dirname(OUTPUT), { recursive: true });
    await writeFile(OUTPUT, text);
    console.log(`\n${text}\nWritten to ${OUTPUT}`);
  } finally {
    bare.stop();
    await Promise.all(clusters.map((cluster) => cluster.stop()));
  }
}

async function measure(scenario: Scenario, { urls, pids }: Target, load: Omit<Load, 'urls'>, repeat: number) {
  const cpu = (): number => pids.map(cpuSeconds).reduce((sum, seconds) => sum + seconds, 0);
  const before = cpu();
  const measurement = await generate({ ...load, urls });
  scenario.samples.push({ ...measurement, serverCpuSeconds: cpu() - before });
  const rate = Math.round(measurement.requests / measurement.seconds).toLocaleString('en');
  console.log(`${scenario.method}, ${scenario.server}, repeat ${repeat}: ${rate} requests/s`);
}

function targetOf(cluster: ProcessCluster): Target {
  return { urls: cluster.clients.map(({ url }) => url), pids: cluster.replicas.map(({ pid }) => pid) };
}

await main();
