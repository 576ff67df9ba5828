// Ever more clients at once: they share commits.

import { draw, sizesOf } from '../rows.js';
import { newestNode } from '../targets/node-binaries.js';
import { quartet } from '../targets/quartet.js';
import { rateOf, sample, type Axis } from './point.js';

const KEYS = 20_000;

export const connectionsAxis: Axis = {
  title: 'Connections',
  xTitle: 'connections, one request under way on each',
  plotted: ['GET/s', 'PUT/s'],
  note: `One replica, ${KEYS.toLocaleString('en')} keys with values of 100 B, drawn evenly.`,
  async *measure(sizes, seconds) {
    const target = await quartet(sizesOf(KEYS, 64), newestNode(), 1);
    try {
      await target.load();
      const body = 'v'.repeat(100);
      const drawn = draw.evenly(sizesOf(KEYS, 64).keys);
      const puts = drawn.map((key) => ({ method: 'PUT' as const, path: `/v1/kv/${key}`, body }));
      const gets = drawn.map((key) => ({ method: 'GET' as const, path: `/v1/kv/${key}` }));
      await sample(target, puts, { seconds, connections: 64 });
      for (const connections of sizes) {
        const get = await sample(target, gets, { seconds, connections });
        const put = await sample(target, puts, { seconds, connections });
        yield {
          x: connections,
          figures: {
            'GET/s': rateOf(get),
            'PUT/s': rateOf(put),
            'GET p50 ms': get.p50Ms,
            'GET p99 ms': get.p99Ms,
            'PUT p50 ms': put.p50Ms,
            'PUT p99 ms': put.p99Ms,
          },
        };
      }
    } finally {
      await target.stop();
    }
  },
};
