// What does a replica do when its database has blocks that can't be read: neither the records in them, nor what stands
// beside them by a scan? A bit flips in a table, while the replica is stopped or runs.

import { afterEach, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { startCluster, type InProcessCluster } from '../support/in-process-cluster.js';
import type { InProcessNode } from '../support/in-process-node.js';
import { damage, mergedBlocks, type Block } from '../support/bad-block.js';
import { until } from '../support/until.js';

const KEYS = Array.from({ length: 300 }, (_, place) => `key-${String(place).padStart(3, '0')}`);

let cluster: InProcessCluster;
let first: InProcessNode;
let second: InProcessNode;

afterEach(() => cluster.remove());

async function start(size: number, scrubKeysPerSecond: number): Promise<void> {
  cluster = await startCluster(size, { scrubKeysPerSecond });
  [first, second] = cluster.nodes as [InProcessNode, InProcessNode];
}

function valueOf(key: string): string {
  return `value of ${key} `.repeat(20);
}

async function writeAll(node: InProcessNode): Promise<void> {
  await Promise.all(KEYS.map((key) => node.write(key, valueOf(key))));
}

/** A block in the middle of those that have nothing but records of this kind, on the disk of a stopped node. */
async function blockOf(node: InProcessNode, letter: 'k' | 'l'): Promise<Block> {
  const blocks = await mergedBlocks(join(node.config.data, 'level'));
  const those = blocks.filter(({ after, through }) => [after, through].every((key) => key.toString()[0] === letter));
  if (those.length < 3) throw new Error(`too few blocks of ${letter}: ${those.length}`);
  return those[Math.floor(those.length / 2)]!;
}

function keysIn({ after, through }: Block): string[] {
  return KEYS.filter((key) => `k${key}` > after.toString() && `k${key}` <= through.toString());
}

async function damageOnDisk(node: InProcessNode): Promise<string[]> {
  await node.stop();
  const block = await blockOf(node, 'k');
  await damage(block);
  await cluster.restart(node);
  return keysIn(block);
}

async function expectAll(node: InProcessNode): Promise<void> {
  for (const key of KEYS) expect(await (await node.get(key)).text()).toBe(valueOf(key));
}

describe('a block of keys that can’t be read', () => {
  it('is found by the scan: its keys come back from a peer, and the scan goes on', async () => {
    await start(2, 10_000);
    await writeAll(first);
    await cluster.converge();
    const hidden = await damageOnDisk(second);
    expect(hidden.length).toBeGreaterThan(3);
    await until(
      'all are repaired',
      async () => (await second.metric('quartet_records_repaired_total')) === hidden.length,
    );
    await expectAll(second);
    await until('a round is over', async () => (await second.metric('quartet_scrub_rounds_total')) > 0);
    expect(await second.metric('quartet_records_damaged_total')).toBe(hidden.length);
    expect(await second.metric('quartet_scrub_unreadable_total')).toBeGreaterThan(0);
    expect(second.failures).toEqual([]);
  });

  it('is repaired key by key when clients read it, without a scan', async () => {
    await start(2, 0);
    await writeAll(first);
    await cluster.converge();
    const [key] = await damageOnDisk(second);
    const seen = new Set<string>();
    await until('it is repaired', async () => {
      const response = await second.get(key!);
      seen.add(response.status === 200 ? await response.text() : `${response.status}`);
      return response.status === 200;
    });
    seen.delete('503');
    expect([...seen]).toEqual([valueOf(key!)]);
    expect(await second.metric('quartet_records_repaired_total')).toBe(1);
  });

  it('is an error to who lists or copies all keys, until the replica starts anew', async () => {
    await start(3, 0);
    const third = cluster.nodes[2]!;
    await writeAll(first);
    await cluster.converge();
    await damageOnDisk(second);
    for (const path of ['/v1/kv?limit=1000', '/v1/snapshot']) {
      const refused = await second.request(path);
      expect(refused.status).toBe(503);
      expect(((await refused.json()) as { detail: string }).detail).toMatch(/can't be read .*; move the folder away/);
    }
    await third.wipe();
    await cluster.restart(third);
    await cluster.converge();
    await expectAll(third);
    await second.wipe();
    await cluster.restart(second);
    await cluster.converge();
    expect((await second.listing()).map(({ key }) => key)).toEqual(KEYS);
    expect(second.failures).toEqual([]);
  });
});

describe('a block of the log that can’t be read', () => {
  it('does not keep its writes from those who lack them: they take over all keys', async () => {
    await start(2, 0);
    cluster.isolate(second);
    // So many, and each of a commit of its own, that the log has blocks of its own.
    for (let round = 0; round < 5; round++) for (const key of KEYS) await first.write(key, valueOf(key));
    await first.stop();
    const block = await blockOf(first, 'l');
    await cluster.restart(first);
    await damage(block);
    cluster.heal();
    await cluster.converge();
    await expectAll(second);
    expect(await second.metric('quartet_bootstraps_total')).toBe(1);
    expect(await first.metric('quartet_records_damaged_total')).toBeGreaterThan(0);
    await first.write('later', 'is pushed as ever');
    await until('it has come', async () => (await second.get('later')).status === 200);
    const states = async (): Promise<string[]> => (await first.cluster()).peers.map(({ state }) => state);
    await until('its answer has come too', async () => (await states()).join() === 'up');
  }, 60_000);
});
