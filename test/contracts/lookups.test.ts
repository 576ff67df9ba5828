// Is every key found that is in the database, and none that is not, whatever the keys look like? LevelDB asks filters of tables and of
// its memory first, and looks in the index of a table by a few bytes of the key (docs/adr/0035): which bytes tell keys apart is for
// it to find out.

import { execFile } from 'node:child_process';
import { readdir, readlink, truncate } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { StoreReadError } from '../../src/store/errors.js';
import { ClassicLevel } from '../../src/store/level/engine.js';
import { LevelStore } from '../../src/store/level/level-store.js';
import type { StoreChange, StoreSnapshot } from '../../src/store/store.port.js';
import { Prng } from '../simulation/prng.js';
import { damageWholeFilter, emptyFilters, filtersOf, mergedBlocks, type Filters } from '../support/bad-block.js';
import { bytes, put, shown } from '../support/store-changes.js';
import { temporaryFolder, type TemporaryFolder } from '../support/temporary-folder.js';
import { until } from '../support/until.js';

const KEYS = 4000;
const KEYS_OF_TABLE = 100;
/** A block of a table has six of them. */
const VALUE_BYTES = 300;

const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);

let folder: TemporaryFolder;
beforeAll(() => console.log(`test/contracts/lookups: SEED=${seed}`));
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

/** Each gives the key of a number. */
const SHAPES: Record<string, (i: number, prng: Prng) => string> = {
  'numbers after what all begin with': (i) => `a-folder/of-many/records-${String(i).padStart(10, '0')}`,
  'bytes at random': (_, prng) => `k${text(prng, prng.between(0, 12), 256)}`,
  'few letters, and the lowest and highest': (_, prng) => `k${text(prng, prng.between(0, 9), 3)}`,
  'each the beginning of the next': (i) => `x${'\u00ff\0'.repeat(i % 200)}${'y'.repeat(Math.floor(i / 200))}`,
  'many bytes alike before they differ': (i) => `a${i % 7}-${'the same for long, '.repeat(3)}${i}`,
  'one kind of record after the other': (i, prng) => `${'klmn'[Math.floor(i / 1000)]}${text(prng, i % 14, 10)}${i}`,
  'mostly one kind, and one key far behind': (i) => (i === 0 ? '\u00ff'.repeat(20) : `kind/${String(i * 7919)}`),
};

test.each(Object.entries(SHAPES))('finds what is there, and nothing else: %s', async (_title, shape) => {
  const prng = new Prng(seed);
  const store = await LevelStore.open(folder.path, { fsync: false });
  const values = new Map<string, number>();
  const keys = Array.from({ length: KEYS }, (_, i) => shape(i, prng));
  let writes = 0;
  const commit = (some: readonly string[], deleted = 0): Promise<void> =>
    store.commit(
      some.map((key): StoreChange => {
        if (prng.chance(deleted)) {
          values.delete(key);
          return { type: 'del', key: bytes(key) };
        }
        values.set(key, ++writes);
        return { type: 'put', key: bytes(key), value: valueOf(writes, prng) };
      }),
    );
  const check = (): void => {
    const snapshot = store.snapshot();
    const asked = new Set(
      keys.flatMap((key) => [key, `${key}\0`, `${key}\u00ff`, key.slice(0, -1), `${key.slice(0, -1)}~`]),
    );
    asked.delete('');
    const wrong = [...asked].filter((key) => numberAt(snapshot, key) !== values.get(key));
    expect(wrong).toEqual([]);
    snapshot.close();
  };

  await commit(keys);
  check();
  // In a table; then some of it is replaced by what is in another, and some by what is in memory.
  await store.sync();
  check();
  await commit(
    keys.filter(() => prng.chance(0.5)),
    0.3,
  );
  await store.sync();
  check();
  await commit(
    keys.filter(() => prng.chance(0.3)),
    0.3,
  );
  check();
  await store.close();
});

test.each(Object.entries(SHAPES))('finds it in the one of many tables that has it: %s', async (_title, shape) => {
  const prng = new Prng(seed);
  const keys = [...new Set(Array.from({ length: KEYS }, (_, i) => shape(i, prng)))];
  keys.sort((a, b) => Buffer.compare(bytes(a), bytes(b)));
  await writeSideBySide(
    Array.from({ length: Math.ceil(keys.length / KEYS_OF_TABLE) }, (_, table) =>
      keys
        .slice(table * KEYS_OF_TABLE, (table + 1) * KEYS_OF_TABLE)
        .map((key, i) => ({ type: 'put', key: bytes(key), value: valueOf(table * KEYS_OF_TABLE + i, prng) })),
    ),
  );
  const store = await LevelStore.open(folder.path, { fsync: false });
  const snapshot = store.snapshot();
  const places = new Map(keys.map((key, i) => [key, i]));
  const asked = keys.flatMap((key) => [key, `${key}\0`, `${key}~`]);
  expect(asked.filter((key) => numberAt(snapshot, key) !== places.get(key))).toEqual([]);
  snapshot.close();
  await store.close();
});

test('a table that can not be read says nothing of keys before and after its own', async () => {
  await writeSideBySide([
    [put('b', '1'), put('d', '2')],
    [put('m', '3'), put('p', '4')],
    [put('x', '5'), put('z', '6')],
  ]);
  const [, middle] = (await readdir(folder.path)).filter((file) => file.endsWith('.ldb')).sort();
  await truncate(join(folder.path, middle!));
  const store = await LevelStore.open(folder.path, { fsync: false });
  const snapshot = store.snapshot();
  for (const key of ['m', 'n', 'p']) expect(() => snapshot.get(bytes(key))).toThrow(StoreReadError);
  expect(['a', 'b', 'd', 'e', 'l', 'q', 'x', 'z'].map((key) => shown(snapshot.get(bytes(key))))).toEqual([
    undefined,
    '1',
    '2',
    undefined,
    undefined,
    undefined,
    '5',
    '6',
  ]);
  snapshot.close();
  await store.close();
});

test('lets go of a table that it has read, when it is merged', async () => {
  const store = await LevelStore.open(folder.path, { fsync: false, mergePhase: 'none' });
  const openTables = async (): Promise<readonly string[]> => {
    const all = (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ''));
    return (await Promise.all(all)).filter((path) => path.startsWith(folder.path) && path.includes('.ldb'));
  };
  const seen = new Set<string>();
  // The first two lie deeper. Each has the same keys, so that of four that wait all are merged.
  for (let table = 0; table < 6; table++) {
    await store.commit([put('a', `${table}`), put('z', `${table}`)]);
    await store.sync();
    const snapshot = store.snapshot();
    expect(shown(snapshot.get(bytes('z')))).toBe(`${table}`);
    snapshot.close();
    for (const path of await openTables()) seen.add(path);
  }
  expect(seen.size).toBeGreaterThan(4);
  await until('merged tables are closed', async () => {
    const left = await openTables();
    return left.length < 3 && left.every((path) => !path.endsWith('(deleted)'));
  });
  await store.close();
});

describe('finds what is there', () => {
  const keys = Array.from({ length: KEYS }, (_, i) => `key-${i}`);
  /** Of a table whose keys each filter has: ten bits for a key. */
  const FILTER_BYTES = (10 * KEYS) / 8;

  async function write(keys: readonly string[], valueBytes = VALUE_BYTES): Promise<void> {
    const prng = new Prng(seed);
    // All is in the log, or one of the tables that are looked at would be packed.
    const store = await LevelStore.open(folder.path, { fsync: false, mergePhase: 'none' });
    const valueAt = (i: number): Uint8Array => valueOf(i, prng).subarray(0, valueBytes);
    await store.commit(keys.map((key, i) => ({ type: 'put', key: bytes(key), value: valueAt(i) })));
    await store.close();
  }

  async function database(keys: readonly string[], valueBytes?: number): Promise<readonly Filters[]> {
    await write(keys, valueBytes);
    return filtersOf(await mergedBlocks(folder.path));
  }

  /** @returns the number of each key, in their order; it leaves all of them in tables of its own */
  async function foundByItsOwnEngine(): Promise<unknown> {
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', WITH_ITS_OWN_ENGINE, folder.path], {
      cwd: resolve(import.meta.dirname, '../..'),
      env: { ...process.env, CLASSIC_LEVEL_PREBUILD: '' },
    });
    return JSON.parse(stdout);
  }

  async function expectAll(keys: readonly string[]): Promise<void> {
    const store = await LevelStore.open(folder.path, { fsync: false });
    const snapshot = store.snapshot();
    expect(keys.filter((key, i) => numberAt(snapshot, key) !== i)).toEqual([]);
    snapshot.close();
    await store.close();
  }

  test('when the filters of tables are damaged', async () => {
    const filters = await database(keys);
    // The filter of them all, and those of blocks.
    expect(bytesOf(filters)).toBeGreaterThan(2 * FILTER_BYTES);
    for (const each of filters) await emptyFilters(each);
    await expectAll(keys);
  });

  test('when the filter of all keys is damaged, and those of blocks are not', async () => {
    for (const each of await database(keys)) await damageWholeFilter(each);
    await expectAll(keys);
  });

  test("in the tables of classic-level's own engine, which finds what is in ours", async () => {
    await database(keys);
    expect(await foundByItsOwnEngine()).toEqual(keys.map((_, i) => i));
    await expectAll(keys);
  });

  test('in its tables, when it has read our log: what its checksums do not match, it leaves out', async () => {
    await write(keys);
    expect(await foundByItsOwnEngine()).toEqual(keys.map((_, i) => i));
    await expectAll(keys);
  });

  test('in a table that has no filter of all keys, since they are too much to be kept while it is made', async () => {
    const long = keys.map((key) => `${'the same for long, '.repeat(120)}${key}`);
    const filters = await database(long, 4);
    expect(filters).toHaveLength(1);
    expect(bytesOf(filters)).toBeLessThan(2 * FILTER_BYTES);
    await expectAll(long);
  });
});

/** In tables of one level, each with the keys after those of the one before: none has to be merged with others. */
async function writeSideBySide(tables: readonly (readonly StoreChange[])[]): Promise<void> {
  const level = new ClassicLevel<Uint8Array, Uint8Array>(folder.path, { keyEncoding: 'view', valueEncoding: 'view' });
  await level.open();
  for (const changes of tables) {
    await level.batch([...changes]);
    await level.compactRange(Buffer.of(0xff), Buffer.of(0xff));
  }
  expect(level.getProperty('leveldb.num-files-at-level2')).toBe(String(tables.length));
  await level.close();
}

function bytesOf(filters: readonly Filters[]): number {
  return filters.reduce((sum, { from, to }) => sum + to - from, 0);
}

/** Reads all keys, one at a time, and writes all of them anew, into tables. */
const WITH_ITS_OWN_ENGINE = `
  const { ClassicLevel } = require('classic-level');
  const level = new ClassicLevel(process.argv[1], { valueEncoding: 'view', compression: false });
  const bytes = (value) => value && Buffer.from(value.buffer, value.byteOffset, value.length);
  const keys = Array.from({ length: ${KEYS} }, (_, i) => 'key-' + i);
  (async () => {
    await level.open();
    const values = keys.map((key) => bytes(level.getSync(key)));
    await level.batch(keys.map((key, i) => ({ type: 'put', key, value: values[i] })));
    await level.compactRange('a', 'z');
    await level.close();
    console.log(JSON.stringify(values.map((value) => value && value.readUInt32LE())));
  })();
`;

function text(prng: Prng, length: number, letters: number): string {
  // The highest and the lowest bytes, and what is between them.
  return Array.from({ length }, () => String.fromCharCode((255 + prng.between(0, letters - 1)) % 256)).join('');
}

/** There are blocks that shrink, and blocks that don't. */
function valueOf(write: number, prng: Prng): Uint8Array {
  const value = Buffer.alloc(VALUE_BYTES, String(write));
  if (write % 2000 < 1000) for (let at = 0; at < VALUE_BYTES; at++) value[at] = prng.int(256);
  value.writeUInt32LE(write);
  return value;
}

function numberAt(snapshot: StoreSnapshot, key: string): number | undefined {
  const value = snapshot.get(bytes(key));
  return value && Buffer.from(value).readUInt32LE();
}
