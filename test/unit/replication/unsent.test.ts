// Which keys of a message does its receiver know in full?

import { serialize } from 'node:v8';
import { describe, expect, test } from '@jest/globals';
import { EMPTY_VECTOR, type VersionVector } from '../../../src/clock/version-vector.js';
import { Unsent } from '../../../src/replication/unsent.js';
import { keyHash } from '../../../src/store/key-hash.js';
import { MemoryStore } from '../../../src/store/memory/memory-store.js';
import { blankNode } from '../../../src/store/record-codec.js';
import { ReplicaStore } from '../../../src/store/replica-store.js';
import { vector } from '../../support/clock-arbitraries.js';

interface Logged {
  readonly actor: string;
  readonly counter: number;
  readonly key: string;
}

/** A store whose log is this. */
async function storeOf(log: readonly Logged[], floor: VersionVector = EMPTY_VECTOR): Promise<ReplicaStore> {
  const store = await ReplicaStore.open(new MemoryStore(), blankNode('n1.a'));
  await logged(store, log, floor);
  return store;
}

async function logged(store: ReplicaStore, log: readonly Logged[], floor: VersionVector = EMPTY_VECTOR): Promise<void> {
  const clock = new Map(store.view.clock);
  for (const { actor, counter } of log) clock.set(actor, counter);
  const node = { ...store.view.node, clock, floor };
  const nothing = { claims: undefined, members: undefined, containers: new Map(), contexts: new Map() };
  await store.commit({ ...nothing, log, node });
}

function wrote(actor: string, ...keys: readonly string[]): readonly Logged[] {
  return keys.map((key, place) => ({ actor, counter: place + 1, key }));
}

/** Two keys with the same hash: among a hundred thousand there is such a pair more often than not. */
function sharingHash(): readonly [string, string] {
  const keys = new Map<number, string>();
  for (let place = 0; ; place++) {
    const key = `key-${place}`;
    const other = keys.get(keyHash(key));
    if (other !== undefined) return [other, key];
    keys.set(keyHash(key), key);
  }
}

const A_THEN_B = [...wrote('n1.a', 'x', 'y', 'x'), ...wrote('n2.b', 'y', 'z')];

describe('A peer that gets some of the dots that it lacks', () => {
  test('has all of a key whose other dots it has already', async () => {
    const unsent = new Unsent();
    expect(await unsent.follow((await storeOf(A_THEN_B)).view, vector({ 'n1.a': 2 }))).toBe(true);
    const clock = unsent.send([{ actor: 'n1.a', from: 2, keys: ['x'] }]);
    expect([...clock]).toEqual([['n1.a', 3]]);
    expect(unsent.hasAllOf('x')).toBe(true);
  });

  test('does not have all of a key that a later dot, or one of another actor, wrote too', async () => {
    const unsent = new Unsent();
    await unsent.follow((await storeOf(A_THEN_B)).view, EMPTY_VECTOR);
    unsent.send([{ actor: 'n1.a', from: 0, keys: ['x', 'y'] }]);
    expect(['x', 'y', 'z'].map((key) => unsent.hasAllOf(key))).toEqual([false, false, false]);
    unsent.send([{ actor: 'n1.a', from: 2, keys: ['x'] }]);
    expect(['x', 'y', 'z'].map((key) => unsent.hasAllOf(key))).toEqual([true, false, false]);
  });

  test('lacks what is written after it was counted, and has what others have told it meanwhile', async () => {
    const store = await storeOf(wrote('n1.a', 'x', 'y'));
    const unsent = new Unsent();
    await unsent.follow(store.view, EMPTY_VECTOR);
    unsent.send([{ actor: 'n1.a', from: 0, keys: ['x', 'y'] }]);
    await logged(store, [{ actor: 'n1.a', counter: 3, key: 'x' }, ...wrote('n2.b', 'y')]);
    await unsent.follow(store.view, vector({ 'n1.a': 2, 'n2.b': 1 }));
    expect(['x', 'y'].map((key) => unsent.hasAllOf(key))).toEqual([false, true]);
  });

  test('is counted anew when it knows less than it was sent', async () => {
    const { view } = await storeOf(A_THEN_B);
    const unsent = new Unsent();
    await unsent.follow(view, EMPTY_VECTOR);
    unsent.send([{ actor: 'n1.a', from: 0, keys: ['x', 'y', 'x'] }]);
    await unsent.follow(view, EMPTY_VECTOR);
    expect(unsent.hasAllOf('x')).toBe(false);
  });

  test('lacks the same after many others have come and gone', async () => {
    const lacking = Array.from({ length: 50 }, (_, place) => `kept-${place}`);
    const store = await storeOf(wrote('n2.b', ...lacking));
    const unsent = new Unsent();
    await unsent.follow(store.view, EMPTY_VECTOR);
    for (let counter = 1; counter <= 1000; counter++) {
      const key = `passing-${counter}`;
      await logged(store, [{ actor: 'n1.a', counter, key }]);
      await unsent.follow(store.view, vector({ 'n1.a': counter - 1 }));
      unsent.send([{ actor: 'n1.a', from: counter - 1, keys: [key] }]);
      expect(unsent.hasAllOf(key)).toBe(true);
    }
    expect(lacking.filter((key) => unsent.hasAllOf(key))).toEqual([]);
    expect(unsent.hasAllOf('kept-50')).toBe(true);
  });

  test('does not have all of a key while it lacks another key of the same hash', async () => {
    const [key, other] = sharingHash();
    const unsent = new Unsent();
    await unsent.follow((await storeOf(wrote('n1.a', key, other))).view, EMPTY_VECTOR);
    unsent.send([{ actor: 'n1.a', from: 0, keys: [key] }]);
    expect([key, other].map((each) => unsent.hasAllOf(each))).toEqual([false, false]);
    unsent.send([{ actor: 'n1.a', from: 1, keys: [other] }]);
    expect([key, other].map((each) => unsent.hasAllOf(each))).toEqual([true, true]);
  });

  test('takes no more memory when the keys that it lacks are long', async () => {
    const bytesFor = async (keyLength: number): Promise<number> => {
      const keys = Array.from({ length: 500 }, (_, place) => `${place}`.padStart(keyLength, 'k'));
      const unsent = new Unsent();
      expect(await unsent.follow((await storeOf(wrote('n1.a', ...keys))).view, EMPTY_VECTOR)).toBe(true);
      return serialize(unsent).length;
    };
    expect(await bytesFor(1000)).toBeLessThan(2 * (await bytesFor(10)));
  });

  test('can not be told apart from one that lacks more, where the log was trimmed', async () => {
    const { view } = await storeOf(A_THEN_B, vector({ 'n2.b': 1 }));
    expect(await new Unsent().follow(view, vector({ 'n1.a': 3 }))).toBe(false);
    expect(await new Unsent().follow(view, vector({ 'n1.a': 1, 'n2.b': 1 }))).toBe(true);
  });
});
