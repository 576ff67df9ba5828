// A replica with ever more keys. What is asked for is spread evenly over all of them: beyond what its memory holds, nearly every
// read is a read of the database.

import { untilQuiet } from '../measure.js';
import { diskBytes, residentBytes } from '../processes.js';
import { sizesOf } from '../rows.js';
import { newestNode } from '../targets/node-binaries.js';
import { quartet } from '../targets/quartet.js';
import { LoadOfAnyKey, VALUE, WRITE_SECONDS_PER_SECOND } from './load-of-any-key.js';
import { Loader } from './loader.js';
import { CONNECTIONS, rateOf, type Axis, type Sample } from './point.js';

const MIB = 2 ** 20;

export const keysAxis: Axis = {
  title: 'Keys',
  xTitle: 'keys of 16 B with values of 100 B',
  plotted: ['GET/s', 'PUT/s', 'GET/s then'],
  note:
    'One replica. Reads and writes are of keys drawn evenly from all of them: of ten million nearly none was asked for before. Reads ' +
    'are measured when what loading has left to merge is merged, three times, of which the middle counts. Writes are measured for ten ' +
    'times as long in all, since LevelDB merges them later, and reads once more right after them: LevelDB looks for a key in what is ' +
    'not merged yet, too, and merges meanwhile.',
  async *measure(sizes, seconds) {
    const target = await quartet(sizesOf(0, CONNECTIONS), newestNode(), 1);
    try {
      const loader = new Loader(target.cluster.clients[0]!.url, () => VALUE);
      for (const keys of sizes) {
        await loader.loadUpTo(keys);
        await untilQuiet(target);
        const load = new LoadOfAnyKey(target, keys);
        // The first round of each runs cold code.
        await load.gets(seconds);
        const get = await middleOfThree(() => load.gets(seconds));
        await load.puts(seconds);
        const put = await middleOfThree(() => load.puts((WRITE_SECONDS_PER_SECOND / 3) * seconds));
        const getAfter = await load.gets(seconds);
        yield {
          x: keys,
          figures: {
            'GET/s': rateOf(get),
            'PUT/s': rateOf(put),
            'GET/s then': rateOf(getAfter),
            'GET CPU µs': get.cpuMicros,
            'PUT CPU µs': put.cpuMicros,
            'PUT p99 ms': put.p99Ms,
            'memory MiB': residentBytes(target.pids) / MIB,
            'disk B/key': (await diskBytes(target.folders)) / keys,
          },
        };
      }
    } finally {
      await target.stop();
    }
  },
};

/** A machine that others share is slow for some seconds, now and then. */
async function middleOfThree(measure: () => Promise<Sample>): Promise<Sample> {
  const samples = [await measure(), await measure(), await measure()];
  return samples.toSorted((a, b) => rateOf(a) - rateOf(b))[1]!;
}
