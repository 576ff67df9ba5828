// What does a replica know of a key, as its views tell it? The clock, and what is claimed of the key's range beyond that,
// of absent keys too. And which keys does a view have in a span? Those with live versions and those with a context alone.

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { NO_CLAIMS, type Claims, type KeySpan } from '../../src/clock/claims.js';
import { EMPTY_VECTOR } from '../../src/clock/version-vector.js';
import type { CommittedView, KeyedContainer } from '../../src/store/committed-view.js';
import { CLAIMS_KEY } from '../../src/store/keyspace.js';
import { CorruptRecordError } from '../../src/store/record-codec.js';
import { ReplicaStore } from '../../src/store/replica-store.js';
import type { Store } from '../../src/store/store.port.js';
import { container, shownContainer, shownVector, utf8, vector } from '../support/clock-arbitraries.js';
import { commitOf, holding, node } from '../support/replica-commits.js';
import { contents } from '../support/store-changes.js';
import type { StorePlace } from './replica-store.contract.js';

const FRESH = node({});
const ALL_KEYS: KeySpan = { after: undefined, through: undefined };

/** Of keys up to `m` more is known of `n2.b`, of those up to `t` nothing, of the rest more of `n3.c`. */
const CLAIMS: Claims = [
  { through: 'm', clock: vector({ 'n2.b': 5 }) },
  { through: 't', clock: EMPTY_VECTOR },
  { through: undefined, clock: vector({ 'n3.c': 7 }) },
];

/** `n1.a` and the first two dots of `n2.b` are known of all keys; none of them is in the log any more. */
const CLAIMING = { ...node({ 'n1.a': 9, 'n2.b': 2 }), floor: vector({ 'n1.a': 9, 'n2.b': 2 }) };

export function describeReplicaClaims(adapter: string, emptyPlace: () => Promise<StorePlace>): void {
  describe(`What is known of keys over ${adapter}`, () => {
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

    describe('Claims', () => {
      const knownOf = (...keys: string[]): string[] =>
        keys.map((key) => `${key}: ${shownVector(replica.view.knownOf(key)).join(' ')}`);

      test('say of each key in their range, absent ones too, what is known beyond the clock', async () => {
        await replica.commit(commitOf({ claims: CLAIMS, containers: { a: holding(1) }, node: CLAIMING }));
        expect(knownOf('a', 'absent', 'm', 'm\0', 't', 'u')).toEqual([
          'a: n1.a,9 n2.b,5',
          'absent: n1.a,9 n2.b,5',
          'm: n1.a,9 n2.b,5',
          'm\0: n1.a,9 n2.b,2',
          't: n1.a,9 n2.b,2',
          'u: n1.a,9 n2.b,2 n3.c,7',
        ]);
      });

      test('are there again after the store is closed and opened', async () => {
        await replica.commit(commitOf({ claims: CLAIMS, node: CLAIMING }));
        await reopen();
        expect(replica.view.claims).toEqual(CLAIMS);
        expect(knownOf('a')).toEqual(['a: n1.a,9 n2.b,5']);
      });

      test('stay as they are when a commit says nothing of them, and end when it says that there are none', async () => {
        await replica.commit(commitOf({ claims: CLAIMS, node: CLAIMING }));
        await replica.commit(commitOf({ containers: { a: holding(1) }, node: CLAIMING }));
        expect(replica.view.claims).toEqual(CLAIMS);
        await replica.commit(commitOf({ claims: NO_CLAIMS, node: CLAIMING }));
        expect(replica.view.claims).toEqual(NO_CLAIMS);
        expect((await contents(store)).map(([key]) => key)).not.toContain('c');
        await reopen();
        expect(replica.view.claims).toEqual(NO_CLAIMS);
      });

      test('belong to the moment of a view, as its clock does', async () => {
        await replica.commit(commitOf({ claims: CLAIMS, containers: { a: holding(1) }, node: CLAIMING }));
        const older = replica.view.retain();
        await replica.commit(commitOf({ claims: NO_CLAIMS, node: node({ 'n1.a': 9, 'n2.b': 5, 'n3.c': 7 }) }));
        expect(shownVector(older.knownOf('u'))).toContainEqual(['n3.c', 7]);
        expect(shownContainer(older.container('a')).context).toEqual([['n2.b', 5]]);
        expect(shownContainer(replica.view.container('a')).context).toEqual([]);
        older.release();
      });

      test('that are damaged keep the replica from starting', async () => {
        await replica.commit(commitOf({ claims: CLAIMS, node: CLAIMING }));
        await replica.close();
        store = await place.open();
        await store.commit([{ type: 'put', key: CLAIMS_KEY, value: utf8('damaged') }]);
        await expect(ReplicaStore.open(store, FRESH)).rejects.toThrow(CorruptRecordError);
        await store.close();
      });
    });

    describe('A container that goes out with the clock', () => {
      beforeEach(() =>
        replica.commit(
          commitOf({
            claims: CLAIMS,
            containers: { a: holding(1), b: holding(2, { 'n2.b': 8, 'n4.d': 1 }), p: holding(3), z: holding(4) },
            contexts: { deleted: { 'n4.d': 2 } },
            node: CLAIMING,
          }),
        ),
      );

      const sent = (key: string): [versions: string[], context: [string, number][]] => {
        const { versions, context } = shownContainer(replica.view.container(key));
        return [versions, context];
      };

      test('has what is claimed of its key in its context, beyond what the clock covers', () => {
        expect(sent('a')).toEqual([['n1.a:1 n1.a1'], [['n2.b', 5]]]);
        expect(sent('z')).toEqual([['n1.a:4 n1.a4'], [['n3.c', 7]]]);
      });

      test('has what its own context says besides', () => {
        const context = [
          ['n2.b', 8],
          ['n4.d', 1],
        ];
        expect(sent('b')).toEqual([['n1.a:2 n1.a2'], context]);
        expect(sent('deleted')).toEqual([
          [],
          [
            ['n2.b', 5],
            ['n4.d', 2],
          ],
        ]);
      });

      test('of an absent key has it too: what is claimed of it has no live version', () => {
        expect(sent('absent')).toEqual([[], [['n2.b', 5]]]);
        expect(sent('zz')).toEqual([[], [['n3.c', 7]]]);
      });

      test('has nothing more where nothing is claimed', () => {
        expect(sent('p')).toEqual([['n1.a:3 n1.a3'], []]);
        expect(sent('pp')).toEqual([[], []]);
      });

      test('is the same in a list of keys', async () => {
        const listed: unknown[] = [];
        for await (const { key, container } of replica.view.containers('', undefined)) {
          listed.push([key, shownContainer(container)]);
        }
        expect(listed).toEqual(['a', 'b', 'p', 'z'].map((key) => [key, shownContainer(replica.view.container(key))]));
      });

      test('is no other than what is stored, once it is read to be filled with what is known of its key', async () => {
        const stored: unknown[] = [];
        for (const { key, container } of await storedWithin(replica.view, ALL_KEYS)) {
          stored.push([key, shownContainer(container).context]);
          expect(shownContainer(replica.container(key))).toEqual(shownContainer(container));
          expect(shownContainer(replica.view.stored(key))).toEqual(shownContainer(container));
        }
        const unread: KeyedContainer[] = [];
        for await (const chunk of replica.view.unreadWithin(ALL_KEYS)) unread.push(...chunk);
        const shown = ({ key, container }: KeyedContainer): unknown => [key, shownContainer(container)];
        expect(unread.map(shown)).toEqual((await storedWithin(replica.view, ALL_KEYS)).map(shown));
        expect(stored).toEqual([
          ['a', []],
          [
            'b',
            [
              ['n2.b', 8],
              ['n4.d', 1],
            ],
          ],
          ['deleted', [['n4.d', 2]]],
          ['p', []],
          ['z', []],
        ]);
      });
    });

    describe('Everything that any key may know', () => {
      test('is the clock, when nothing is claimed and no key is ahead', async () => {
        await replica.commit(commitOf({ containers: { a: holding(1) }, node: CLAIMING }));
        expect(await replica.view.knownOfAny()).toEqual(CLAIMING.clock);
      });

      test('has the claims, and the contexts of keys ahead, deleted ones too', async () => {
        await replica.commit(
          commitOf({
            claims: CLAIMS,
            containers: { a: holding(1, { 'n4.d': 1 }) },
            contexts: { deleted: { 'n2.b': 6 } },
            node: CLAIMING,
          }),
        );
        await reopen();
        expect(shownVector(await replica.view.knownOfAny())).toEqual([
          ['n1.a', 9],
          ['n2.b', 6],
          ['n3.c', 7],
          ['n4.d', 1],
        ]);
      });
    });

    describe('The keys of a span', () => {
      /** By key, whether it has live versions, a context, or both. Their order by UTF-16 units is another one. */
      const TOLD = new Map([
        ['\0', 'context'],
        ['a', 'both'],
        ['a\0', 'live'],
        ['b', 'context'],
        ['b\u{1f600}', 'live'],
        ['c', 'live'],
        ['\ue000', 'both'],
        ['\uffff', 'context'],
        ['\u{10000}', 'live'],
        ['\u{1f600}', 'context'],
        ['\u{1f600}a', 'both'],
      ]);

      async function commitTold(): Promise<void> {
        const told = [...TOLD].reverse();
        const live = told.filter(([, what]) => what !== 'context');
        const context = { 'n9.z': 1 };
        await replica.commit(
          commitOf({
            containers: Object.fromEntries(
              live.map(([key, what], place) => [key, holding(place + 1, what === 'both' ? context : {})]),
            ),
            contexts: Object.fromEntries(told.filter(([, what]) => what === 'context').map(([key]) => [key, context])),
            node: node({ 'n1.a': live.length }),
          }),
        );
      }

      const anyEnd = fc.option(fc.constantFrom(...TOLD.keys(), 'A', 'bb', '\u{10ffff}'), { nil: undefined });
      const anySpan: fc.Arbitrary<KeySpan> = fc.record({ after: anyEnd, through: anyEnd });

      test('are yielded in the order of their bytes, each once, also those with a context alone', async () => {
        await commitTold();
        const yielded = await storedKeys(replica.view, ALL_KEYS);
        expect(yielded).toEqual([...TOLD.keys()]);
      });

      test('are those that follow its beginning up to and with its end, whatever these are', async () => {
        await commitTold();
        await fc.assert(
          fc.asyncProperty(anySpan, async (span) => {
            const expected = [...TOLD.keys()].filter((key) => isInside(span, key));
            expect(await storedKeys(replica.view, span)).toEqual(expected);
          }),
        );
      });

      test('are yielded also when there are more than one trip to the store brings', async () => {
        const named = (place: number): string => `key-${String(place).padStart(4, '0')}`;
        const containers = Object.fromEntries(
          Array.from({ length: 1500 }, (_, place) => [named(place * 2), holding(1)]),
        );
        const contexts = Object.fromEntries(
          Array.from({ length: 1500 }, (_, place) => [named(place * 2 + 1), { 'n9.z': 1 }]),
        );
        await replica.commit(commitOf({ containers, contexts, node: node({ 'n1.a': 1 }) }));
        expect(await storedKeys(replica.view, ALL_KEYS)).toEqual(
          Array.from({ length: 3000 }, (_, place) => named(place)),
        );
      });

      test('are no longer those of keys that are deleted and stripped', async () => {
        await commitTold();
        await replica.commit(
          commitOf({
            containers: { a: container([], EMPTY_VECTOR), c: container([], EMPTY_VECTOR) },
            contexts: { b: {} },
            node: node({ 'n1.a': 9 }),
          }),
        );
        const left = [...TOLD.keys()].filter((key) => !['a', 'b', 'c'].includes(key));
        expect(await storedKeys(replica.view, ALL_KEYS)).toEqual(left);
      });

      test('may be left early, and the view serves on', async () => {
        await commitTold();
        for (let round = 0; round < 20; round++) {
          for await (const [first] of replica.view.storedWithin(ALL_KEYS)) {
            expect(first!.key).toBe('\0');
            break;
          }
        }
        expect(await storedKeys(replica.view, ALL_KEYS)).toHaveLength(TOLD.size);
      });
    });
  });
}

async function storedKeys(view: CommittedView, span: KeySpan): Promise<string[]> {
  return (await storedWithin(view, span)).map(({ key }) => key);
}

async function storedWithin(view: CommittedView, span: KeySpan): Promise<KeyedContainer[]> {
  const stored: KeyedContainer[] = [];
  for await (const chunk of view.storedWithin(span)) stored.push(...chunk);
  return stored;
}

function isInside({ after, through }: KeySpan, key: string): boolean {
  return (
    (after === undefined || compareBytes(key, after) > 0) && (through === undefined || compareBytes(key, through) <= 0)
  );
}

function compareBytes(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}
