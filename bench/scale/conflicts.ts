// Ever more writes that meet another one of the same key at another replica.

import type { HttpRequest } from '../load.js';
import { keyOf, sizesOf } from '../rows.js';
import { newestNode } from '../targets/node-binaries.js';
import { quartet, type QuartetTarget } from '../targets/quartet.js';
import { CONNECTIONS, rateOf, sample, type Axis } from './point.js';

const REPLICAS = 4;
const REQUESTS = 100_000;
/** Written at all replicas all the time: nearly each of their writes is concurrent with another one. */
const SHARED_KEYS = 16;
const OWN_KEYS = 20_000;

export const conflictsAxis: Axis = {
  title: 'Conflicts',
  xTitle: 'percent of the writes are of keys that all replicas write',
  plotted: ['CPU µs of a write'],
  note: `Four replicas, writes of 100 B at all of them. That many percent are of ${SHARED_KEYS} keys that clients of all replicas write blindly at once; the others are of keys that are written at one replica alone.`,
  async *measure(sizes, seconds) {
    for (const percent of sizes) {
      const target = await quartet(sizesOf(0, CONNECTIONS), newestNode(), REPLICAS);
      try {
        const load = { seconds, connections: CONNECTIONS };
        // Cold code: each replica has its share of the core to compile it.
        await sample(target, requestsOf(percent), { ...load, seconds: seconds * REPLICAS });
        const before = await conflictsOf(target);
        const put = await sample(target, requestsOf(percent), load);
        const conflicts = (await conflictsOf(target)) - before;
        yield {
          x: percent,
          figures: {
            'PUT/s in all': rateOf(put),
            'CPU µs of a write': put.cpuMicros,
            'p99 ms': put.p99Ms,
            'conflicts met': conflicts,
          },
        };
      } finally {
        await target.stop();
      }
    }
  },
};

/** Each replica gets a part of them of its own: keys that are not shared are of one part only. */
function requestsOf(percent: number): readonly HttpRequest[] {
  const body = 'v'.repeat(100);
  let shared = 0;
  return Array.from({ length: REQUESTS }, (_, place) => {
    const isShared = (place * 37) % 100 < percent;
    const part = Math.floor((place * REPLICAS) / REQUESTS);
    const key = isShared ? `shared-${shared++ % SHARED_KEYS}` : keyOf(part * OWN_KEYS + (place % OWN_KEYS));
    return { method: 'PUT', path: `/v1/kv/${key}`, body };
  });
}

/** That all replicas have met so far. */
async function conflictsOf({ cluster }: QuartetTarget): Promise<number> {
  const counts = await Promise.all(
    cluster.clients.map(async ({ url }) => {
      const text = await (await fetch(`${url}/metrics`)).text();
      return Number(/^quartet_conflicts_total\S* (\d+)/m.exec(text)?.[1] ?? 0);
    }),
  );
  return counts.reduce((sum, each) => sum + each, 0);
}
