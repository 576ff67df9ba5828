// A replica with ever more keys. What is asked for is spread evenly over all of them: beyond what its memory holds, nearly every
// read is a read of the database.

import { Loader } from './loader.js';
import { residentBytes, diskBytes } from '../processes.js';
import { draw, keyOf, sizesOf } from '../rows.js';
import { newestNode } from '../targets/node-binaries.js';
import { quartet } from '../targets/quartet.js';
import { CONNECTIONS, rateOf, sample, type Axis } from './point.js';

const VALUE = 'v'.repeat(100);
const MIB = 2 ** 20;

export const keysAxis: Axis = {
  title: 'Keys',
  xTitle: 'keys of 16 B with values of 100 B',
  plotted: ['GET/s', 'PUT/s'],
  note: 'One replica. Reads and writes are of keys drawn evenly from all of them.',
  async *measure(sizes, seconds) {
    const target = await quartet(sizesOf(0, CONNECTIONS), newestNode(), 1);
    try {
      const loader = new Loader(target.cluster.clients[0]!.url, VALUE);
      for (const keys of sizes) {
        await loader.loadUpTo(keys);
        const drawn = draw.below(keys).map(keyOf);
        // Not those that have just been read, in the same order.
        const written = [...drawn.slice(drawn.length / 2), ...drawn.slice(0, drawn.length / 2)];
        const path = (key: string): string => `/v1/kv/${key}`;
        const gets = drawn.map((key) => ({ method: 'GET' as const, path: path(key) }));
        const puts = written.map((key) => ({ method: 'PUT' as const, path: path(key), body: VALUE }));
        const load = { seconds, connections: CONNECTIONS };
        // The first round runs cold code, or meets what loading has left.
        await sample(target, gets, load);
        const get = await sample(target, gets, load);
        const put = await sample(target, puts, load);
        yield {
          x: keys,
          figures: {
            'GET/s': rateOf(get),
            'PUT/s': rateOf(put),
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
