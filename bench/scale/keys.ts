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

/** More than a replica answers: the generator must not come back to keys that have been read a moment ago. */
const READS_PER_SECOND_MAX = 120_000;

export const keysAxis: Axis = {
  title: 'Keys',
  xTitle: 'keys of 16 B with values of 100 B',
  plotted: ['GET/s', 'PUT/s'],
  note:
    'One replica. Reads and writes are of keys drawn evenly from all of them; where they are many, none was asked for before. A part of the ' +
    'memory are pages of table files: LevelDB maps them, and the system takes them away when it needs them.',
  async *measure(sizes, seconds) {
    const target = await quartet(sizesOf(0, CONNECTIONS), newestNode(), 1);
    try {
      const loader = new Loader(target.cluster.clients[0]!.url, () => VALUE);
      for (const keys of sizes) {
        await loader.loadUpTo(keys);
        const asked = seconds * READS_PER_SECOND_MAX;
        const drawn = draw.below(keys, 4 * asked).map(keyOf);
        // Those that have just been read, or written, are in a cache.
        const part = (place: number) => drawn.slice(place * asked, (place + 1) * asked);
        const path = (key: string): string => `/v1/kv/${key}`;
        const gets = (of: readonly string[]) => of.map((key) => ({ method: 'GET' as const, path: path(key) }));
        const puts = (of: readonly string[]) =>
          of.map((key) => ({ method: 'PUT' as const, path: path(key), body: VALUE }));
        const load = { seconds, connections: CONNECTIONS };
        // The first round of each runs cold code, or meets what loading has left.
        await sample(target, gets(part(0)), load);
        const get = await sample(target, gets(part(1)), load);
        await sample(target, puts(part(2)), load);
        const put = await sample(target, puts(part(3)), load);
        yield {
          x: keys,
          figures: {
            'GET/s': rateOf(get),
            'PUT/s': rateOf(put),
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
