// The store in memory keeps the contract of every store.

import { MemoryStore } from '../../src/store/memory/memory-store.js';
import { describeReplicaStore } from './replica-store.contract.js';
import { describeStore } from './store.contract.js';

describeStore('MemoryStore', async () => {
  const store = new MemoryStore();
  return { store, dispose: () => store.close() };
});

describeReplicaStore('MemoryStore', async () => {
  const store = new MemoryStore();
  return { open: async () => store, dispose: () => store.close() };
});
