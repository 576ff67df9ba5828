// What shares a commit? And what becomes of a replica when what follows one fails? It stops, as after a step or a commit that
// fails.

import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { CommitLoop, type CommitEvents } from '../../../src/replication/commit-loop.js';
import type { Input, RequestId } from '../../../src/replication/engine/input.js';
import type { Reply } from '../../../src/replication/engine/output.js';
import { Replica } from '../../../src/replication/engine/replica.js';
import { ReplicaStoppedError } from '../../../src/replication/errors.js';
import { SystemTime } from '../../../src/replication/system-time.js';
import { MemoryStore } from '../../../src/store/memory/memory-store.js';
import { blankNode } from '../../../src/store/record-codec.js';
import { ReplicaStore } from '../../../src/store/replica-store.js';
import { identityOf, loadedState } from '../../support/engine-parts.js';

let store: ReplicaStore;

beforeEach(async () => {
  store = await ReplicaStore.open(new MemoryStore(), blankNode('n1.a'));
});
afterEach(() => store.close());

function loopWith(
  events: Partial<CommitEvents> = {},
  replica = new Replica(identityOf([]), loadedState()),
): CommitLoop {
  const unheard = { committed: () => {}, released: () => {}, stopped: () => {} };
  return new CommitLoop(replica, store, new SystemTime(), { ...unheard, ...events });
}

function write(loop: CommitLoop, acksNeeded = 1): Promise<Reply> {
  const id = loop.nextId();
  return loop.request(id, writeInput(id, acksNeeded));
}

function writeInput(id: RequestId, acksNeeded = 1): Input {
  return {
    kind: 'write',
    id,
    key: 'key',
    operation: { kind: 'put', contentType: 'text/plain', value: Buffer.from('v'), ttlMs: undefined },
    context: undefined,
    precondition: undefined,
    requestName: undefined,
    acksNeeded,
    wallMs: 1_700_000_000_000,
  };
}

test('What is at hand together shares a commit, and what comes while it is under way the next one', async () => {
  const loop = loopWith();
  const commit = store.commit.bind(store);
  const second: Promise<Reply>[] = [];
  const commits = jest.spyOn(store, 'commit').mockImplementationOnce((group) => {
    second.push(write(loop), write(loop));
    return commit(group);
  });
  const first = [write(loop)];
  // As another request that has come in the same turn of the loop.
  await Promise.resolve();
  first.push(write(loop));
  expect(commits).not.toHaveBeenCalled();
  await Promise.all(first);
  await Promise.all(second);
  expect(commits.mock.calls.map(([{ log }]) => log.length)).toEqual([2, 2]);
});

test('A commit has a number of its own while it is under way', async () => {
  const loop = loopWith();
  expect(loop.commitUnderWay).toBeUndefined();
  const commit = store.commit.bind(store);
  for (const number of [1, 2]) {
    let goOn: () => void = () => {};
    const held = new Promise<void>((resolve) => (goOn = resolve));
    jest.spyOn(store, 'commit').mockImplementationOnce((group) => held.then(() => commit(group)));
    const written = write(loop);
    await new Promise(setImmediate);
    expect(loop.commitUnderWay).toBe(number);
    goOn();
    await written;
    expect(loop.commitUnderWay).toBeUndefined();
  }
});

test('All that has run is committed and answered when it is quiet', async () => {
  const loop = loopWith();
  const answers: Reply[] = [];
  void write(loop).then((reply) => answers.push(reply));
  await loop.quiet();
  expect(store.view.clock).toEqual(new Map([['n1.a', 1]]));
  expect(answers).toHaveLength(1);
});

test('A commit that fails is told to whoever waits: for it, for the next one, or for others', async () => {
  const cause = new Error('the disk is gone');
  const loop = loopWith();
  const waiting = [write(loop, 2)];
  await loop.quiet();
  jest.spyOn(store, 'commit').mockImplementationOnce(() => {
    waiting.push(write(loop));
    return Promise.reject(cause);
  });
  waiting.push(write(loop));
  await loop.quiet();
  const told = await Promise.allSettled(waiting);
  expect(told).toHaveLength(3);
  for (const each of told) {
    expect(each).toMatchObject({ status: 'rejected', reason: expect.any(ReplicaStoppedError) as unknown });
    expect(each).toMatchObject({ reason: { cause } });
  }
});

test('Who was told that the replica stops is not answered when the commit under way succeeds', async () => {
  const told: unknown[] = [];
  const replica = new Replica(identityOf([]), loadedState());
  const loop = loopWith({}, replica);
  const commit = store.commit.bind(store);
  let committed: Promise<void> | undefined;
  jest.spyOn(store, 'commit').mockImplementationOnce((group) => {
    jest.spyOn(replica, 'step').mockImplementationOnce(() => {
      throw new Error('an invariant is broken');
    });
    loop.runUnasked({ kind: 'tick' });
    return (committed = commit(group));
  });
  const id = loop.nextId();
  loop.ask(id, writeInput(id), { resolve: (reply) => told.push(reply), reject: (error) => told.push(error) });
  await loop.quiet();
  await committed;
  await new Promise(setImmediate);
  expect(committed).toBeDefined();
  expect(told).toEqual([expect.any(ReplicaStoppedError)]);
});

test('A failure behind the commit stops the replica, and says why', async () => {
  const cause = new Error('an effect that fails');
  const told: ReplicaStoppedError[] = [];
  const loop = loopWith({
    committed: () => {
      throw cause;
    },
    stopped: (error) => told.push(error),
  });
  await write(loop);
  await loop.quiet();
  expect(loop.failure).toBe(cause);
  expect(told.map((error) => error.cause)).toEqual([cause]);
  await expect(write(loop)).rejects.toThrow(ReplicaStoppedError);
});

test('So does a failure behind steps that have written nothing', async () => {
  const cause = new Error('an effect that fails');
  const stopped = new Promise((resolve) => {
    const loop = loopWith({
      released: () => {
        throw cause;
      },
      stopped: (error) => resolve(error.cause),
    });
    loop.runUnasked({ kind: 'tick' });
  });
  expect(await stopped).toBe(cause);
});
