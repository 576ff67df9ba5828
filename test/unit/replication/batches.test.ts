// What may the operations of a batch find, and how often is it fetched for them? What is stored once can be asked for ten
// thousand times by a few bytes.

import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { Container } from '../../../src/clock/container.js';
import { PARTS_MAX } from '../../../src/clock/key-limits.js';
import { EMPTY_VECTOR } from '../../../src/clock/version-vector.js';
import {
  BATCH_FOUND_BYTES_MAX,
  BATCH_READ_BYTES_MAX,
  BatchAllowance,
} from '../../../src/replication/batch-allowance.js';
import { runBatch, type BatchOperation, type BatchResult, type BatchShell } from '../../../src/replication/batches.js';
import { CommitLoop } from '../../../src/replication/commit-loop.js';
import type { WriteInput } from '../../../src/replication/engine/input.js';
import { Replica } from '../../../src/replication/engine/replica.js';
import { SystemTime } from '../../../src/replication/system-time.js';
import { MemoryStore } from '../../../src/store/memory/memory-store.js';
import { blankNode, CorruptRecordError } from '../../../src/store/record-codec.js';
import { ReplicaStore } from '../../../src/store/replica-store.js';
import { container, versionOf } from '../../support/clock-arbitraries.js';
import { identityOf, loadedState } from '../../support/engine-parts.js';

const MIB = 1024 * 1024;
const ACKS = { acksNeeded: 1, timeoutMs: 0 };
const STALE = { vector: EMPTY_VECTOR, dot: undefined, past: EMPTY_VECTOR };

let store: ReplicaStore;
let loop: CommitLoop;
let shell: BatchShell;

beforeEach(async () => {
  store = await ReplicaStore.open(new MemoryStore(), blankNode('n1.a'));
  const events = { committed: () => {}, released: () => {}, stopped: () => {} };
  loop = new CommitLoop(new Replica(identityOf([]), loadedState()), store, new SystemTime(), events);
  shell = {
    nextId: () => loop.nextId(),
    nowMs: () => 1_700_000_000_000,
    reply: (id, input) => loop.reply(id, input),
    settled: () => loop.settled(),
    request: (id, input) => loop.request(id, input),
    container: (key) => loop.steps.container(key),
    within: (_timeoutMs, _id, answered) => answered,
  };
});
afterEach(() => store.close());

function putOf(key: string, value: Uint8Array = Buffer.from('x'), context?: WriteInput['context']): BatchOperation {
  return {
    kind: 'write',
    key,
    context,
    operation: { kind: 'put', contentType: 'text/plain', value, ttlMs: undefined },
  };
}

async function run(operations: readonly BatchOperation[]): Promise<readonly BatchResult[]> {
  return (await runBatch(shell, operations, ACKS, (_, result) => result)).results;
}

async function kindsOf(operations: readonly BatchOperation[]): Promise<readonly string[]> {
  return (await run(operations)).map(({ kind }) => kind);
}

function times<T>(count: number, each: T): readonly T[] {
  return Array.from({ length: count }, () => each);
}

/** A set with as many elements as one may have. */
async function addSet(key: string): Promise<void> {
  const id = loop.nextId();
  const add = new Set(Array.from({ length: PARTS_MAX }, (_, i) => i.toString(36)));
  await loop.request(id, {
    kind: 'write',
    id,
    key,
    operation: { kind: 'update-set', add, remove: new Set() },
    context: undefined,
    precondition: undefined,
    acksNeeded: 1,
    wallMs: 1_700_000_000_000,
  });
}

describe('a large key that is written to again and again', () => {
  test('is fetched once, as long as nothing of it changes', async () => {
    await addSet('set');
    const fetches = jest.spyOn(store, 'container');
    expect(await kindsOf(times(8, putOf('set')))).toEqual(times(8, 'wrong-type'));
    expect(fetches).toHaveBeenCalledTimes(1);
  });

  test('is not looked at any more once a batch has found as much as it may: the rest is not done, and told so', async () => {
    await addSet('set');
    await addSet('other set');
    const fetches = jest.spyOn(store, 'container');
    const operations = times(1000, ['set', 'other set'])
      .flat()
      .map((key) => putOf(key));
    const kinds = await kindsOf(operations);
    const done = kinds.indexOf('too-much');
    expect(done).toBeGreaterThan(1);
    expect(done).toBeLessThanOrEqual(1 + BATCH_FOUND_BYTES_MAX / (PARTS_MAX * 512));
    expect(new Set(kinds.slice(0, done))).toEqual(new Set(['wrong-type']));
    expect(new Set(kinds.slice(done))).toEqual(new Set(['too-much']));
    expect(fetches).toHaveBeenCalledTimes(done);
  });

  test('counts with its bytes, too: siblings that no cache holds', async () => {
    const siblings = await kindsOf(times(8, putOf('key', Buffer.alloc(MIB - 1), STALE)));
    expect(siblings).toEqual(times(8, 'written'));
    const kinds = await kindsOf(times(100, putOf('key', Buffer.from('xxxxxxxxx'), STALE)));
    expect(kinds.filter((kind) => kind === 'too-many-siblings')).toHaveLength(BATCH_FOUND_BYTES_MAX / (8 * MIB));
    expect(kinds.at(-1)).toBe('too-much');
  });

  test('does not grow by writes that are not done: each has an effect, or says that it has none', async () => {
    await kindsOf(times(8, putOf('key', Buffer.alloc(MIB - 1), STALE)));
    const before = store.view.clock;
    const kinds = await kindsOf([...times(20, putOf('key', Buffer.from('xxxxxxxxx'), STALE)), putOf('free')]);
    expect(kinds.at(-1)).toBe('too-much');
    expect(store.view.clock).toEqual(before);
    expect(await kindsOf([putOf('free')])).toEqual(['written']);
  });
});

describe('what a batch may find', () => {
  const holding = (bytes: number): Container =>
    container([versionOf({ actor: 'n1.a', counter: 1 }, Buffer.alloc(bytes))], EMPTY_VECTOR);

  function allowed(kind: 'read' | 'write', count: number, found: Container): number {
    const allowance = new BatchAllowance();
    return times(count, { kind, key: 'key' }).filter((operation) => allowance.allows(operation, () => found)).length;
  }

  test('lets ten thousand writes replace values of some kilobytes', () => {
    expect(allowed('write', 10_000, holding(6000))).toBe(10_000);
  });

  test('lets the first write find anything', () => {
    expect(allowed('write', 2, holding(BATCH_FOUND_BYTES_MAX))).toBe(1);
  });

  test('lets the first read bring anything', () => {
    expect(allowed('read', 2, holding(2 * BATCH_READ_BYTES_MAX))).toBe(1);
  });

  test('lets reads bring less than writes may find, for it is kept until they are answered', () => {
    expect(allowed('read', 100, holding(MIB))).toBe(BATCH_READ_BYTES_MAX / MIB - 1);
    expect(allowed('write', 100, holding(MIB))).toBe(BATCH_FOUND_BYTES_MAX / MIB);
  });

  test('is looked up no more once it is used up', () => {
    const allowance = new BatchAllowance();
    const find = jest.fn(() => holding(BATCH_READ_BYTES_MAX));
    for (const kind of ['read', 'read', 'write'] as const) allowance.allows({ kind, key: 'key' }, find);
    expect(find).toHaveBeenCalledTimes(2);
  });
});

describe('a result', () => {
  test('is handed over in its step, and nothing of it kept besides until the commit', async () => {
    const told: string[] = [];
    const running = runBatch(shell, [putOf('a'), { kind: 'read', key: 'a' }], ACKS, (_, { kind }) => told.push(kind));
    expect(told).toEqual(['written', 'read']);
    expect(loop.steps.unanswered).toHaveLength(1);
    expect((await running).results).toEqual([1, 2]);
  });

  test('holds only when its commit is on disk: one that fails fails the batch', async () => {
    jest.spyOn(store, 'commit').mockRejectedValueOnce(new Error('the disk is gone'));
    await expect(run([putOf('a')])).rejects.toMatchObject({ code: 'REPLICA_STOPPED' });
    await expect(run([putOf('a')])).rejects.toMatchObject({ code: 'REPLICA_STOPPED' });
  });

  test('of a batch in which no step has run comes all the same', async () => {
    jest.spyOn(store, 'container').mockImplementation(() => {
      throw new CorruptRecordError('damaged', Buffer.from('k'));
    });
    expect(await kindsOf([putOf('a'), { kind: 'read', key: 'a' }])).toEqual(['damaged', 'damaged']);
    expect(await kindsOf([])).toEqual([]);
  });
});
