// How far back does a replica's log reach on disk? To its floor. What stands below it is removed when there is time, and
// nobody misses it; what stands above it is there without a hole, or the replica does not open.

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Dot } from '../../src/clock/dot.js';
import type { LoggedRequest } from '../../src/clock/request.js';
import { dotsOf, isLogKey, logKey } from '../../src/store/keyspace.js';
import { DamagedStoreError } from '../../src/store/lost-commits.js';
import { CorruptRecordError, encodeLogged, type NodeRecord } from '../../src/store/record-codec.js';
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

    /** Eight writes of one actor, four of another, each committed alone; then the floor given. */
    async function commitWithFloor(floor: Record<string, number>): Promise<void> {
      const each = (actor: string, last: number) =>
        Array.from({ length: last }, (_, place) => [actor, place + 1] as const);
      for (const [actor, counter] of [...each('n1.a', 8), ...each('n2.b', 4)]) {
        await replica.commit(commitOf({ entries: [{ actor, counter }], node: floored({}) }));
      }
      await replica.commit(commitOf({ node: floored(floor) }));
    }

    describe('After a commit that raises it', () => {
      test('the entries at or below it are gone soon, and those above it are there', async () => {
        await commitWithFloor({ 'n1.a': 5 });
        await untilLogged(['n1.a:6', 'n1.a:7', 'n1.a:8', 'n2.b:1', 'n2.b:2', 'n2.b:3', 'n2.b:4']);
        expect(await logged(replica.view, 'n1.a', 5, 8)).toEqual([6, 7, 8].map((dot) => `n1.a wrote ${dot}`));
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
        expect(await logged(replica.view, 'n1.a', 7, 8)).toEqual(['n1.a wrote 8']);
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

    describe('Of dots that were committed together', () => {
      const eight = () => [1, 2, 3, 4, 5, 6, 7, 8].map((counter) => ({ actor: 'n1.a', counter }));
      const four = () => [1, 2, 3, 4].map((counter) => ({ actor: 'n2.b', counter }));

      /** Three, then one, then the other four with those of another actor. */
      async function commitTogether(): Promise<void> {
        await replica.commit(commitOf({ entries: eight().slice(0, 3), node: floored({}) }));
        await replica.commit(commitOf({ entries: eight().slice(3, 4), node: floored({}) }));
        await replica.commit(commitOf({ entries: [...eight().slice(4), ...four()], node: floored({}) }));
      }

      test('one record tells, for each actor', async () => {
        await commitTogether();
        expect(await entriesOnDisk()).toEqual(['n1.a:1-3', 'n1.a:4-4', 'n1.a:5-8', 'n2.b:1-4']);
      });

      test('it tells of 255 at most', async () => {
        const entries = Array.from({ length: 600 }, (_, place) => ({ actor: 'n1.a', counter: place + 1 }));
        await replica.commit(commitOf({ entries, node: node({ 'n1.a': 600 }) }));
        expect(await entriesOnDisk()).toEqual(['n1.a:1-255', 'n1.a:256-510', 'n1.a:511-600']);
        await reopen();
        expect(await logged(replica.view, 'n1.a', 0, 600)).toHaveLength(600);
      });

      test('it stays while the floor is in its midst, and goes when that has passed its last', async () => {
        await commitTogether();
        await replica.commit(commitOf({ node: floored({ 'n1.a': 6 }) }));
        await until('the entries below the floor are gone', async () => {
          expect(await entriesOnDisk()).toEqual(['n1.a:5-8', 'n2.b:1-4']);
          return true;
        });
        await reopen();
        expect(await logged(replica.view, 'n1.a', 6, 8)).toEqual(['n1.a wrote 7', 'n1.a wrote 8']);
        expect(await logged(replica.view, 'n1.a', 0, 3)).toEqual([]);
        await replica.commit(commitOf({ node: floored({ 'n1.a': 8, 'n2.b': 1 }) }));
        await untilLogged(['n2.b:1', 'n2.b:2', 'n2.b:3', 'n2.b:4']);
      });

      test.each([
        [logKey('n1.a', 3, 3), 'the log has n1.a:4 but not n1.a:1'],
        [logKey('n1.a', 4), 'the log has n1.a:5 but not n1.a:4'],
        [logKey('n1.a', 8, 4), 'the log does not reach n1.a:8'],
        [logKey('n2.b', 4, 4), 'the log does not reach n2.b:4'],
      ])('without the record at %j the replica is refused', async (missing, reason) => {
        await commitTogether();
        await replica.close();
        store = await place.open();
        await store.commit([{ type: 'del', key: missing }]);
        await expect(ReplicaStore.open(store, FRESH)).rejects.toThrow(reason);
        await store.close();
      });

      test.each([
        [3, 5],
        [8, 5],
        [8, 9],
        [4, 2],
        [8, 7],
      ])('with a record that says it tells of the %i-th and %i in all, the replica is refused', async (last, dots) => {
        await commitTogether();
        await replica.commit(commitOf({ node: floored({ 'n1.a': 2 }) }));
        await replica.close();
        store = await place.open();
        for (const each of [logKey('n1.a', 3, 3), logKey('n1.a', 4), logKey('n1.a', 8, 4)]) {
          if (dotsOf(each).to === last) await store.commit([{ type: 'del', key: each }]);
        }
        await store.commit([{ type: 'put', key: logKey('n1.a', last, dots), value: Buffer.from('damaged') }]);
        await expect(ReplicaStore.open(store, FRESH)).rejects.toThrow(DamagedStoreError);
        await store.close();
      });

      test.each([0, 5, 8, 250])('one whose key has rotted to tell of %i is damaged, not a hole', async (dots) => {
        await commitTogether();
        await reopen();
        const snapshot = store.snapshot();
        const value = snapshot.get(logKey('n1.a', 8, 4))!;
        snapshot.close();
        await store.commit([
          { type: 'del', key: logKey('n1.a', 8, 4) },
          { type: 'put', key: logKey('n1.a', 8, dots), value },
        ]);
        await replica.commit(commitOf({ node: floored({}) }));
        for (const from of [0, 3, 4, 7]) {
          await expect(logged(replica.view, 'n1.a', from, 8)).rejects.toThrow(CorruptRecordError);
        }
        expect(await logged(replica.view, 'n1.a', 0, 4)).toHaveLength(4);
      });

      test('requests with names are found, by their first dots', async () => {
        const entries = eight().map((dot) => ({ ...dot, key: `key ${dot.counter}`, request: requestOf(dot.counter) }));
        await replica.commit({ ...commitOf({ node: floored({ 'n2.b': 4 }) }), log: entries });
        expect(await entriesOnDisk()).toEqual(['n1.a:1-2', 'n1.a:3-3', 'n1.a:4-5', 'n1.a:6-6', 'n1.a:7-8']);
        await reopen();
        expect(await logged(replica.view, 'n1.a', 1, 7)).toEqual([2, 3, 4, 5, 6, 7].map((dot) => `key ${dot}`));
        const found = replica.view.requests.logged('n1.a', 0, 8);
        expect(found).toEqual(new Map([3, 6].map((counter) => [counter, requestOf(counter)])));
      });

      test('any span is read as it was written, whatever shared a commit', async () => {
        const anyActor = fc.constantFrom('n1.a', 'n2.b');
        const anyCommit = fc.oneof(
          { weight: 4, arbitrary: fc.array(anyActor, { maxLength: 20 }) },
          { weight: 1, arbitrary: fc.tuple(anyActor, fc.nat(600)).map(([actor, dots]) => Array(dots).fill(actor)) },
        );
        const anyCommits = fc.array(anyCommit as fc.Arbitrary<string[]>, { maxLength: 8 });
        const anyCount = fc.oneof(fc.nat(60), fc.nat(1000));
        const anySpans = fc.array(fc.tuple(anyActor, anyCount, anyCount), { minLength: 10 });
        await fc.assert(
          fc.asyncProperty(anyCommits, anySpans, async (commits, spans) => {
            const own = await emptyPlace();
            const first = await ReplicaStore.open(await own.open(), FRESH);
            const last = new Map<string, number>();
            const lastOf = (actor: string): number => last.get(actor) ?? 0;
            for (const actors of commits) {
              const entries = actors.map((actor) => {
                last.set(actor, lastOf(actor) + 1);
                return { actor, counter: lastOf(actor) };
              });
              await first.commit(commitOf({ entries, node: node(Object.fromEntries(last)) }));
            }
            await first.close();
            const second = await ReplicaStore.open(await own.open(), FRESH);
            for (const [actor, from, length] of spans) {
              const dots = Array.from({ length }, (_, each) => from + each + 1).filter((dot) => dot <= lastOf(actor));
              const wanted = dots.map((dot) => `${actor} wrote ${dot}`);
              expect(await logged(second.view, actor, from, from + length)).toEqual(wanted);
            }
            await second.close();
            await own.dispose();
          }),
          { numRuns: 30 },
        );
      });
    });

    async function entriesOnDisk(): Promise<string[]> {
      const keys = (await contents(store)).map(([key]) => bytes(key)).filter(isLogKey);
      return keys.map(dotsOf).map(({ actor, from, to }) => `${actor}:${from + 1}-${to}`);
    }

    async function untilLogged(expected: readonly string[]): Promise<void> {
      await until(`the log has ${expected.join(' ')}`, async () => {
        expect(await dotsOnDisk()).toEqual(expected);
        return true;
      });
    }

    async function dotsOnDisk(): Promise<string[]> {
      const keys = (await contents(store)).map(([key]) => bytes(key)).filter(isLogKey);
      const dots = keys.map(dotsOf).flatMap(({ actor, from, to }) => {
        return Array.from({ length: to - from }, (_, place) => `${actor}:${from + place + 1}`);
      });
      return dots;
    }
  });
}

/** Of the third dot and the sixth. */
function requestOf(counter: number): LoggedRequest | undefined {
  return counter % 3 === 0 ? { id: `0${counter}`.repeat(16), fingerprint: '89abcdef'.repeat(2), dots: 2 } : undefined;
}

function floored(floor: Record<string, number>): NodeRecord {
  return { ...node({ 'n1.a': 8, 'n2.b': 4 }), floor: vector(floor) };
}

function entry({ actor, counter }: Dot): StoreChange {
  const key = logKey(actor, counter);
  return { type: 'put', key, value: encodeLogged(key, { keys: [`key-${counter}`] }) };
}
