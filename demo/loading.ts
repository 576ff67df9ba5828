// How fast do records go in, through all replicas at once?

import { SingleBar } from 'cli-progress';
import type { ProcessCluster } from '../test/support/process-cluster.js';
import { inParallel } from '../test/support/process-parallel.js';
import type { CityRecord } from './cities.js';
import { number } from './report.js';

/** Requests under way at each replica. */
const CONCURRENCY = 64;

const PLAIN_LINE_EVERY_MS = 3000;

/** Writes each record at one replica, in turn. @returns the seconds that it took, up to the last acknowledgement */
export async function loadThroughAll(cluster: ProcessCluster, records: readonly CityRecord[]): Promise<number> {
  const progress = process.stdout.isTTY ? progressBar(records.length) : progressLines(records.length);
  const startedAt = performance.now();
  await Promise.all(
    cluster.clients.map((client, place) =>
      inParallel(every(records, cluster.clients.length, place), CONCURRENCY, async ({ key, value }) => {
        await client.put(key, value, { 'Content-Type': 'application/json', Prefer: 'return=minimal' });
        progress.advance();
      }),
    ),
  );
  progress.stop();
  return (performance.now() - startedAt) / 1000;
}

function* every<T>(items: readonly T[], step: number, first: number): Generator<T> {
  for (let place = first; place < items.length; place += step) yield items[place]!;
}

interface Progress {
  advance(): void;
  stop(): void;
}

function progressBar(total: number): Progress {
  const bar = new SingleBar({ format: '   {bar} {percentage} % of {total} records, {eta_formatted} left' });
  bar.start(total, 0);
  return { advance: () => bar.increment(), stop: () => bar.stop() };
}

/** For a log file. */
function progressLines(total: number): Progress {
  let done = 0;
  const say = (): void => console.log(`   ${number(done)} of ${number(total)} records`);
  const timer = setInterval(say, PLAIN_LINE_EVERY_MS);
  return {
    advance: () => done++,
    stop: () => {
      clearInterval(timer);
      say();
    },
  };
}
