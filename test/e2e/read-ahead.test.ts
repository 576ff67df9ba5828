import { mkdir, truncate, writeFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { readAheadOf } from '../../src/store/level/read-ahead.js';
import { ProcessCluster } from '../support/process-cluster.js';
import { until } from '../support/until.js';

it('a replica tells at its start of a database that is larger than the memory, where the disk reads far ahead', async () => {
  const cluster = await ProcessCluster.create({ replicas: 1 });
  try {
    const [replica] = cluster.replicas;
    const database = join(cluster.folder, 'data', 'n1', 'level');
    await mkdir(database, { recursive: true });
    // Without blocks on the disk, and of no name that LevelDB gives.
    await writeFile(join(database, 'large'), '');
    await truncate(join(database, 'large'), totalmem());
    await replica!.start();
    // Another replica's machine may read no further than Linux lets it by itself; then nothing is told.
    const isFar = ((await readAheadOf(database))?.kib ?? 0) > 128;
    const isTold = () => replica!.lastLogLines().includes('may not fit into the memory');
    if (isFar) await until('the replica tells of it', isTold);
    else expect(isTold()).toBe(false);
  } finally {
    await cluster.stop();
  }
});
