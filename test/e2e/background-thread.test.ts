// What waits when there is too little of the processor? LevelDB's tables, not the requests: its thread has a lower priority.

import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ClassicLevel } from '../../src/store/level/engine.js';
import { ProcessCluster, START_MS_MAX } from '../support/process-cluster.js';
import type { ReplicaProcess } from '../support/process-replica.js';
import { until } from '../support/until.js';

interface Thread {
  readonly id: number;
  readonly niceness: number;
  /** Of its processor time, in ticks of a hundredth of a second. */
  readonly ticks: number;
}

/** By proc(5); the name, which may have anything in it, ends with the last parenthesis. */
async function threadsOf(pid: number): Promise<readonly Thread[]> {
  const folder = `/proc/${pid}/task`;
  return Promise.all(
    (await readdir(folder)).map(async (id) => {
      const fields = (await readFile(`${folder}/${id}/stat`, 'latin1'))
        .replace(/^.*\) /s, '')
        .split(' ')
        .map(Number);
      return { id: Number(id), niceness: fields[16]!, ticks: fields[11]! + fields[12]! };
    }),
  );
}

describe('the threads of a replica', () => {
  let cluster: ProcessCluster;
  beforeAll(async () => {
    cluster = await ProcessCluster.start({ replicas: 1 });
  }, START_MS_MAX);
  afterAll(() => cluster?.stop());

  async function nicer(): Promise<readonly Thread[]> {
    return (await threadsOf(cluster.replicas[0]!.pid)).filter(({ niceness }) => niceness > getPriority());
  }

  /** So that tables have to be made. Random, or they would take less than a tick; a fast processor may need more of them. */
  async function writeMoreThanABuffer(): Promise<void> {
    for (let count = 0; count < 20; count++) {
      const body = randomBytes(500_000).toString('hex');
      const { status } = await cluster.clients[0]!.request('PUT', `/v1/kv/key-${count}`, { body });
      expect([200, 201, 204]).toContain(status);
    }
  }

  it('have one that is nicer than all others, and it is the one that makes tables', async () => {
    const before = await nicer();
    expect(before).toHaveLength(1);
    const all = await threadsOf(cluster.replicas[0]!.pid);
    expect(all.filter(({ niceness }) => niceness === getPriority())).toHaveLength(all.length - 1);
    await until('that thread has worked', async () => {
      await writeMoreThanABuffer();
      return (await nicer())[0]!.ticks > before[0]!.ticks;
    });
    expect((await nicer()).map(({ id }) => id)).toEqual([before[0]!.id]);
  });

  it('have it too when there is something to merge at the start', async () => {
    const [replica] = cluster.replicas as [ReplicaProcess];
    await writeMoreThanABuffer();
    await replica.kill('SIGTERM');
    // Four times what is there, all of it in the log: at the next open it becomes more tables than LevelDB leaves unmerged.
    const level = new ClassicLevel<Uint8Array, Uint8Array>(join(replica.setup.data, 'level'), {
      keyEncoding: 'view',
      valueEncoding: 'view',
      writeBufferSize: 256 * 1024 * 1024,
    });
    const entries = await level.iterator().all();
    for (const [key, value] of [...entries, ...entries, ...entries, ...entries]) await level.put(key, value);
    await level.close();
    await replica.start();
    expect(await nicer()).toHaveLength(1);
  });
});
