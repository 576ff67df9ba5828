// What does a replica do about records that its disk has damaged, lost or set back? A stopped node's database is changed
// behind its back, as a failing disk would.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { versionsKey } from '../../src/store/keyspace.js';
import { LevelStore } from '../../src/store/level/level-store.js';
import { startCluster, type InProcessCluster } from '../support/in-process-cluster.js';
import type { InProcessNode } from '../support/in-process-node.js';
import { until } from '../support/until.js';

let cluster: InProcessCluster;

beforeAll(async () => {
  cluster = await startCluster(3, { scrubKeysPerSecond: 10_000 });
  await damageUnread();
});

afterAll(async () => {
  await cluster.remove();
});

/** Changes the record of a key's versions on a stopped node's disk; undefined removes it. Yields what was there. */
async function alter(
  node: InProcessNode,
  key: string,
  change: (record: Buffer) => Uint8Array | undefined,
): Promise<Uint8Array> {
  const store = await LevelStore.open(join(node.config.data, 'level'));
  const recordKey = versionsKey(key);
  const snapshot = store.snapshot();
  const before = Buffer.from(snapshot.get(recordKey)!);
  snapshot.close();
  const value = change(Buffer.from(before));
  await store.commit([value === undefined ? { type: 'del', key: recordKey } : { type: 'put', key: recordKey, value }]);
  await store.close();
  return before;
}

/** On the disk of n3, to which no client goes: one record is flipped, one is lost, and one is set back. */
async function damageUnread(): Promise<void> {
  const [first, , third] = cluster.nodes as [InProcessNode, InProcessNode, InProcessNode];
  for (const key of ['unread', 'vanished', 'aged']) await first.write(key, 'old');
  await cluster.converge();
  await third.stop();
  const old = await alter(third, 'aged', (record) => record);
  await cluster.restart(third);
  await first.write('aged', 'new');
  await cluster.converge();
  await third.stop();
  await alter(third, 'unread', flipped);
  await alter(third, 'vanished', () => undefined);
  await alter(third, 'aged', () => old);
  await cluster.restart(third);
}

function flipped(record: Buffer): Uint8Array {
  record[record.length - 1]! ^= 1;
  return record;
}

async function figure(node: InProcessNode, name: string): Promise<number> {
  const text = await (await node.request('/metrics')).text();
  return Number(new RegExp(`^${name}\\{[^}]*\\} (\\S+)$`, 'm').exec(text)?.[1]);
}

async function etagOf(node: InProcessNode, key: string): Promise<string | null> {
  return (await node.head(key)).headers.get('ETag');
}

async function expectSameEverywhere(key: string, value: string): Promise<void> {
  await until(`${key} is ${value} everywhere`, async () => {
    const values = await Promise.all(cluster.nodes.map(async (node) => (await node.get(key)).text()));
    const etags = await Promise.all(cluster.nodes.map((node) => etagOf(node, key)));
    return values.every((each) => each === value) && new Set(etags).size === 1;
  });
}

describe('a record whose checksum does not match', () => {
  it('is an error until it is fetched from a peer, and never a wrong value or an absence', async () => {
    const [first, second] = cluster.nodes as [InProcessNode, InProcessNode];
    await first.write('rotten', 'right');
    await cluster.converge();
    await second.stop();
    await alter(second, 'rotten', flipped);
    await cluster.restart(second);
    const seen = new Set<string>();
    await until('the key is repaired', async () => {
      const response = await second.get('rotten');
      seen.add(`${response.status} ${response.status === 200 ? await response.text() : ''}`);
      return response.status === 200;
    });
    expect([...seen].every((answer) => answer === '200 right' || answer === '503 ')).toBe(true);
    await expectSameEverywhere('rotten', 'right');
    expect(await figure(second, 'quartet_records_damaged_total')).toBe(1);
    expect(await figure(second, 'quartet_records_repaired_total')).toBe(1);
  });

  it('does not hold up the replication of other writes of its origin', async () => {
    const [first, second] = cluster.nodes as [InProcessNode, InProcessNode];
    await first.write('stuck', 'one');
    await cluster.converge();
    await second.stop();
    await alter(second, 'stuck', flipped);
    await first.write('stuck', 'two');
    await first.write('behind', 'three');
    await cluster.restart(second);
    await expectSameEverywhere('stuck', 'two');
    await expectSameEverywhere('behind', 'three');
  });

  it('is repaired without anybody reading it', async () => {
    const third = cluster.nodes[2]!;
    await until('the scan has found it', async () => (await figure(third, 'quartet_records_repaired_total')) === 1);
    expect(await (await third.get('unread')).text()).toBe('old');
  });

  it('is told as lost when nobody else has what only this disk had', async () => {
    const [first, second] = cluster.nodes as [InProcessNode, InProcessNode];
    await first.write('lone', 'old');
    await cluster.converge();
    cluster.isolate(second);
    await second.write('lone', 'new');
    await second.stop();
    await alter(second, 'lone', flipped);
    await cluster.restart(second);
    expect((await second.get('lone')).status).toBe(503);
    cluster.heal();
    await expectSameEverywhere('lone', 'old');
    expect(await figure(second, 'quartet_records_repaired_incompletely_total')).toBe(1);
    await cluster.restore();
  });
});

describe('a record that no checksum can tell', () => {
  it('comes back when it has vanished', async () => {
    await expectSameEverywhere('vanished', 'old');
  });

  it('gives way to the newer one that the others have', async () => {
    await expectSameEverywhere('aged', 'new');
    // With the one that had vanished.
    expect(await figure(cluster.nodes[2]!, 'quartet_records_put_right_total')).toBe(2);
  });
});

it('tells what the scan has done', async () => {
  const first = cluster.nodes[0]!;
  await until('a second round', async () => (await figure(first, 'quartet_scrub_rounds_total')) >= 2);
  expect(await figure(first, 'quartet_scrub_records_total')).toBeGreaterThan(0);
  expect(await figure(first, 'quartet_scrub_last_round_seconds')).toBeGreaterThan(1.7e9);
});
