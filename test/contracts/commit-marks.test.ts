// Which marks of commits does a replica keep? Those of all commits that LevelDB's log may still hold, for there a commit can
// get lost; older ones it removes, or they would pile up for ever. A database that was written before there were marks
// is in order without them.

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { crc32 } from 'node:zlib';
import { EMPTY_VECTOR } from '../../src/clock/version-vector.js';
import {
  ALL_MARKS,
  commitOf as commitOfMark,
  contextKey,
  logKey,
  markKey,
  NODE_KEY,
  versionsKey,
} from '../../src/store/keyspace.js';
import { LevelStore, WRITE_BUFFER_BYTES } from '../../src/store/level/level-store.js';
import { DamagedStoreError } from '../../src/store/lost-commits.js';
import { blankNode, encodeContext, encodeLogged, encodeVersions } from '../../src/store/record-codec.js';
import { ReplicaStore } from '../../src/store/replica-store.js';
import type { StoreChange } from '../../src/store/store.port.js';
import { container, shownContainer, textsOf, vector, version } from '../support/clock-arbitraries.js';
import { commitOf, holding, logged, node } from '../support/replica-commits.js';
import { bytes, scanned } from '../support/store-changes.js';
import { temporaryFolder, type TemporaryFolder } from '../support/temporary-folder.js';
import { until } from '../support/until.js';

const MEBIBYTE = 1024 * 1024;

let folder: TemporaryFolder;
let store: LevelStore;
let replica: ReplicaStore;

async function open(): Promise<void> {
  store = await LevelStore.open(folder.path, { fsync: false });
  replica = await ReplicaStore.open(store, node({}));
}

async function reopen(): Promise<void> {
  await replica.close();
  await open();
}

async function marks(): Promise<number[]> {
  const snapshot = store.snapshot();
  const keys = (await scanned(snapshot, ALL_MARKS)).map(([key]) => key);
  snapshot.close();
  return keys.map((key) => commitOfMark(bytes(key)));
}

/** Commits that write `valueBytes` each, of as many further dots; the log is trimmed at once. */
async function commitMany(count: number, valueBytes: number): Promise<void> {
  for (let left = count; left > 0; left--) {
    const counter = (replica.view.clock.get('n1.a') ?? 0) + 1;
    const large = { ...version('n1.a', counter), value: new Uint8Array(valueBytes) };
    const clock = vector({ 'n1.a': counter });
    await replica.commit(
      commitOf({
        containers: { [`key-${counter % 7}`]: container([large], EMPTY_VECTOR) },
        entries: [{ actor: 'n1.a', counter }],
        node: { ...node({}), clock, floor: clock },
      }),
    );
  }
}

beforeEach(async () => {
  folder = await temporaryFolder();
  await open();
});

afterEach(async () => {
  await replica.close();
  await folder.remove();
});

describe('The mark of a commit', () => {
  test('is there from the first commit on, in order and without a hole', async () => {
    expect(await marks()).toEqual([1]);
    await commitMany(4, 10);
    expect(await marks()).toEqual([1, 2, 3, 4, 5]);
  });

  test('is kept while LevelDB may have the commit in its log only, and removed later', async () => {
    // Two write buffers are all that its log has.
    const commits = (2 * WRITE_BUFFER_BYTES) / MEBIBYTE + 4;
    await commitMany(commits, MEBIBYTE);
    await replica.close();
    store = await LevelStore.open(folder.path);
    expect(await marks()).toEqual(Array.from({ length: 1 + commits }, (_, place) => 1 + place));
    await store.close();
    await open();
    await commitMany(2 * commits, MEBIBYTE);
    const last = 1 + 3 * commits;
    await until('the marks of the first commits are gone', async () => (await marks())[0]! > 1 + commits);
    const kept = await marks();
    expect(kept).toEqual(Array.from({ length: kept.length }, (_, place) => kept[0]! + place));
    expect(kept.at(-1)).toBe(last);
    expect(kept.length).toBeGreaterThan((2 * WRITE_BUFFER_BYTES) / MEBIBYTE);
  });

  test('is missed by nobody when it has been removed and the database is opened again', async () => {
    await commitMany(100, 10);
    await commitMany(12, 2 * MEBIBYTE);
    await until('the marks of the first commits are gone', async () => (await marks())[0]! > 100);
    await reopen();
    expect(replica.view.clock).toEqual(vector({ 'n1.a': 112 }));
    await commitMany(3, 10);
    await reopen();
    expect(replica.view.clock).toEqual(vector({ 'n1.a': 115 }));
  });

  test('is missed when it is the first of those that are left', async () => {
    await commitMany(100, 10);
    await commitMany(12, 2 * MEBIBYTE);
    await until('the marks of the first commits are gone', async () => (await marks())[0]! > 100);
    await replica.close();
    store = await LevelStore.open(folder.path);
    const [first] = await marks();
    await store.commit([{ type: 'del', key: markKey(first!) }]);
    await expect(ReplicaStore.open(store, node({}))).rejects.toThrow(DamagedStoreError);
    await store.close();
  });

  test('is asked for in words that say what moving the database away costs', () => {
    const { message } = new DamagedStoreError('the first commits are missing');
    expect(message).toContain('everything from its peers except writes that only this disk had: keep the old folder');
    expect(message).toContain('never do this at all replicas at once');
  });

  test('is removed with the first commit of the next life, for LevelDB has put its log into tables then', async () => {
    for (let life = 1; life <= 3; life++) {
      await commitMany(9, 10);
      const last = 1 + 9 * life + (life - 1);
      expect((await marks()).at(-1)).toBe(last);
      const before = await marks();
      await reopen();
      expect(await marks()).toEqual(before);
      await commitMany(1, 10);
      await until('the older marks are gone', async () => (await marks()).length === 2);
      expect(await marks()).toEqual([last, last + 1]);
    }
  });

  test('goes on from the last one in the next life', async () => {
    await commitMany(2, 10);
    await reopen();
    await commitMany(2, 10);
    await until('the older marks are gone', async () => (await marks()).length === 3);
    expect(await marks()).toEqual([3, 4, 5]);
  });

  test('is removed though the replica was opened and closed many times without a commit', async () => {
    await commitMany(4, 10);
    for (let round = 0; round < 3; round++) await reopen();
    expect(await marks()).toEqual([1, 2, 3, 4, 5]);
    await commitMany(1, 10);
    await until('the older marks are gone', async () => (await marks()).length === 2);
    await reopen();
    expect(replica.view.clock).toEqual(vector({ 'n1.a': 5 }));
  });

  test.each([[[1, 2, 3, 4]], [[3, 4]], [[]]])(
    'is missed by nobody when the process ended while marks were being removed, and %j of those to go are left',
    async (left) => {
      await commitMany(4, 10);
      await reopen();
      await commitMany(2, 10);
      await until('the older marks are gone', async () => (await marks()).length === 3);
      await replica.close();
      store = await LevelStore.open(folder.path);
      await store.commit(left.map((mark) => ({ type: 'put', key: markKey(mark), value: new Uint8Array() })));
      await store.close();
      await open();
      expect(replica.view.clock).toEqual(vector({ 'n1.a': 6 }));
    },
  );
});

describe('A data folder of the first release, without marks and floor', () => {
  beforeEach(async () => {
    await replica.close();
    await folder.remove();
    folder = await temporaryFolder();
    store = await LevelStore.open(folder.path);
    await store.commit([
      nodeOfFirstRelease(),
      { type: 'put', key: versionsKey('a'), value: encodeVersions(versionsKey('a'), [version('n1.a', 2)]) },
      { type: 'put', key: contextKey('a'), value: encodeContext(contextKey('a'), vector({ 'n3.c': 4 })) },
      ...['a', 'a', 'b'].map((key, place) => logEntry('n1.a', place + 1, key)),
      logEntry('n2.b', 1, 'b'),
    ]);
    await store.close();
    await open();
  });

  test('is opened as it is', async () => {
    expect(replica.view.node).toEqual({
      ...blankNode('n1.a'),
      clock: vector({ 'n1.a': 3, 'n2.b': 1 }),
      stamp: 1_700_000_000_000_000,
    });
    expect(shownContainer(replica.container('a'))).toEqual({ versions: ['n1.a:2 n1.a2'], context: [['n3.c', 4]] });
    expect(await logged(replica.view, 'n1.a', 0, 3)).toEqual(['a', 'a', 'b']);
    expect(await marks()).toEqual([]);
  });

  test('takes commits with marks, and opens again', async () => {
    const clock = { 'n1.a': 3, 'n2.b': 1 };
    await replica.commit(commitOf({ containers: { a: holding(3) }, node: node(clock) }));
    await replica.commit(commitOf({ containers: { b: holding(3) }, node: node(clock) }));
    expect(await marks()).toEqual([1, 2]);
    await reopen();
    expect(textsOf(replica.container('a'))).toEqual(['n1.a3']);
    expect(textsOf(replica.container('b'))).toEqual(['n1.a3']);
  });

  test('may be opened many times before it takes a commit', async () => {
    for (let round = 0; round < 3; round++) await reopen();
    expect(await logged(replica.view, 'n1.a', 0, 3)).toEqual(['a', 'a', 'b']);
  });

  test.each([1, 2])('is refused when it has taken commits with marks since and number %i is lost', async (commit) => {
    for (let round = 0; round < 3; round++) {
      await replica.commit(commitOf({ node: node({ 'n1.a': 3, 'n2.b': 1 }) }));
    }
    await replica.close();
    store = await LevelStore.open(folder.path);
    await store.commit([{ type: 'del', key: markKey(commit) }]);
    await expect(ReplicaStore.open(store, node({}))).rejects.toThrow(DamagedStoreError);
    await store.close();
  });

  test('is refused when its log has a hole', async () => {
    await replica.close();
    store = await LevelStore.open(folder.path);
    await store.commit([{ type: 'del', key: logKey('n1.a', 2) }]);
    await expect(ReplicaStore.open(store, node({}))).rejects.toThrow('the log has n1.a:3 but not n1.a:2');
    await store.close();
  });

  /** Format 1, checksum, actor `n1.a`, stamp, and a clock of two entries; checked against the bytes of that release. */
  function nodeOfFirstRelease(): StoreChange {
    const body = Buffer.from('046e312e61' + '8080f9c0c1c48203' + '02' + '046e312e6103' + '046e322e6201', 'hex');
    const header = Buffer.from([1, 0, 0, 0, 0]);
    header.writeUInt32BE(crc32(body, crc32(NODE_KEY, 1)), 1);
    return { type: 'put', key: NODE_KEY, value: Buffer.concat([header, body]) };
  }

  function logEntry(actor: string, counter: number, key: string): StoreChange {
    const recordKey = logKey(actor, counter);
    return { type: 'put', key: recordKey, value: encodeLogged(recordKey, { keys: [key] }) };
  }
});
