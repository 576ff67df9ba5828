// Ever more replicas, each of which gets every write.

import { draw, sizesOf } from '../rows.js';
import { newestNode } from '../targets/node-binaries.js';
import { quartet } from '../targets/quartet.js';
import { CONNECTIONS, rateOf, sample, type Axis } from './point.js';

const KEYS = 20_000;

export const replicasAxis: Axis = {
  title: 'Replicas',
  xTitle: 'replicas on one core',
  plotted: ['CPU µs of a write and replica'],
  note: `Writes of 100 B at all replicas, of ${KEYS.toLocaleString('en')} keys drawn evenly. All replicas share one core: rates fall as the core is shared, the cost of a write at each replica should not rise.`,
  async *measure(sizes, seconds) {
    for (const replicas of sizes) {
      const target = await quartet(sizesOf(0, CONNECTIONS), newestNode(), replicas);
      try {
        const body = 'v'.repeat(100);
        const { keys } = sizesOf(KEYS, CONNECTIONS);
        const puts = draw.evenly(keys).map((key) => ({ method: 'PUT' as const, path: `/v1/kv/${key}`, body }));
        // Divided by the replicas, or some would have a connection more.
        const connections = Math.max(1, Math.floor(CONNECTIONS / replicas)) * replicas;
        // Cold code: each replica has its share of the core to compile it.
        await sample(target, puts, { seconds: seconds * replicas, connections });
        const put = await sample(target, puts, { seconds, connections });
        yield {
          x: replicas,
          figures: {
            'PUT/s in all': rateOf(put),
            'CPU µs of a write': put.cpuMicros,
            'CPU µs of a write and replica': put.cpuMicros / replicas,
            'p99 ms': put.p99Ms,
          },
        };
      } finally {
        await target.stop();
      }
    }
  },
};
