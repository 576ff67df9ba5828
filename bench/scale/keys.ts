// A replica with ever more keys. What is asked for is spread evenly over all of them: beyond what its memory holds, nearly every
// read is a read of the database.

import { Loader } from './loader.js';
import { diskBytes, mappedBytes, residentBytes } from '../processes.js';
import { draw, keyOf, sizesOf } from '../rows.js';
import { newestNode } from '../targets/node-binaries.js';
import { quartet } from '../targets/quartet.js';
import { CONNECTIONS, rateOf, sample, type Axis } from './point.js';

const VALUE = 'v'.repeat(100);
const MIB = 2 ** 20;

/** More than a replica with many keys answers: the generator must not come back to keys that were asked for a moment ago. */
const READS_PER_SECOND_MAX = 120_000;
const WRITES_PER_SECOND_MAX = 30_000;

/** LevelDB merges what is written seconds later: writes are measured for so many times as long as reads. */
const WRITE_SECONDS_PER_SECOND = 10;

export const keysAxis: Axis = {
  title: 'Keys',
  xTitle: 'keys of 16 B with values of 100 B',
  plotted: ['GET/s', 'PUT/s', 'GET/s then'],
  note:
    'One replica. Reads and writes are of keys drawn evenly from all of them: of ten million nearly none was asked for before. Writes ' +
    'are measured for ten times as long, since LevelDB merges them later, and reads once more right after them: LevelDB looks for a ' +
    'key in what is not merged yet, too, and merges meanwhile. A part of the memory are pages of table files: LevelDB maps them, and ' +
    'the system takes them away when it needs them.',
  async *measure(sizes, seconds) {
    const target = await quartet(sizesOf(0, CONNECTIONS), newestNode(), 1);
    try {
      const loader = new Loader(target.cluster.clients[0]!.url, () => VALUE);
      for (const keys of sizes) {
        await loader.loadUpTo(keys);
        // One draw for all that is measured: from the start again, it would ask for what has just come into a cache.
        const next = draw.below(keys);
        const paths = (count: number) => Array.from({ length: count }, () => `/v1/kv/${keyOf(next())}`);
        const gets = async (wanted: number) => {
          const requests = paths(wanted * READS_PER_SECOND_MAX).map((path) => ({ method: 'GET' as const, path }));
          return sample(target, requests, { seconds: wanted, connections: CONNECTIONS });
        };
        const puts = async (wanted: number) => {
          const drawn = paths(wanted * WRITES_PER_SECOND_MAX);
          const requests = drawn.map((path) => ({ method: 'PUT' as const, path, body: VALUE }));
          return sample(target, requests, { seconds: wanted, connections: CONNECTIONS });
        };
        // The first round of each runs cold code, or meets what loading has left.
        await gets(seconds);
        const get = await gets(seconds);
        await puts(seconds);
        const put = await puts(WRITE_SECONDS_PER_SECOND * seconds);
        const getAfter = await gets(seconds);
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
            'of it files MiB': mappedBytes(target.pids) / MIB,
            'disk B/key': (await diskBytes(target.folders)) / keys,
          },
        };
      }
    } finally {
      await target.stop();
    }
  },
};
