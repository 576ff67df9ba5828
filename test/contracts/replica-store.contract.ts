// What does a replica rely on for its state? One commit is one moment: containers, log and clock of the same group of
// steps are seen together or not at all, by readers, by holders of older views, and after a restart.

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Container } from '../../src/clock/container.js';
import { EMPTY_VECTOR, type VersionVector } from '../../src/clock/version-vector.js';
import type { CommittedView } from '../../src/store/committed-view.js';
import { contextKey, logKey, markKey, NODE_KEY, versionsKey } from '../../src/store/keyspace.js';
import { DamagedStoreError } from '../../src/store/lost-commits.js';
import { CorruptRecordError } from '../../src/store/record-codec.js';
import { ReplicaStore } from '../../src/store/replica-store.js';
import type { Store } from '../../src/store/store.port.js';
import { container, shownContainer, shownVector, textsOf, vector, version } from '../support/clock-arbitraries.js';
import { commitOf, holding, keysOf, logged, node, SELF } from '../support/replica-commits.js';
import { contents, shown } from '../support/store-changes.js';

/** Where stores are opened that hold the same entries each time. */
export interface StorePlace {
  open(): Promise<Store>;
  dispose(): Promise<void>;
}

const FRESH = node({});

export function describeReplicaStore(adapter: string, emptyPlace: () => Promise<StorePlace>): void {
  describe(`ReplicaStore over ${adapter}`, () => {
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
      replica = await ReplicaStore.open(store, node({ 'n1.other': 99 }, 'n1.other'));
    }

    describe('Opened for the first time', () => {
      test('begins with the identity it is given, and keeps it when it is offered another', async () => {
        expect(replica.view.node).toEqual(FRESH);
        await reopen();
        expect(replica.view.node).toEqual(FRESH);
      });

      test('holds no key', async () => {
        expect(shownContainer(replica.container('a'))).toEqual({ versions: [], context: [] });
        expect(await keysOf(replica.view)).toEqual([]);
        expect(await replica.aheadContexts()).toEqual(new Map());
      });
    });

    describe('A commit', () => {
      test('shows its containers, its log and its clock together', async () => {
        await replica.commit(
          commitOf({
            containers: { a: holding(1), b: holding(2) },
            log: { 'n1.a': ['a', 'b'] },
            node: node({ 'n1.a': 2 }),
          }),
        );
        expect(textsOf(replica.container('a'))).toEqual(['n1.a1']);
        expect(textsOf(replica.view.container('b'))).toEqual(['n1.a2']);
        expect(replica.view.node).toEqual(node({ 'n1.a': 2 }));
        expect(await logged(replica.view, 'n1.a', 0, 2)).toEqual(['a', 'b']);
      });

      test('of very many keys is seen by readers of a key that was read before, too', async () => {
        await replica.commit(commitOf({ containers: { a: holding(1) }, node: node({ 'n1.a': 1 }) }));
        expect(textsOf(replica.container('a'))).toEqual(['n1.a1']);
        const others = Array.from({ length: 501 }, (_, place) => [`other ${place}`, holding(place + 3)]);
        const containers = { a: holding(2), ...Object.fromEntries(others) };
        await replica.commit(commitOf({ containers, node: node({ 'n1.a': 503 }) }));
        const readers = [replica, replica.view];
        expect(readers.map((reader) => textsOf(reader.container('a')))).toEqual([['n1.a2'], ['n1.a2']]);
      });

      test('changes nothing that readers see before it is done', async () => {
        await replica.commit(commitOf({ containers: { a: holding(1) }, node: node({ 'n1.a': 1 }) }));
        const done = replica.commit(commitOf({ containers: { a: holding(2) }, node: node({ 'n1.a': 2 }) }));
        expect(textsOf(replica.container('a'))).toEqual(['n1.a1']);
        expect(textsOf(replica.view.container('a'))).toEqual(['n1.a1']);
        expect(replica.view.clock).toEqual(vector({ 'n1.a': 1 }));
        await done;
        expect(textsOf(replica.container('a'))).toEqual(['n1.a2']);
        expect(replica.view.clock).toEqual(vector({ 'n1.a': 2 }));
      });

      test('is never seen as a container without its clock or a clock without its container', async () => {
        let isRunning = true;
        let looks = 0;
        const reader = (async () => {
          for (; isRunning; looks++) {
            const counter = replica.view.clock.get(SELF) ?? 0;
            expect(replica.container('a').versions[0]?.counter ?? 0).toBe(counter);
            expect(replica.view.container('b').versions[0]?.counter ?? 0).toBe(counter);
            await new Promise((resolve) => setImmediate(resolve));
          }
        })();
        for (let counter = 1; counter <= 100; counter++) {
          await replica.commit(
            commitOf({ containers: { a: holding(counter), b: holding(counter) }, node: node({ 'n1.a': counter }) }),
          );
          await new Promise((resolve) => setImmediate(resolve));
        }
        isRunning = false;
        await reader;
        expect(looks).toBeGreaterThan(50);
      });

      test('that fails changes nothing that readers see', async () => {
        const failing: Store = {
          commit: () => Promise.reject(new Error('the disk is full')),
          clear: () => Promise.resolve(),
          snapshot: () => store.snapshot(),
          size: () => store.size(),
          close: () => Promise.resolve(),
        };
        await replica.commit(
          commitOf({ containers: { a: holding(1) }, log: { 'n1.a': ['a'] }, node: node({ 'n1.a': 1 }) }),
        );
        const victim = await ReplicaStore.open(failing, FRESH);
        const commit = commitOf({
          containers: { a: holding(2) },
          contexts: { b: { 'n2.b': 1 } },
          node: node({ 'n1.a': 2 }),
        });
        await expect(victim.commit(commit)).rejects.toThrow('the disk is full');
        expect(textsOf(victim.container('a'))).toEqual(['n1.a1']);
        expect(victim.view.clock).toEqual(vector({ 'n1.a': 1 }));
        expect(await victim.aheadContexts()).toEqual(new Map());
        await victim.close();
      });

      test('is there after the store is closed and opened again', async () => {
        await replica.commit(
          commitOf({
            containers: { a: holding(1), b: holding(2, { 'n2.b': 9 }) },
            log: { 'n1.a': ['a', 'b'] },
            node: node({ 'n1.a': 2 }),
          }),
        );
        await reopen();
        expect(replica.view.node).toEqual(node({ 'n1.a': 2 }));
        expect(textsOf(replica.container('a'))).toEqual(['n1.a1']);
        expect(shownContainer(replica.container('b'))).toEqual({ versions: ['n1.a:2 n1.a2'], context: [['n2.b', 9]] });
        expect(await logged(replica.view, 'n1.a', 0, 2)).toEqual(['a', 'b']);
        expect(await replica.aheadContexts()).toEqual(new Map([['b', vector({ 'n2.b': 9 })]]));
      });
    });

    describe('A view', () => {
      test('shows its own moment as long as it is retained, clock, containers and log alike', async () => {
        const views: CommittedView[] = [];
        for (let counter = 1; counter <= 5; counter++) {
          await replica.commit(
            commitOf({
              containers: { a: holding(counter), [`key-${counter}`]: holding(counter) },
              node: node({ 'n1.a': counter }),
            }),
          );
          views.push(replica.view.retain());
        }
        await replica.commit(commitOf({ containers: { a: container([], EMPTY_VECTOR) }, node: node({ 'n1.a': 6 }) }));
        for (const [index, view] of views.entries()) {
          const counter = index + 1;
          expect(view.clock).toEqual(vector({ 'n1.a': counter }));
          expect(textsOf(view.container('a'))).toEqual([`n1.a${counter}`]);
          expect(await keysOf(view)).toHaveLength(counter + 1);
          view.release();
        }
        expect(replica.container('a').versions).toEqual([]);
      });

      test('may have several holders, and stays until the last one releases it', async () => {
        await replica.commit(commitOf({ containers: { a: holding(1) }, node: node({ 'n1.a': 1 }) }));
        const view = replica.view.retain().retain();
        await replica.commit(commitOf({ containers: { a: holding(2) }, node: node({ 'n1.a': 2 }) }));
        view.release();
        expect(textsOf(view.container('a'))).toEqual(['n1.a1']);
        view.release();
        expect(() => view.container('a')).toThrow();
      });

      test('lists keys with live versions in the order of their bytes, by prefix and from where a reader stopped', async () => {
        const keys = ['a', 'b', 'b/1', 'b/2', 'c'];
        await replica.commit(
          commitOf({
            containers: {
              ...Object.fromEntries(keys.map((key, index) => [key, holding(index + 1)])),
              'b/deleted': container([], vector({ 'n9.z': 5 })),
            },
            node: node({ 'n1.a': 5 }),
          }),
        );
        expect(await keysOf(replica.view)).toEqual(keys);
        expect(await keysOf(replica.view, 'b')).toEqual(['b', 'b/1', 'b/2']);
        expect(await keysOf(replica.view, 'b', 'b')).toEqual(['b/1', 'b/2']);
        expect(await keysOf(replica.view, '', 'b/1')).toEqual(['b/2', 'c']);
        expect(await keysOf(replica.view, 'd')).toEqual([]);
      });

      test('lists all of them to who goes on, however few were said to be wanted', async () => {
        const keys = ['a', 'a\x00', 'b', 'b/1', 'c', '\u{1f600}'];
        await replica.commit(
          commitOf({
            containers: Object.fromEntries(keys.map((key, index) => [key, holding(index + 1)])),
            node: node({ 'n1.a': keys.length }),
          }),
        );
        for (const wanted of [1, 2, keys.length, keys.length + 1]) {
          const listed: string[] = [];
          for await (const { key } of replica.view.containers('', undefined, wanted)) listed.push(key);
          expect(listed).toEqual(keys);
        }
      });

      test('lists each key with its context', async () => {
        await replica.commit(
          commitOf({ containers: { a: holding(1, { 'n2.b': 3 }), b: holding(2) }, node: node({ 'n1.a': 2 }) }),
        );
        const listed: unknown[] = [];
        for await (const { key, container } of replica.view.containers('', undefined)) {
          listed.push([key, shownVector(container.context)]);
        }
        expect(listed).toEqual([
          ['a', [['n2.b', 3]]],
          ['b', []],
        ]);
      });

      test('lists more keys than one trip to the store brings', async () => {
        const keys = Array.from({ length: 2500 }, (_, index) => `key-${String(index).padStart(4, '0')}`);
        const containers = Object.fromEntries(keys.map((key, index) => [key, holding(index + 1)]));
        await replica.commit(commitOf({ containers, node: node({ 'n1.a': 2500 }) }));
        expect(await keysOf(replica.view)).toEqual(keys);
      });
    });

    describe('A key ahead of the clock', () => {
      test('is listed with its context while it has one, and not listed once it is stripped', async () => {
        const ahead = async (): Promise<unknown> =>
          [...(await replica.aheadContexts())].map(([key, context]) => [key, shownVector(context)]);

        await replica.commit(commitOf({ containers: { a: holding(1, { 'n2.b': 7 }), b: holding(2) }, node: node({}) }));
        expect(await ahead()).toEqual([['a', [['n2.b', 7]]]]);

        await replica.commit(commitOf({ contexts: { a: { 'n2.b': 9 }, deleted: { 'n3.c': 1 } }, node: node({}) }));
        expect(await ahead()).toEqual([
          ['a', [['n2.b', 9]]],
          ['deleted', [['n3.c', 1]]],
        ]);
        expect(shownContainer(replica.container('a'))).toEqual({ versions: ['n1.a:1 n1.a1'], context: [['n2.b', 9]] });
        expect(shownContainer(replica.container('deleted'))).toEqual({ versions: [], context: [['n3.c', 1]] });

        await reopen();
        expect(await ahead()).toHaveLength(2);
        await replica.commit(commitOf({ contexts: { a: {}, deleted: {} }, node: node({ 'n2.b': 9, 'n3.c': 1 }) }));
        expect(await ahead()).toEqual([]);
        expect(shownContainer(replica.container('a'))).toEqual({ versions: ['n1.a:1 n1.a1'], context: [] });
        expect(await recordsOf('a')).toEqual([]);
      });

      test('is listed from where a reader stopped', async () => {
        await replica.commit(
          commitOf({ contexts: { a: { 'n2.b': 1 }, b: { 'n2.b': 1 }, c: { 'n2.b': 1 } }, node: node({}) }),
        );
        const listed: string[] = [];
        for await (const key of replica.view.aheadKeys('a')) listed.push(key);
        expect(listed).toEqual(['b', 'c']);
      });
    });

    describe('The log', () => {
      test('is read by actor and in the order of counters, whatever the order of writing', async () => {
        const log = [3, 1, 2, 256, 255, 2 ** 32, 2 ** 32 - 1, 2 ** 32 + 1, 2 ** 40];
        await replica.commit(
          commitOf({
            entries: log.flatMap((counter) => ['n1.a', 'n1.ab', 'n10.a'].map((actor) => ({ actor, counter }))),
            node: node({}),
          }),
        );
        expect(await logged(replica.view, 'n1.a', 0, 2 ** 41)).toEqual(
          [...log].sort((left, right) => left - right).map((counter) => `n1.a wrote ${counter}`),
        );
      });

      test('is read from the counter after the first up to and with the last', async () => {
        await replica.commit(commitOf({ log: { 'n1.a': ['a', 'b', 'c', 'd', 'e'] }, node: node({ 'n1.a': 5 }) }));
        expect(await logged(replica.view, 'n1.a', 1, 4)).toEqual(['b', 'c', 'd']);
        expect(await logged(replica.view, 'n1.a', 0, 1)).toEqual(['a']);
        expect(await logged(replica.view, 'n1.a', 4, 99)).toEqual(['e']);
        expect(await logged(replica.view, 'n1.a', 5, 5)).toEqual([]);
        expect(await logged(replica.view, 'n1.b', 0, 99)).toEqual([]);
      });

      test('takes keys of any text', async () => {
        const keys = ['\0', '\u{1F600}', '__proto__', 'a\nb', 'é'];
        await replica.commit(commitOf({ log: { 'n1.a': keys }, node: node({ 'n1.a': keys.length }) }));
        expect(await logged(replica.view, 'n1.a', 0, 99)).toEqual(keys);
      });
    });

    describe('A deleted key', () => {
      const unmarked = async (): Promise<string[]> =>
        (await contents(store)).map(([key]) => key).filter((key) => !key.startsWith('m'));

      test('leaves nothing behind but the log, the node record and the marks of commits', async () => {
        await replica.commit(
          commitOf({ containers: { a: holding(1, { 'n2.b': 4 }) }, log: { 'n1.a': ['a'] }, node: node({}) }),
        );
        await replica.commit(commitOf({ containers: { a: container([], vector({ 'n2.b': 4 })) }, node: node({}) }));
        expect(await recordsOf('k')).toEqual([]);
        expect(await recordsOf('a')).toEqual(['aa']);
        await replica.commit(commitOf({ containers: { a: container([], EMPTY_VECTOR) }, node: node({ 'n2.b': 4 }) }));
        expect(await unmarked()).toEqual([shown(logKey('n1.a', 1)), shown(NODE_KEY)]);
      });

      test('that was never there leaves nothing either', async () => {
        await replica.commit(
          commitOf({ containers: { a: container([], EMPTY_VECTOR) }, contexts: { b: {} }, node: node({}) }),
        );
        expect(await unmarked()).toEqual(['n']);
      });
    });

    describe('A damaged record', () => {
      async function damage(key: Uint8Array): Promise<void> {
        const snapshot = store.snapshot();
        const record = Uint8Array.from(snapshot.get(key)!);
        snapshot.close();
        record[record.length - 1]! ^= 0x10;
        await replica.close();
        store = await place.open();
        await store.commit([{ type: 'put', key, value: record }]);
      }

      test('is an error to whoever needs it, and neither a value nor absence', async () => {
        await replica.commit(
          commitOf({
            containers: { a: holding(1), b: holding(2) },
            log: { 'n1.a': ['a', 'b'] },
            node: node({ 'n1.a': 2 }),
          }),
        );
        await damage(versionsKey('a'));
        replica = await ReplicaStore.open(store, FRESH);
        expect(() => replica.container('a')).toThrow(CorruptRecordError);
        expect(() => replica.view.container('a')).toThrow(CorruptRecordError);
        expect(textsOf(replica.container('b'))).toEqual(['n1.a2']);
        await expect(keysOf(replica.view)).rejects.toThrow(CorruptRecordError);
      });

      test('of the log is an error to whoever reads the range', async () => {
        for (const counters of [[1], [2, 3, 4], [5]]) {
          const entries = counters.map((counter) => ({ actor: 'n1.a', counter }));
          await replica.commit(commitOf({ entries, node: node({ 'n1.a': counters.at(-1)! }) }));
        }
        await damage(logKey('n1.a', 4, 3));
        replica = await ReplicaStore.open(store, FRESH);
        for (const from of [1, 2, 3]) {
          await expect(logged(replica.view, 'n1.a', from, 5)).rejects.toThrow(CorruptRecordError);
        }
        const read: string[] = [];
        const readAll = async (): Promise<void> => {
          for await (const key of replica.view.log.keys({ actor: 'n1.a', from: 0, to: 5 })) read.push(key);
        };
        await expect(readAll()).rejects.toThrow(CorruptRecordError);
        expect(read).toEqual(['n1.a wrote 1']);
        expect(await logged(replica.view, 'n1.a', 0, 1)).toEqual(['n1.a wrote 1']);
        expect(await logged(replica.view, 'n1.a', 4, 5)).toEqual(['n1.a wrote 5']);
      });

      test('of the node keeps the replica from starting', async () => {
        await damage(NODE_KEY);
        await expect(ReplicaStore.open(store, FRESH)).rejects.toThrow(CorruptRecordError);
      });

      test('of a context makes its key unreadable, and nothing else', async () => {
        const contexts = { a: { 'n2.b': 1 }, b: { 'n2.b': 2 } };
        await replica.commit(commitOf({ containers: { c: holding(1) }, contexts, node: node({}) }));
        await damage(contextKey('a'));
        replica = await ReplicaStore.open(store, FRESH);
        expect(() => replica.container('a')).toThrow(CorruptRecordError);
        expect(await replica.aheadContexts()).toEqual(new Map([['b', vector({ 'n2.b': 2 })]]));
        expect(textsOf(replica.container('c'))).toEqual(['n1.a1']);
      });
    });

    describe('A store that has lost commits', () => {
      async function openWithout(...keys: Uint8Array[]): Promise<ReplicaStore> {
        await replica.commit(
          commitOf({ containers: { a: holding(3) }, log: { 'n1.a': ['a', 'a', 'a'] }, node: node({ 'n1.a': 3 }) }),
        );
        await store.commit(keys.map((key) => ({ type: 'del', key })));
        return ReplicaStore.open(store, FRESH);
      }

      test('does not open, when the log entry of its writes is missing', async () => {
        await expect(openWithout(logKey('n1.a', 3, 3))).rejects.toThrow(DamagedStoreError);
      });

      test.each([1, 2])('does not open, when the mark of commit %i of 3 is missing', async (commit) => {
        await replica.commit(commitOf({ node: node({}) }));
        await expect(openWithout(markKey(commit))).rejects.toThrow(DamagedStoreError);
      });

      test('does not open, when the mark of its last commit is missing', async () => {
        await expect(openWithout(markKey(2))).rejects.toThrow(DamagedStoreError);
      });

      test('does not open, when it has none of its marks', async () => {
        await expect(openWithout(markKey(1), markKey(2))).rejects.toThrow(DamagedStoreError);
      });

      test('does not open, when its node record is missing, instead of beginning anew', async () => {
        await expect(openWithout(NODE_KEY)).rejects.toThrow(DamagedStoreError);
      });
    });

    test('remembers hot containers exactly as they are on disk, whatever was committed', async () => {
      const anyContext = fc.constantFrom<VersionVector>(
        EMPTY_VECTOR,
        EMPTY_VECTOR,
        vector({ 'n2.b': 1 }),
        vector({ 'n2.b': 2, 'n3.c': 1 }),
      );
      const anyKey = fc.constantFrom('a', 'b', '__proto__');
      const anyContainer = fc
        .record({ counters: fc.uniqueArray(fc.integer({ min: 1, max: 4 }), { maxLength: 2 }), context: anyContext })
        .map(({ counters, context }) =>
          container(
            counters.sort().map((counter) => version('n1.a', counter)),
            context,
          ),
        );
      const anyStep = fc.record({
        containers: fc.array(fc.tuple(anyKey, anyContainer), { maxLength: 2 }),
        contexts: fc.array(fc.tuple(anyKey, anyContext), { maxLength: 2 }),
        isReopened: fc.integer({ max: 9, min: 0 }).map((draw) => draw === 0),
        isRead: fc.boolean(),
      });
      const model = new Map<string, Container>();
      await fc.assert(
        fc.asyncProperty(anyStep, async ({ containers, contexts, isReopened, isRead }) => {
          const changed = new Map(containers);
          const stripped = new Map(contexts.filter(([key]) => !changed.has(key)));
          await replica.commit({
            claims: undefined,
            members: undefined,
            containers: changed,
            contexts: stripped,
            log: [],
            node: FRESH,
          });
          for (const [key, context] of stripped) model.set(key, { versions: model.get(key)?.versions ?? [], context });
          for (const [key, holder] of changed) model.set(key, holder);
          if (isReopened) await reopen();
          const ahead = [...model].filter(([, { context }]) => context.size > 0).map(([key]) => key);
          expect([...(await replica.aheadContexts()).keys()]).toEqual(ahead.sort());
          for (const [key, expected] of isRead ? model : []) {
            expect(shownContainer(replica.container(key))).toEqual(shownContainer(expected));
            expect(shownContainer(replica.view.container(key))).toEqual(shownContainer(expected));
          }
        }),
        { numRuns: 200, endOnFailure: true },
      );
    });

    test('serves a container too large to be remembered, in place of the small one it remembered before', async () => {
      await replica.commit(commitOf({ containers: { a: holding(1) }, node: node({ 'n1.a': 1 }) }));
      const large = { ...version('n1.a', 2), value: new Uint8Array(33 * 1024 * 1024) };
      await replica.commit(
        commitOf({ containers: { a: container([large], EMPTY_VECTOR) }, node: node({ 'n1.a': 2 }) }),
      );
      expect(replica.container('a').versions.map(({ value }) => value.length)).toEqual([33 * 1024 * 1024]);
    });

    async function recordsOf(letter: string): Promise<string[]> {
      return (await contents(store)).map(([key]) => key).filter((key) => key.startsWith(letter));
    }
  });
}
