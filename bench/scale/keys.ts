// Replicas with ever more keys. What is asked for is spread evenly over all of them: beyond what its memory holds, nearly every
// read is a read of the database. They are measured in turn, while the others stand still, so that each meets the machine's good
// and bad moments.

import { median, untilQuiet } from '../measure.js';
import { diskBytes, residentBytes, resume, suspend } from '../processes.js';
import { sizesOf } from '../rows.js';
import { newestNode } from '../targets/node-binaries.js';
import { quartet, type QuartetTarget } from '../targets/quartet.js';
import { LoadOfAnyKey, VALUE, WRITE_SECONDS_PER_SECOND } from './load-of-any-key.js';
import { Loader } from './loader.js';
import { CONNECTIONS, rateOf, type Axis, type Figures, type Sample } from './point.js';

const MIB = 2 ** 20;
const ROUNDS = 3;

/** What rates are divided by: those with so many keys, which are all in the cache. */
const KEYS_IN_MEMORY = 100_000;

interface Round {
  readonly get: Sample;
  readonly put: Sample;
  readonly getThen: Sample;
}

interface Subject {
  readonly keys: number;
  readonly target: QuartetTarget;
  readonly load: LoadOfAnyKey;
  readonly rounds: Round[];
}

export const keysAxis: Axis = {
  title: 'Keys',
  xTitle: 'keys of 16 B with values of 100 B',
  plotted: ['GET/s', 'PUT/s', 'GET/s then'],
  note:
    'A replica for each number of keys, measured in turn while the others stand still: medians of ' +
    `${ROUNDS} rounds. Reads and writes are of keys drawn evenly from all of them: of ten million nearly none was asked for before. ` +
    'Each is measured when what it had left to merge is merged; writes for ten times as long as reads, since LevelDB merges them ' +
    'later, and reads once more right after them: LevelDB looks for a key in what is not merged yet, too, and merges meanwhile. A ' +
    'column with × has the rates divided by those of the replica with the most keys up to ' +
    `${KEYS_IN_MEMORY.toLocaleString('en')} in the same round, the median of these ratios.`,
  stepsPerSize: 1 + ROUNDS,
  async *measure(sizes, seconds, step) {
    const subjects: Subject[] = [];
    try {
      for (const keys of sizes) {
        const target = await quartet(sizesOf(0, CONNECTIONS), newestNode(), 1);
        const subject = { keys, target, load: new LoadOfAnyKey(target, keys), rounds: [] };
        subjects.push(subject);
        await prepare(subject, seconds);
        step();
      }
      for (let round = 0; round < ROUNDS; round++) {
        for (const { target, load, rounds } of subjects) {
          resume(target.pids);
          rounds.push(await measureRound(load, seconds));
          await untilQuiet(target);
          suspend(target.pids);
          step();
        }
      }
      const base = subjects.findLast(({ keys }) => keys <= KEYS_IN_MEMORY) ?? subjects[0]!;
      for (const subject of subjects) yield { x: subject.keys, figures: await figuresOf(subject, base) };
    } finally {
      for (const { target } of subjects) {
        resume(target.pids);
        await target.stop();
      }
    }
  },
};

/** It has its keys, and stands still. */
async function prepare({ keys, target, load }: Subject, seconds: number): Promise<void> {
  await new Loader(target.cluster.clients[0]!.url, () => VALUE).loadUpTo(keys);
  // Cold code.
  await load.gets(seconds);
  await load.puts(seconds);
  await untilQuiet(target);
  suspend(target.pids);
}

async function measureRound(load: LoadOfAnyKey, seconds: number): Promise<Round> {
  // The processor's caches are those of another.
  await load.gets(1);
  const get = await load.gets(seconds);
  const put = await load.puts(WRITE_SECONDS_PER_SECOND * seconds);
  return { get, put, getThen: await load.gets(seconds) };
}

async function figuresOf({ keys, target, rounds }: Subject, base: Subject): Promise<Figures> {
  const middle = (of: (round: Round) => number): number => median(rounds.map(of));
  const ratio = (kind: keyof Round): number =>
    median(rounds.map((round, at) => rateOf(round[kind]) / rateOf(base.rounds[at]![kind])));
  return {
    'GET/s': middle(({ get }) => rateOf(get)),
    'PUT/s': middle(({ put }) => rateOf(put)),
    'GET/s then': middle(({ getThen }) => rateOf(getThen)),
    'GET ×': ratio('get'),
    'PUT ×': ratio('put'),
    'GET then ×': ratio('getThen'),
    'GET CPU µs': middle(({ get }) => get.cpuMicros),
    'PUT CPU µs': middle(({ put }) => put.cpuMicros),
    'PUT p99 ms': middle(({ put }) => put.p99Ms),
    'memory MiB': residentBytes(target.pids) / MIB,
    'disk B/key': (await diskBytes(target.folders)) / keys,
  };
}
