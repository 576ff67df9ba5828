// How far back does a replica's log reach on disk? To its floor. What stands below it is removed when there is time, and
// nobody misses it; what stands above it is there without a hole, or the replica does not open.

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Dot } from '../../src/clock/dot.js';
import { dotOf, isLogKey, logKey } from '../../src/store/keyspace.js';
import { DamagedStoreError } from '../../src/store/lost-commits.js';
import { encodeLogged, type NodeRecord } from '../../src/store/record-codec.js';
import { ReplicaStore } from '../../src/store/replica-store.js';
import type { Store, StoreChange } from '../../src/store/store.port.js';
import { vector } from '../support/clock-arbitraries.js';
import { commitOf, logged, node } from '../support/replica-commits.js';
import { bytes, contents } from '../support/store-changes.js';
import { until } from '../support/until.js';
import type { StorePlace } from './replica-store.contract.js';

const FRESH = node({});

export function describeReplicaLog(adapter: string, emptyPlace: () => Promise<StorePlace>): void {
  describe(`The floor of a replica's log over ${adapter}`, () => {
    let place: StorePlace;
    let store: Store;
    let replica: ReplicaStore;

    beforeEach(async () => {
      place = await emptyPlace();
      store = await place.open();
      replica = await ReplicaStore.open(store, FRESH);
    });

    afterEach(async () => {
      await replica.close();
      await place.dispose();
    });

    async function reopen(): Promise<void> {
      await replica.close();
      store = await place.open();
      replica = await ReplicaStore.open(store, FRESH);
    }

    /** Eight writes of one actor, four of another, with the floor given. */
    async function commitWithFloor(floor: Record<string, number>): Promise<void> {
      const log = { 'n1.a': ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'], 'n2.b': ['p', 'q', 'r', 's'] };
      await replica.commit(commitOf({ log, node: floored({}) }));
      await replica.commit(commitOf({ node: floored(floor) }));
    }

    describe('After a commit that raises it', () => {
      test('the entries at or below it are gone soon, and those above it are there', async () => {
        await commitWithFloor({ 'n1.a': 5 });
        await untilLogged(['n1.a:6', 'n1.a:7', 'n1.a:8', 'n2.b:1', 'n2.b:2', 'n2.b:3', 'n2.b:4']);
        expect(await logged(replica.view, 'n1.a', 5, 8)).toEqual(['f', 'g', 'h']);
      });

      test('to the clock, nothing is left of the log', async () => {
        await commitWithFloor({ 'n1.a': 8, 'n2.b': 4 });
        await untilLogged([]);
        await reopen();
        expect(replica.view.node).toEqual(floored({ 'n1.a': 8, 'n2.b': 4 }));
      });

      test('step by step, each step removes what it has passed', async () => {
        await commitWithFloor({ 'n1.a': 1 });
        for (const floor of [2, 3, 6]) {
          await replica.commit(commitOf({ node: floored({ 'n1.a': floor, 'n2.b': 3 }) }));
        }
        await untilLogged(['n1.a:7', 'n1.a:8', 'n2.b:4']);
      });

      test('holders of an older view read the entries on', async () => {
        await replica.commit(commitOf({ log: { 'n1.a': ['a', 'b', 'c'] }, node: node({ 'n1.a': 3 }) }));
        const older = replica.view.retain();
        await replica.commit(commitOf({ node: { ...node({ 'n1.a': 3 }), floor: vector({ 'n1.a': 3 }) } }));
        await untilLogged([]);
        expect(await logged(older, 'n1.a', 0, 3)).toEqual(['a', 'b', 'c']);
        older.release();
      });

      test('entries that are written meanwhile stay', async () => {
        await commitWithFloor({ 'n1.a': 8 });
        const next = { actor: 'n1.a', counter: 9 };
        const clock = vector({ 'n1.a': 9, 'n2.b': 4 });
        await replica.commit(commitOf({ entries: [next], node: { ...floored({ 'n1.a': 8 }), clock } }));
        await untilLogged(['n1.a:9', 'n2.b:1', 'n2.b:2', 'n2.b:3', 'n2.b:4']);
      });

      test('the replica may be closed at once, and opens again', async () => {
        await commitWithFloor({ 'n1.a': 7 });
        await reopen();
        expect(replica.view.node.floor).toEqual(vector({ 'n1.a': 7 }));
        expect(await logged(replica.view, 'n1.a', 7, 8)).toEqual(['h']);
      });
    });

    describe('Opened again', () => {
      test.each<[what: string, leftovers: number[]]>([
        ['with the whole log', [1, 2, 3, 4, 5]],
        ['with its end alone', [5]],
        ['with its beginning alone', [1]],
        ['with holes', [2, 4]],
      ])('%s left below the floor, it clears that and takes it for no damage', async (_what, leftovers) => {
        await commitWithFloor({ 'n1.a': 5 });
        await replica.close();
        store = await place.open();
        await store.commit(leftovers.map((counter) => entry({ actor: 'n1.a', counter })));
        await store.commit([entry({ actor: 'n2.b', counter: 1 })]);
        replica = await ReplicaStore.open(store, FRESH);
        expect(replica.view.clock).toEqual(vector({ 'n1.a': 8, 'n2.b': 4 }));
        await untilLogged(['n1.a:6', 'n1.a:7', 'n1.a:8', 'n2.b:1', 'n2.b:2', 'n2.b:3', 'n2.b:4']);
      });

      test('with nothing in the log it is in order, when the floor is as high as the clock', async () => {
        await replica.commit(commitOf({ node: floored({ 'n1.a': 8, 'n2.b': 4 }) }));
        await reopen();
        expect(replica.view.clock).toEqual(vector({ 'n1.a': 8, 'n2.b': 4 }));
      });

      test.each<[missing: Dot]>([
        [{ actor: 'n1.a', counter: 6 }],
        [{ actor: 'n1.a', counter: 7 }],
        [{ actor: 'n1.a', counter: 8 }],
        [{ actor: 'n2.b', counter: 1 }],
        [{ actor: 'n2.b', counter: 4 }],
      ])('without the entry of %j, which is above the floor, it is refused', async ({ actor, counter }) => {
        await commitWithFloor({ 'n1.a': 5 });
        await replica.close();
        store = await place.open();
        await store.commit([{ type: 'del', key: logKey(actor, counter) }]);
        await expect(ReplicaStore.open(store, FRESH)).rejects.toThrow(DamagedStoreError);
        await store.close();
      });

      test('with the entry before a hole left below the floor, it is refused for the hole all the same', async () => {
        await commitWithFloor({ 'n1.a': 5 });
        await replica.close();
        store = await place.open();
        await store.commit([entry({ actor: 'n1.a', counter: 5 }), { type: 'del', key: logKey('n1.a', 6) }]);
        await expect(ReplicaStore.open(store, FRESH)).rejects.toThrow('the log has n1.a:7 but not n1.a:6');
        await store.close();
      });

      test('with more in the log than its clock knows, it is refused', async () => {
        await commitWithFloor({ 'n1.a': 5 });
        await replica.close();
        store = await place.open();
        await store.commit([entry({ actor: 'n1.a', counter: 9 })]);
        await expect(ReplicaStore.open(store, FRESH)).rejects.toThrow(DamagedStoreError);
        await store.close();
      });
    });

    async function untilLogged(expected: readonly string[]): Promise<void> {
      await until(`the log has ${expected.join(' ')}`, async () => {
        expect(await dotsOnDisk()).toEqual(expected);
        return true;
      });
    }

    async function dotsOnDisk(): Promise<string[]> {
      const keys = (await contents(store)).map(([key]) => bytes(key)).filter(isLogKey);
      return keys.map(dotOf).map(({ actor, counter }) => `${actor}:${counter}`);
    }
  });
}

function floored(floor: Record<string, number>): NodeRecord {
  return { ...node({ 'n1.a': 8, 'n2.b': 4 }), floor: vector(floor) };
}

function entry({ actor, counter }: Dot): StoreChange {
  const key = logKey(actor, counter);
  return { type: 'put', key, value: encodeLogged(key, `key-${counter}`) };
}
