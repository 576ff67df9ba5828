// How much does a message carry, and which way is the shorter one for who lacks many dots?

import { describe, expect, test } from '@jest/globals';
import type { Container } from '../../../src/clock/container.js';
import { EMPTY_VECTOR, type VersionVector } from '../../../src/clock/version-vector.js';
import { MESSAGE_LIMITS, MessageReader } from '../../../src/replication/message-reader.js';
import { MemoryStore } from '../../../src/store/memory/memory-store.js';
import { blankNode } from '../../../src/store/record-codec.js';
import { ReplicaStore } from '../../../src/store/replica-store.js';
import { vector, versionOf } from '../../support/clock-arbitraries.js';

const ALL_KEYS = { after: undefined, through: undefined };
const KIB = 1024;

/** A store with so many keys, each written once by `n1.a` with a value of so many bytes, and the log of that. */
async function storeOf(keys: number, valueBytes: number, floor: VersionVector = EMPTY_VECTOR): Promise<ReplicaStore> {
  const store = await ReplicaStore.open(new MemoryStore(), blankNode('n1.a'));
  const containers = new Map<string, Container>();
  const log = [];
  for (let counter = 1; counter <= keys; counter++) {
    const key = `key-${String(counter).padStart(6, '0')}`;
    const version = versionOf({ actor: 'n1.a', counter }, new Uint8Array(valueBytes), 1);
    containers.set(key, { versions: [version], context: EMPTY_VECTOR });
    log.push({ actor: 'n1.a', counter, key });
  }
  const node = { ...blankNode('n1.a'), clock: vector({ 'n1.a': keys }), floor };
  await store.commit({ claims: undefined, members: undefined, containers, contexts: new Map(), log, node });
  return store;
}

function pulled(store: ReplicaStore, since: VersionVector, takeAllDots = 100) {
  const reader = new MessageReader({ ...MESSAGE_LIMITS, takeAllDots });
  return reader.answer(store.view, { id: 1, kind: 'batch', to: 'n2', since, wants: 'dots' });
}

describe('A pull is answered', () => {
  test('with ranges of the log, when few dots are missing', async () => {
    const store = await storeOf(1000, 300);
    expect(await pulled(store, vector({ 'n1.a': 950 }))).toMatchObject({ kind: 'batch' });
  });

  test('with the advice to take over all keys, when half of all dots are missing', async () => {
    const store = await storeOf(1000, 10 * KIB);
    expect(await pulled(store, vector({ 'n1.a': 500 }))).toMatchObject({ kind: 'take-all' });
    expect(await pulled(store, vector({ 'n1.a': 501 }))).toMatchObject({ kind: 'batch' });
  });

  test('with ranges, however large the missing part, when it has few dots', async () => {
    const store = await storeOf(50, 10);
    expect(await pulled(store, EMPTY_VECTOR)).toMatchObject({ kind: 'batch' });
  });

  test('with where the log begins, when that is later than what the peer has', async () => {
    const floor = vector({ 'n1.a': 20 });
    const store = await storeOf(50, 10, floor);
    expect(await pulled(store, vector({ 'n1.a': 19 }))).toMatchObject({ kind: 'below-floor', floor });
    expect(await pulled(store, vector({ 'n1.a': 20 }))).toMatchObject({ kind: 'batch' });
  });
});

describe('A message', () => {
  test('has all dots of a key, however large that is, and no other key then', async () => {
    const store = await ReplicaStore.open(new MemoryStore(), blankNode('n1.a'));
    const container = (counter: number, bytes: number): Container => {
      const version = versionOf({ actor: 'n1.a', counter }, new Uint8Array(bytes), 1);
      return { versions: [version], context: EMPTY_VECTOR };
    };
    const containers = new Map([
      ['large', container(50, MESSAGE_LIMITS.bytes + 1)],
      ['next', container(51, 10)],
    ]);
    const log = Array.from({ length: 51 }, (_, place) => ({
      ...{ actor: 'n1.a', counter: place + 1 },
      key: place < 50 ? 'large' : 'next',
    }));
    const node = { ...blankNode('n1.a'), clock: vector({ 'n1.a': 51 }) };
    await store.commit({ claims: undefined, members: undefined, containers, contexts: new Map(), log, node });
    const keysSince = async (counter: number): Promise<readonly string[]> => {
      const answer = await pulled(store, vector({ 'n1.a': counter }));
      return answer?.kind === 'batch' ? answer.batch.ranges.flatMap(({ keys }) => keys) : [];
    };
    expect(await keysSince(0)).toEqual(Array(50).fill('large'));
    expect(await keysSince(50)).toEqual(['next']);
  });
});

describe('What a replica has itself of a span', () => {
  test('is all of it, while it is not much', async () => {
    const { containers, through } = await new MessageReader(MESSAGE_LIMITS).local(
      (await storeOf(50, 10)).view,
      ALL_KEYS,
    );
    expect([containers.size, through]).toEqual([50, undefined]);
  });

  test('ends with a key, when its values are too large to be held at once', async () => {
    const { view } = await storeOf(100, 100 * KIB);
    const { containers, through } = await new MessageReader(MESSAGE_LIMITS).local(view, ALL_KEYS);
    expect(containers.size).toBeGreaterThan(0);
    expect(containers.size).toBeLessThan(50);
    expect([...containers.keys()].at(-1)).toBe(through);
  });

  test('ends with a key, when there are too many', async () => {
    const { view } = await storeOf(100, 10);
    const { containers, through } = await new MessageReader({ ...MESSAGE_LIMITS, localKeys: 7 }).local(view, ALL_KEYS);
    expect([containers.size, through]).toEqual([7, 'key-000007']);
  });
});
