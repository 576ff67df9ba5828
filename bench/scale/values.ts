// Ever larger values, of a few keys each.

import { keyOf, sizesOf } from '../rows.js';
import { newestNode } from '../targets/node-binaries.js';
import { quartet } from '../targets/quartet.js';
import { rateOf, sample, type Axis } from './point.js';

const KEYS_BYTES = 20_000_000;
const KEYS_MAX = 1000;
/** With more, what is under way alone would be a gigabyte. */
const CONNECTIONS_OF_LARGE = 16;

export const valuesAxis: Axis = {
  title: 'Bytes of a value',
  xTitle: 'bytes of a value',
  plotted: ['GET MB/s', 'PUT MB/s'],
  note: `One replica, ${CONNECTIONS_OF_LARGE} connections. Up to ${KEYS_MAX.toLocaleString('en')} keys, of ${KEYS_BYTES / 1e6} MB at most in all.`,
  async *measure(sizes, seconds) {
    for (const bytes of sizes) {
      const target = await quartet(sizesOf(0, CONNECTIONS_OF_LARGE), newestNode(), 1);
      try {
        const keys = Array.from({ length: Math.max(20, Math.min(KEYS_MAX, KEYS_BYTES / bytes)) }, (_, place) =>
          keyOf(place),
        );
        const body = 'v'.repeat(bytes);
        const puts = keys.map((key) => ({ method: 'PUT' as const, path: `/v1/kv/${key}`, body }));
        const gets = keys.map((key) => ({ method: 'GET' as const, path: `/v1/kv/${key}` }));
        const load = { seconds, connections: CONNECTIONS_OF_LARGE };
        const put = await sample(target, puts, load);
        const get = await sample(target, gets, load);
        yield {
          x: bytes,
          figures: {
            'GET/s': rateOf(get),
            'PUT/s': rateOf(put),
            'GET MB/s': (rateOf(get) * bytes) / 1e6,
            'PUT MB/s': (rateOf(put) * bytes) / 1e6,
            'GET p99 ms': get.p99Ms,
            'PUT p99 ms': put.p99Ms,
          },
        };
      } finally {
        await target.stop();
      }
    }
  },
};
