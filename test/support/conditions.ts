// How does a test get replicas that are not well? Each is brought into its condition by what brings a real one there.

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { versionsRange } from '../../src/store/keyspace.js';
import { LevelStore } from '../../src/store/level/level-store.js';
import type { StoreChange } from '../../src/store/store.port.js';
import { startCluster } from './in-process-cluster.js';
import { InProcessNode } from './in-process-node.js';
import { RawClient } from './raw-client.js';
import { until } from './until.js';

const MIB = 1024 * 1024;

export interface Conditioned {
  readonly node: InProcessNode;
  remove(): Promise<void>;
}

/** `prepare` writes what is to be there before the replica gets into its condition. */
type Condition = (prepare: (node: InProcessNode) => Promise<void>) => Promise<Conditioned>;

export const CONDITIONS: Readonly<Record<string, Condition>> = {
  'whose disk is nearly full': async (prepare) => {
    const node = await InProcessNode.start();
    await prepare(node);
    await node.restart({ diskFreeBytesMin: Number.MAX_SAFE_INTEGER });
    return ofOne(node);
  },

  'that the others have removed': async (prepare) => {
    const cluster = await startCluster(2);
    const [n1, n2] = cluster.nodes as [InProcessNode, InProcessNode];
    await prepare(n2);
    await n1.request('/v1/cluster/members/n2', { method: 'DELETE' });
    await until('n2 knows', async () => (await n2.request('/readyz')).status === 503);
    return { node: n2, remove: () => cluster.remove() };
  },

  'whose disk has failed': async (prepare) => {
    const node = await InProcessNode.start({ peers: [{ name: 'n4', url: 'http://127.0.0.1:1', isNamed: true }] });
    await prepare(node);
    await rm(node.config.data, { recursive: true });
    // The database needs a new file after some megabytes, and finds no folder to make it in.
    await until('it fails', async () => (await node.put('filler', new Uint8Array(MIB))).status === 503);
    return { node, remove: () => node.remove().catch(() => {}) };
  },

  'whose records are damaged': async (prepare) => {
    const node = await InProcessNode.start({ feedRetentionSeconds: 3600 });
    await prepare(node);
    await damageEverything(node);
    return ofOne(node);
  },

  'that has no room for more bodies': async (prepare) => {
    const node = await InProcessNode.start();
    await prepare(node);
    await node.restart({ bodyBytesMax: 900 });
    const client = await RawClient.connect(node.port);
    client.send('PUT /v1/kv/half HTTP/1.1\r\nHost: quartet\r\nContent-Length: 900\r\nExpect: 100-continue\r\n\r\n');
    await client.response();
    return {
      node,
      remove: async () => {
        client.leave();
        await node.remove();
      },
    };
  },

  'with a secret': async (prepare) => {
    const node = await InProcessNode.start({ clusterSecret: 'the secret of this cluster' });
    await prepare(node);
    return ofOne(node);
  },
};

function ofOne(node: InProcessNode): Conditioned {
  return { node, remove: () => node.remove() };
}

/** Flips a bit in the record of every key. */
async function damageEverything(node: InProcessNode): Promise<void> {
  await node.stop();
  const store = await LevelStore.open(join(node.config.data, 'level'));
  const snapshot = store.snapshot();
  const changes: StoreChange[] = [];
  for await (const chunk of snapshot.scan(versionsRange('', undefined), 1000)) {
    for (const [key, record] of chunk) {
      const value = Uint8Array.from(record);
      value[value.length - 1]! ^= 1;
      changes.push({ type: 'put', key, value });
    }
  }
  snapshot.close();
  await store.commit(changes);
  await store.close();
  await node.restart();
}
