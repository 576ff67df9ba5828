// What waits when there is too little of the processor? LevelDB's tables, not the requests: its thread has a lower priority.

import { readdir, readFile } from 'node:fs/promises';
import { getPriority } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ProcessCluster } from '../support/process-cluster.js';
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
  });
  afterAll(() => cluster.stop());

  it('have one that is nicer than all others, and it is the one that makes tables', async () => {
    const { pid } = cluster.replicas[0]!;
    const nicer = async () => (await threadsOf(pid)).filter(({ niceness }) => niceness > getPriority());
    const before = await nicer();
    expect(before).toHaveLength(1);
    expect((await threadsOf(pid)).filter(({ niceness }) => niceness === getPriority()).length).toBeGreaterThan(4);
    // More than a write buffer, so that a table has to be made.
    const body = 'v'.repeat(1_000_000);
    for (let count = 0; count < 40; count++) await cluster.clients[0]!.request('PUT', `/v1/kv/key-${count}`, { body });
    await until('that thread has worked', async () => (await nicer())[0]!.ticks > before[0]!.ticks);
    expect((await nicer()).map(({ id }) => id)).toEqual([before[0]!.id]);
  });
});
