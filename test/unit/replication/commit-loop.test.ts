// What becomes of a replica when what follows a commit fails? It stops, as after a step or a commit that fails.

import { expect, test } from '@jest/globals';
import { CommitLoop } from '../../../src/replication/commit-loop.js';
import type { Input } from '../../../src/replication/engine/input.js';
import { Replica } from '../../../src/replication/engine/replica.js';
import { ReplicaStoppedError } from '../../../src/replication/errors.js';
import { MemoryStore } from '../../../src/store/memory/memory-store.js';
import { blankNode } from '../../../src/store/record-codec.js';
import { ReplicaStore } from '../../../src/store/replica-store.js';
import { identityOf, loadedState } from '../../support/engine-parts.js';

test('A failure behind the commit stops the replica, and says why', async () => {
  const cause = new Error('an effect that fails');
  const store = await ReplicaStore.open(new MemoryStore(), blankNode('n1.a'));
  const told: ReplicaStoppedError[] = [];
  const loop = new CommitLoop(new Replica(identityOf([]), loadedState()), store, {
    committed: () => {
      throw cause;
    },
    released: () => {},
    stopped: (error) => told.push(error),
  });
  const id = loop.nextId();
  const input: Input = {
    kind: 'write',
    id,
    key: 'key',
    operation: { kind: 'put', contentType: 'text/plain', value: Buffer.from('v'), ttlMs: undefined },
    context: undefined,
    precondition: undefined,
    requestName: undefined,
    acksNeeded: 1,
    wallMs: 1_700_000_000_000,
  };
  await loop.request(id, input);
  await loop.quiet();
  expect(loop.failure).toBe(cause);
  expect(told.map((error) => error.cause)).toEqual([cause]);
  await expect(loop.request(loop.nextId(), input)).rejects.toThrow(ReplicaStoppedError);
  await store.close();
});
