// Do replicas that take the same writes make their tables at moments of their own? So that they merge them one after the other.

import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startCluster, type InProcessCluster } from '../support/in-process-cluster.js';
import { tablesMade } from '../support/level-log.js';
import { until } from '../support/until.js';

/** By then the last of four has made its fourth table early, and no buffer has been full. */
const WRITTEN_BYTES = 2_400_000;
const VALUE_BYTES = 40_000;

let cluster: InProcessCluster;
beforeAll(async () => {
  cluster = await startCluster(4);
});
afterAll(() => cluster?.remove());

async function put(key: string, bytes: number): Promise<void> {
  const { status } = await cluster.nodes[0]!.request(`/v1/kv/${key}`, { method: 'PUT', body: randomBytes(bytes) });
  expect(status).toBe(201);
}

it('makes as many of them early as the place of its name says', async () => {
  for (let written = 0; written < WRITTEN_BYTES; written += VALUE_BYTES) await put(`key-${written}`, VALUE_BYTES);
  let more = 0;
  const made = (): Promise<number[]> =>
    Promise.all(cluster.nodes.map(({ config }) => tablesMade(join(config.data, 'level'))));
  await until('each has made its tables', async () => {
    // A table is begun by a commit.
    await put(`more-${more++}`, 100);
    return (await made()).every((count, place) => count >= place + 1);
  });
  expect(await made()).toEqual([1, 2, 3, 4]);
});
