// A replica with many keys, kept to ever less memory: what does it need, its process and the pages of its database together?

import { SERVER_LAUNCHER } from '../cores.js';
import { readBytes, residentBytes } from '../processes.js';
import { sizesOf } from '../rows.js';
import { newestNode } from '../targets/node-binaries.js';
import { quartet } from '../targets/quartet.js';
import { LoadOfAnyKey, VALUE, WRITE_SECONDS_PER_SECOND } from './load-of-any-key.js';
import { Loader } from './loader.js';
import { MemoryGroup } from './memory-group.js';
import { CONNECTIONS, rateOf, type Axis } from './point.js';

const MB = 1e6;

export function memoryAxis(keys: number): Axis {
  return {
    title: 'Memory',
    xTitle: 'MB that it may have',
    plotted: ['GET/s', 'PUT/s', 'GET/s then'],
    note:
      `One replica of ${keys.toLocaleString('en')} keys, loaded as above, in a control group whose limit is lowered step by step: ` +
      'what the process has and the pages of its files count, those of Node, some 60 MB, do not, for they were in memory before. ' +
      'Where the database does not fit any more, blocks come from the disk. One process runs all of it, from the largest limit on: ' +
      'what one row has written is merged while the next reads, and what LevelDB reads to merge counts as from the disk.',
    async *measure(limits, seconds) {
      const group = await MemoryGroup.create();
      if (group === undefined)
        return console.error('Left out: this process can make no control group for memory (Linux, root).');
      let target;
      try {
        target = await quartet(sizesOf(0, CONNECTIONS), newestNode(), 1, [...group.launcher, ...SERVER_LAUNCHER]);
        await new Loader(target.cluster.clients[0]!.url, () => VALUE).loadUpTo(keys);
        const load = new LoadOfAnyKey(target, keys);
        for (const limit of limits) {
          await group.limitTo(limit * MB);
          await load.gets(seconds);
          const before = readBytes(target.pids);
          const get = await load.gets(seconds);
          const read = readBytes(target.pids) - before;
          await load.puts(seconds);
          const put = await load.puts(WRITE_SECONDS_PER_SECOND * seconds);
          const getAfter = await load.gets(seconds);
          yield {
            x: limit,
            figures: {
              'GET/s': rateOf(get),
              'PUT/s': rateOf(put),
              'GET/s then': rateOf(getAfter),
              'GET p99 ms': get.p99Ms,
              'PUT p99 ms': put.p99Ms,
              'from the disk for a GET, B': read / get.requests,
              'resident MB': residentBytes(target.pids) / MB,
            },
          };
        }
      } finally {
        await target?.stop();
        await group.remove();
      }
    },
  };
}
