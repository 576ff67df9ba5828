// The store in memory keeps the contract of every store.

import { MemoryStore } from '../../src/store/memory/memory-store.js';
import { describeReplicaClaims } from './replica-claims.contract.js';
import { describeReplicaLog } from './replica-log.contract.js';
import { describeReplicaStore, type StorePlace } from './replica-store.contract.js';
import { describeStore } from './store.contract.js';

describeStore('MemoryStore', async () => {
  const store = new MemoryStore();
  return { store, dispose: () => store.close() };
});

async function emptyPlace(): Promise<StorePlace> {
  const store = new MemoryStore();
  return { open: async () => store, dispose: () => store.close() };
}

describeReplicaStore('MemoryStore', emptyPlace);
describeReplicaLog('MemoryStore', emptyPlace);
describeReplicaClaims('MemoryStore', emptyPlace);
