// What does a replica rely on in any store, whatever it is made of? An adapter passes when this whole suite does; its
// own test adds only what it promises beyond.

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Store, StoreChange } from '../../src/store/store.port.js';
import { bytes, contents, del, put, range, read, scanned, shown, WHOLE_STORE } from '../support/store-changes.js';

export interface OpenedStore {
  readonly store: Store;
  /** Closes the store and removes what it has left. */
  dispose(): Promise<void>;
}

const MEBIBYTE = 1024 * 1024;

export function describeStore(adapter: string, openEmpty: () => Promise<OpenedStore>): void {
  describe(`${adapter}, as every store`, () => {
    let opened: OpenedStore;
    let store: Store;

    beforeEach(async () => {
      opened = await openEmpty();
      store = opened.store;
    });

    afterEach(() => opened.dispose());

    describe('A commit', () => {
      test('is there for whoever looks once it is resolved', async () => {
        await store.commit([put('a', '1'), put('b', '2')]);
        expect(await contents(store)).toEqual([
          ['a', '1'],
          ['b', '2'],
        ]);
      });

      test('shows all of its changes or none of them, to snapshots taken while it is under way too', async () => {
        const keys = Array.from({ length: 50 }, (_, place) => `key-${place}`);
        for (let round = 1; round <= 20; round++) {
          const committed = store.commit(keys.map((key) => put(key, String(round))));
          const snapshot = store.snapshot();
          await committed;
          const seen = new Set(keys.map((key) => shown(snapshot.get(bytes(key)))));
          snapshot.close();
          expect(seen.size).toBe(1);
          expect(read(store, 'key-7')).toBe(String(round));
        }
      });

      test('applies its changes in order: the last one of a key wins', async () => {
        await store.commit([put('a', '1'), put('a', '2'), put('b', '1'), del('b'), del('c'), put('c', '3')]);
        expect(await contents(store)).toEqual([
          ['a', '2'],
          ['c', '3'],
        ]);
      });

      test('replaces what earlier commits have left', async () => {
        await store.commit([put('a', '1'), put('b', '1'), put('c', '1')]);
        await store.commit([put('a', 'longer than before'), del('b')]);
        expect(await contents(store)).toEqual([
          ['a', 'longer than before'],
          ['c', '1'],
        ]);
      });

      test('may delete a key that is not there', async () => {
        await store.commit([del('never written'), put('a', '1')]);
        expect(await contents(store)).toEqual([['a', '1']]);
      });

      test('may hold nothing', async () => {
        await store.commit([]);
        expect(await contents(store)).toEqual([]);
      });

      test('lands after the commits that were asked for before it, though nobody waited for them', async () => {
        const commits = Array.from({ length: 30 }, (_, place) => store.commit([put('a', String(place))]));
        await Promise.all(commits);
        expect(read(store, 'a')).toBe('29');
      });
    });

    describe('A key or value', () => {
      test('that is not there is undefined, and an empty value is not that', async () => {
        await store.commit([put('empty', '')]);
        expect(read(store, 'absent')).toBeUndefined();
        expect(read(store, 'empt')).toBeUndefined();
        expect(read(store, 'empty\x00')).toBeUndefined();
        expect(read(store, 'empty')).toBe('');
        expect(await contents(store)).toEqual([['empty', '']]);
      });

      test('may hold any byte, 0x00 and 0xff too', async () => {
        const keys = ['\x00', '\x00\x00', '\x00\xff', 'a', 'a\x00', 'a\x00b', 'a\xff', '\xff', '\xff\x00', '\xff\xff'];
        await store.commit(keys.map((key) => put(key, `value of ${key}\x00\xff`)));
        for (const key of keys) expect(read(store, key)).toBe(`value of ${key}\x00\xff`);
        expect((await contents(store)).map(([key]) => key)).toEqual(keys);
      });

      test('of a mebibyte comes back byte for byte, by key and by scan', async () => {
        const large = Uint8Array.from({ length: MEBIBYTE }, (_, place) => place % 251);
        await store.commit([{ type: 'put', key: bytes('large'), value: large.slice() }, put('small', '1')]);
        const snapshot = store.snapshot();
        const values: Uint8Array[] = [snapshot.get(bytes('large'))!];
        for await (const chunk of snapshot.scan(WHOLE_STORE, 1)) values.push(chunk[0]![1]);
        snapshot.close();
        expect(values.map((value) => value.length)).toEqual([MEBIBYTE, MEBIBYTE, 1]);
        expect(Buffer.compare(values[0]!, large)).toBe(0);
        expect(Buffer.compare(values[1]!, large)).toBe(0);
      });

      test('stays with its reader as it was read, of whatever length, whatever is read after it', async () => {
        const some = Array.from({ length: 300 }, (_, place) => [0, 1, place, 100, 8191, 8192, 8193][place % 7]!);
        const lengths = [...Array<number>(8).fill(8192), 0, ...some];
        const values = lengths.map((length, place) => new Uint8Array(length).fill(place));
        await store.commit(values.map((value, place) => ({ type: 'put', key: bytes(`key-${place}`), value })));
        const snapshot = store.snapshot();
        const readValues = values.map((_, place) => snapshot.get(bytes(`key-${place}`))!);
        snapshot.close();
        readValues.forEach((value, place) => expect(Buffer.compare(value, values[place]!)).toBe(0));
      });

      test('may be given away by its reader, bytes and all', async () => {
        await store.commit([put('a', '123'), put('b', '456')]);
        const snapshot = store.snapshot();
        const given = snapshot.get(bytes('a'))!;
        structuredClone(given, { transfer: [given.buffer as ArrayBuffer] });
        expect(shown(snapshot.get(bytes('b')))).toBe('456');
        expect(shown(snapshot.get(bytes('a')))).toBe('123');
        snapshot.close();
      });

      test('does not change when its reader writes into the bytes it was given', async () => {
        await store.commit([put('a', '123'), put('b', '456'), put('c', '789')]);
        const snapshot = store.snapshot();
        const [a, b, c] = ['a', 'b', 'c'].map((key) => snapshot.get(bytes(key))!);
        b!.fill(0);
        for await (const chunk of snapshot.scan(WHOLE_STORE, 10)) for (const [, value] of chunk) value.fill(0);
        expect([shown(a), shown(c)]).toEqual(['123', '789']);
        expect(shown(snapshot.get(bytes('b')))).toBe('456');
        snapshot.close();
        expect(read(store, 'b')).toBe('456');
      });
    });

    describe('A snapshot', () => {
      test('does not see later commits, however many, by key or by scan', async () => {
        await store.commit([put('a', '1'), put('b', '1')]);
        const snapshot = store.snapshot();
        await store.commit([put('a', '2'), del('b'), put('c', '2')]);
        for (let round = 0; round < 20; round++) await store.commit([put('a', `3-${round}`)]);
        expect(shown(snapshot.get(bytes('a')))).toBe('1');
        expect(shown(snapshot.get(bytes('b')))).toBe('1');
        expect(snapshot.get(bytes('c'))).toBeUndefined();
        expect(await scanned(snapshot)).toEqual([
          ['a', '1'],
          ['b', '1'],
        ]);
        snapshot.close();
        expect(await contents(store)).toEqual([
          ['a', '3-19'],
          ['c', '2'],
        ]);
      });

      test('stands beside other ones, each with its own past, closed in any order', async () => {
        const snapshots = [];
        for (let round = 0; round < 5; round++) {
          await store.commit([put('a', String(round))]);
          snapshots.push(store.snapshot());
        }
        snapshots[2]!.close();
        for (const round of [4, 0, 3, 1]) {
          expect(shown(snapshots[round]!.get(bytes('a')))).toBe(String(round));
          snapshots[round]!.close();
        }
      });

      test('keeps values that were read from it as they were, after it is closed and its keys are rewritten', async () => {
        await store.commit([put('a', 'first')]);
        const snapshot = store.snapshot();
        const value = snapshot.get(bytes('a'));
        snapshot.close();
        for (let round = 0; round < 20; round++) await store.commit([put('a', `later ${round}`)]);
        expect(shown(value)).toBe('first');
      });

      test('lets a scan under way run to its end when it is closed meanwhile', async () => {
        const keys = Array.from({ length: 10 }, (_, place) => `key-${place}`);
        await store.commit(keys.map((key) => put(key, 'old')));
        const snapshot = store.snapshot();
        const seen: string[] = [];
        for await (const chunk of snapshot.scan(WHOLE_STORE, 3)) {
          snapshot.close();
          await store.commit(keys.map((key) => put(key, 'new')));
          for (const [key, value] of chunk) seen.push(`${shown(key)}=${shown(value)}`);
          expect(shown(snapshot.get(bytes('key-0')))).toBe('old');
        }
        expect(seen).toEqual(keys.map((key) => `${key}=old`));
      });

      test('that is closed refuses to be read', async () => {
        await store.commit([put('a', '1')]);
        const snapshot = store.snapshot();
        snapshot.close();
        expect(() => snapshot.get(bytes('a'))).toThrow(/closed|not open|close\(\)/);
        await expect(scanned(snapshot)).rejects.toThrow(/closed|not open|close\(\)/);
      });
    });

    describe('A scan', () => {
      test('yields keys in the order of unsigned bytes, a prefix before what it begins', async () => {
        const keys = [
          '',
          '\x00',
          '\x01',
          ' ',
          '0',
          '10',
          '2',
          'A',
          'a',
          'a\x00',
          'aa',
          'b',
          '\x7f',
          '\x80',
          '\xc3',
          '\xff',
        ];
        await store.commit([...keys].reverse().map((key) => put(key, '')));
        expect((await contents(store)).map(([key]) => key)).toEqual(keys);
      });

      test('begins with its lower bound and ends before its upper one', async () => {
        await store.commit(['a', 'b', 'b\x00', 'c', 'd'].map((key) => put(key, '')));
        const snapshot = store.snapshot();
        const keysOf = async (gte: string, lt: string): Promise<string[]> =>
          (await scanned(snapshot, range(gte, lt))).map(([key]) => key);
        expect(await keysOf('b', 'd')).toEqual(['b', 'b\x00', 'c']);
        expect(await keysOf('b\x00', 'c')).toEqual(['b\x00']);
        expect(await keysOf('bb', 'bc')).toEqual([]);
        expect(await keysOf('b', 'b')).toEqual([]);
        expect(await keysOf('d', 'b')).toEqual([]);
        expect(await keysOf('e', 'z')).toEqual([]);
        snapshot.close();
      });

      test('comes in chunks of at most the size asked for, with no entry lost or repeated', async () => {
        const keys = Array.from({ length: 23 }, (_, place) => `key-${String(place).padStart(2, '0')}`);
        await store.commit(keys.map((key) => put(key, 'x'.repeat(1000))));
        for (const chunkMax of [1, 5, 22, 23, 1000]) {
          const snapshot = store.snapshot();
          const chunks: string[][] = [];
          for await (const chunk of snapshot.scan(WHOLE_STORE, chunkMax))
            chunks.push(chunk.map(([key]) => shown(key)!));
          snapshot.close();
          expect(chunks.flat()).toEqual(keys);
          expect(Math.max(...chunks.map((chunk) => chunk.length))).toBeLessThanOrEqual(chunkMax);
          expect(Math.min(...chunks.map((chunk) => chunk.length))).toBeGreaterThan(0);
        }
      });

      test('may be left early, and the snapshot serves on', async () => {
        await store.commit(['a', 'b', 'c', 'd'].map((key) => put(key, key)));
        const snapshot = store.snapshot();
        for (let round = 0; round < 50; round++) {
          for await (const chunk of snapshot.scan(WHOLE_STORE, 2)) {
            expect(chunk.map(([key]) => shown(key))).toEqual(['a', 'b']);
            break;
          }
        }
        expect(await scanned(snapshot)).toHaveLength(4);
        snapshot.close();
      });

      test('goes its own way beside other scans of the same snapshot', async () => {
        await store.commit(['a', 'b', 'c', 'd'].map((key) => put(key, key)));
        const snapshot = store.snapshot();
        const all = await Promise.all([scanned(snapshot, WHOLE_STORE, 1), scanned(snapshot, range('b', 'd'), 1)]);
        snapshot.close();
        expect(all.map((entries) => entries.map(([key]) => key).join(''))).toEqual(['abcd', 'bc']);
      });
    });

    describe('Clearing a range', () => {
      const KEYS = ['', 'a', 'b', 'b\x00', 'b\xff', 'c', 'd', '\xff'];
      const keysOf = async (): Promise<string[]> => (await contents(store)).map(([key]) => key);

      test.each<[what: string, gte: string, lt: string, left: string[]]>([
        ['from its first key, and not its last', 'b', 'd', ['', 'a', 'd', '\xff']],
        ['that begins and ends between keys', 'aa', 'bb', ['', 'a', 'b\xff', 'c', 'd', '\xff']],
        ['of one key', 'b', 'b\x00', ['', 'a', 'b\x00', 'b\xff', 'c', 'd', '\xff']],
        ['from the very first key', '', 'b', ['b', 'b\x00', 'b\xff', 'c', 'd', '\xff']],
        ['to the very last key', 'c', '\xff\xff', ['', 'a', 'b', 'b\x00', 'b\xff']],
        ['without keys', 'ca', 'cz', KEYS],
        ['that is empty', 'b', 'b', KEYS],
        ['that ends before it begins', 'd', 'b', KEYS],
      ])('%s removes exactly what lies in it', async (_what, gte, lt, left) => {
        await store.commit(KEYS.map((key) => put(key, `value of ${key}`)));
        await store.clear(range(gte, lt));
        expect(await contents(store)).toEqual(left.map((key) => [key, `value of ${key}`]));
      });

      test('removes all of more keys than one trip to the store brings', async () => {
        const keys = Array.from({ length: 5000 }, (_, place) => `key-${String(place).padStart(4, '0')}`);
        await store.commit(keys.map((key) => put(key, 'x'.repeat(50))));
        await store.clear(range('key-0001', 'key-4999'));
        expect(await keysOf()).toEqual(['key-0000', 'key-4999']);
      });

      test('of an empty store, or for the second time, changes nothing', async () => {
        await store.clear(WHOLE_STORE);
        await store.commit(['a', 'b', 'c'].map((key) => put(key, '')));
        for (let round = 0; round < 3; round++) await store.clear(range('b', 'c'));
        expect(await keysOf()).toEqual(['a', 'c']);
      });

      test('is not seen by snapshots taken before, by key or by scan', async () => {
        await store.commit([put('a', '1'), put('b', '1')]);
        const snapshot = store.snapshot();
        await store.clear(WHOLE_STORE);
        expect(shown(snapshot.get(bytes('a')))).toBe('1');
        expect(await scanned(snapshot)).toHaveLength(2);
        snapshot.close();
        expect(await keysOf()).toEqual([]);
      });

      test('does not keep a key from being written again', async () => {
        await store.commit([put('a', 'before')]);
        await store.clear(WHOLE_STORE);
        await store.commit([put('a', 'after')]);
        expect(await contents(store)).toEqual([['a', 'after']]);
      });

      test('loses nothing of the commits to other keys that go on meanwhile, and leaves nothing of its own', async () => {
        const old = Array.from({ length: 3000 }, (_, place) => `m-${String(place).padStart(4, '0')}`);
        await store.commit(old.map((key) => put(key, 'x'.repeat(50))));
        const work = [store.clear(range('m', 'n'))];
        for (let round = 0; round < 50; round++)
          work.push(store.commit([put(`l-${round}`, '1'), put(`n-${round}`, '1')]));
        const snapshot = store.snapshot();
        await Promise.all(work);
        snapshot.close();
        const keys = await keysOf();
        expect(keys).toHaveLength(100);
        expect(keys.filter((key) => key.startsWith('m'))).toEqual([]);
      });
    });

    test('holds what a plain table of the same commits holds, whatever they are', async () => {
      const anyKey = fc
        .array(fc.constantFrom(0x00, 0x61, 0x80, 0xff), { maxLength: 3 })
        .map((key) => Uint8Array.from(key));
      const anyChange: fc.Arbitrary<StoreChange> = fc.oneof(
        fc.record({ type: fc.constant('put'), key: anyKey, value: fc.uint8Array({ maxLength: 4 }) }),
        fc.record({ type: fc.constant('del'), key: anyKey }),
      );
      const table = new Map<string, string>();
      await fc.assert(
        fc.asyncProperty(fc.array(anyChange, { maxLength: 12 }), anyKey, anyKey, async (changes, gte, lt) => {
          for (const change of changes) {
            const key = hex(change.key);
            if (change.type === 'put') table.set(key, hex(change.value));
            else table.delete(key);
          }
          await store.commit(changes);
          const expected = [...table].filter(([key]) => key >= hex(gte) && key < hex(lt)).sort();
          const snapshot = store.snapshot();
          const found: string[][] = [];
          for await (const chunk of snapshot.scan({ gte, lt }, 3)) {
            for (const [key, value] of chunk) found.push([hex(key), hex(value)]);
          }
          const byKey = snapshot.get(gte);
          snapshot.close();
          expect(found).toEqual(expected);
          expect(byKey && hex(byKey)).toBe(table.get(hex(gte)));
        }),
        // The store is not emptied between runs, so a failure is not made smaller: the seed and the run stand for it.
        { numRuns: 150, endOnFailure: true },
      );
    });

    describe('Closing', () => {
      test('waits for the commits under way', async () => {
        const committed = store.commit([put('a', '1')]);
        await store.close();
        await expect(committed).resolves.toBeUndefined();
      });

      test('never lets a scan under way look complete when it is not', async () => {
        const keys = Array.from({ length: 10 }, (_, place) => `key-${place}`);
        await store.commit(keys.map((key) => put(key, '')));
        const seen: string[] = [];
        const scan = (async () => {
          for await (const chunk of store.snapshot().scan(WHOLE_STORE, 2)) {
            seen.push(...chunk.map(([key]) => shown(key)!));
            await store.close();
          }
          return 'complete';
        })();
        const outcome = await scan.catch(() => 'failed');
        expect(outcome === 'failed' || seen.length === keys.length).toBe(true);
        expect(seen).toEqual(keys.slice(0, seen.length));
      });

      test('may be asked for twice', async () => {
        await store.close();
        await expect(store.close()).resolves.toBeUndefined();
      });
    });
  });
}

/** The order of these texts is the order of the bytes. */
function hex(data: Uint8Array): string {
  return Buffer.from(data).toString('hex');
}
