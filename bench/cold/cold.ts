// How fast are reads of keys that nobody has asked for? `npm run bench:cold` reads keys of a million, each once at most and in
// no order, in turn with the bare server. It takes less than a minute, prints the table and writes it to docs/benchmarks/cold.md;
// `-- --quick` prints only.

import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { describeCores } from '../cores.js';
import { generate } from '../generators/generate.js';
import type { Measurement } from '../load.js';
import { cpuMicrosOf, median, medianOf, rateOf, type Sample } from '../measure.js';
import { cpuSeconds, diskBytes } from '../processes.js';
import { withProgress } from '../recovery/progress.js';
import { draw, keyOf, sizesOf } from '../rows.js';
import { Loader } from '../scale/loader.js';
import { CONNECTIONS } from '../scale/point.js';
import { bareServer } from '../targets/bare.js';
import { newestNode } from '../targets/node-binaries.js';
import { quartet } from '../targets/quartet.js';
import type { Target } from '../targets/target.js';

const OUTPUT = resolve(import.meta.dirname, '../../docs/benchmarks/cold.md');

const KEYS = 1_000_000;
/** Of values that do not shrink, 100 letters. */
const RANDOM_BYTES = 75;
/** Kept by the bare server, in a Map. */
const BARE_KEYS = 2000;
const QUICK_ROUNDS = 2;
const ROUNDS = 9;
/** The first rounds run cold code. */
const UNCOUNTED = 2;
/** So short that a round asks for no key of its part twice; one that does is an error. */
const SECONDS = 1;

interface Round {
  readonly bare: Sample;
  readonly cold: Sample;
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
  const node = newestNode();
  const bare = await bareServer(sizesOf(BARE_KEYS, CONNECTIONS), node);
  try {
    await bare.load();
    const target = await quartet(sizesOf(0, CONNECTIONS), node, 1);
    try {
      const rounds = await measure(bare, target, values.quick ? QUICK_ROUNDS : ROUNDS);
      const text = markdown(rounds, node.version, await diskBytes(target.folders));
      console.log(`\n${text}`);
      if (values.quick) return console.log('Nothing is written: only a full run is kept.');
      await mkdir(dirname(OUTPUT), { recursive: true });
      await writeFile(OUTPUT, text);
      console.log(`Written to ${OUTPUT}`);
    } finally {
      await target.stop();
    }
  } finally {
    await bare.stop();
  }
}

async function measure(
  bare: Target,
  target: Awaited<ReturnType<typeof quartet>>,
  count: number,
): Promise<readonly Round[]> {
  const { url } = target.cluster.clients[0]!;
  const loader = new Loader(url, () => randomBytes(RANDOM_BYTES).toString('base64'));
  await withProgress('Loading a million keys', KEYS, async (progress) => {
    for (let keys = 0; keys < KEYS; progress(keys)) await loader.loadUpTo((keys += KEYS / 20));
  });
  const order = draw.shuffled(KEYS);
  const size = Math.floor(KEYS / (UNCOUNTED + count));
  const rounds: Round[] = [];
  await withProgress('Reading', UNCOUNTED + count, async (progress) => {
    for (let round = 0; round < UNCOUNTED + count; progress(++round)) {
      const part = order.slice(round * size, (round + 1) * size);
      const requests = part.map((key) => ({ method: 'GET' as const, path: `/v1/kv/${keyOf(key)}` }));
      const load = { urls: [url], connections: CONNECTIONS, requests, seconds: SECONDS };
      const each = {
        bare: await sampled(bare, () => bare.measure('get', SECONDS)),
        cold: await sampled(target, () => generate(load), size),
      };
      if (round >= UNCOUNTED) rounds.push(each);
    }
  });
  return rounds;
}

async function sampled(
  { pids }: Pick<Target, 'pids'>,
  measured: () => Promise<Measurement>,
  requestsMax = Infinity,
): Promise<Sample> {
  const before = cpuSeconds(pids);
  const measurement = await measured();
  const { requests } = measurement;
  if (requests > requestsMax) throw new Error(`${requests} reads were of ${requestsMax} keys: make the rounds shorter`);
  return { ...measurement, cpuSeconds: cpuSeconds(pids) - before };
}

function markdown(rounds: readonly Round[], nodeVersion: string, bytesOnDisk: number): string {
  const row = (title: string, of: (round: Round) => Sample): string => {
    const middle = (figure: (sample: Sample) => number, digits: number) =>
      medianOf(rounds.map(of), figure).toLocaleString('en', { maximumFractionDigits: digits });
    const cells = [
      title,
      middle(rateOf, 0),
      median(rounds.map((round) => rateOf(of(round)) / rateOf(round.bare))).toFixed(2),
      median(rounds.map((round) => cpuMicrosOf(round.bare) / cpuMicrosOf(of(round)))).toFixed(2),
      middle(cpuMicrosOf, 1),
      middle(({ p50Ms }) => p50Ms, 2),
      middle(({ p99Ms }) => p99Ms, 2),
    ];
    return `| ${cells.join(' | ')} |`;
  };
  return `# Cold reads

A million keys of 16 B with random values of 100 B, ${Math.round(bytesOnDisk / 2 ** 20)} MiB on disk; each is read once at most, in no order, over ${CONNECTIONS}
connections. None was in use before; the system's cache has all files. To repeat it:

    npm run bench:cold

- ${describeCores()}, Node ${nodeVersion}, ${new Date().toISOString().slice(0, 10)}
- ${rounds.length} rounds, the two in turn; medians, and of ratios the median of the rounds'

| | GET/s | of bare | by CPU | CPU µs | p50 ms | p99 ms |
|---|--:|--:|--:|--:|--:|--:|
${row('bare `node:http`, a Map', ({ bare }) => bare)}
${row('Quartet, one replica', ({ cold }) => cold)}
`;
}

await main();
