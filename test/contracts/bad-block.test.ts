// LevelDB passes over a block that it can't read, and says so at the end of a scan, if anybody reads that far. A replica
// that took the rest for all there is would tell its peers that keys are gone.

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { dotsOf, isLogKey } from '../../src/store/keyspace.js';
import type { ClassicLevel } from '../../src/store/level/engine.js';
import { LevelStore } from '../../src/store/level/level-store.js';
import { blankNode, CorruptRecordError } from '../../src/store/record-codec.js';
import { ReplicaStore } from '../../src/store/replica-store.js';
import { StoreReadError, StoreWriteError } from '../../src/store/errors.js';
import { damage, mergedBlocks, type Block } from '../support/bad-block.js';
import { commitOf, logged, node, SELF } from '../support/replica-commits.js';
import { bytes, contents, put, range, scanned, shown } from '../support/store-changes.js';
import { temporaryFolder, type TemporaryFolder } from '../support/temporary-folder.js';

const KEYS = Array.from({ length: 2000 }, (_, place) => `key-${String(place).padStart(4, '0')}`);

/** What LevelDB's own iterator yields in one go. */
const CHUNK = 100;

describe('A database with a block that can’t be read', () => {
  let folder: TemporaryFolder;
  let store: LevelStore;
  let bad: Block;
  let hidden: string[];

  beforeEach(async () => {
    folder = await temporaryFolder();
    const whole = await LevelStore.open(folder.path, { fsync: true, mergePhase: 'none' });
    await whole.commit(KEYS.map((key) => put(key, `value of ${key} `.repeat(10))));
    await whole.close();
    const blocks = await mergedBlocks(folder.path);
    bad = blocks[Math.floor(blocks.length / 2)]!;
    hidden = KEYS.filter((key) => key > shown(bad.after)! && key <= shown(bad.through)!);
    await damage(bad);
    store = await LevelStore.open(folder.path);
  });

  afterEach(async () => {
    await store.close();
    await folder.remove();
  });

  test('has some keys in it, and most are elsewhere', () => {
    expect(hidden.length).toBeGreaterThan(3);
    expect(hidden.length).toBeLessThan(100);
  });

  test('gives an error for each key in the block, and the values of all others', () => {
    const snapshot = store.snapshot();
    for (const key of KEYS) {
      if (hidden.includes(key)) expect(() => snapshot.get(bytes(key))).toThrow(StoreReadError);
      else expect(shown(snapshot.get(bytes(key)))).toContain(key);
    }
    snapshot.close();
  });

  test('never yields a chunk of a scan that leaves keys out, however early its reader stops', async () => {
    const snapshot = store.snapshot();
    const seen: string[] = [];
    const scan = async (): Promise<void> => {
      for await (const chunk of snapshot.scan(range('key-', 'key-9999'), CHUNK)) {
        seen.push(...chunk.map(([key]) => shown(key)!));
        if (seen.length > KEYS.length / 2 + 2 * CHUNK) return;
      }
    };
    await expect(scan()).rejects.toThrow(StoreReadError);
    expect(seen).toEqual(KEYS.slice(0, seen.length));
    snapshot.close();
  });

  test('can be scanned again from behind the part that the error names', async () => {
    const snapshot = store.snapshot();
    const error: unknown = await scanned(snapshot, undefined, CHUNK).catch((reason: unknown) => reason);
    const through = shown((error as StoreReadError).through)!;
    expect(through >= hidden.at(-1)!).toBe(true);
    const behind = await scanned(snapshot, range(`${through}\0`, 'key-9999'), CHUNK);
    expect(behind.map(([key]) => key)).toEqual(KEYS.slice(KEYS.indexOf(through) + 1));
    snapshot.close();
  });

  test('can be read again key by key once the keys are written anew', async () => {
    await store.commit(hidden.map((key) => put(key, 'anew')));
    const snapshot = store.snapshot();
    for (const key of hidden) expect(shown(snapshot.get(bytes(key)))).toBe('anew');
    snapshot.close();
  });

  test('says what to do when a compaction has met the block and it takes no more writes', async () => {
    // Newer records of the same keys, so that there is something to merge.
    await store.commit(KEYS.map((key) => put(key, 'newer')));
    const { level } = store as unknown as { level: ClassicLevel<Uint8Array, Uint8Array> };
    await level.compactRange(Buffer.of(0), Buffer.of(0xff)).catch(() => {});
    const refused: unknown = await store.commit([put('a', '1')]).catch((reason: unknown) => reason);
    expect(refused).toBeInstanceOf(StoreWriteError);
    expect((refused as Error).message).toMatch(/takes no more writes .*; move the folder away and start anew: /);
  });
});

describe('A replica whose log has a block that can’t be read', () => {
  const DOTS = 6000;
  let folder: TemporaryFolder;
  let replica: ReplicaStore;
  /** The last dots before the block, and in it. */
  let before: number;
  let through: number;

  beforeEach(async () => {
    folder = await temporaryFolder();
    const whole = await openReplica();
    // From one dot to forty share a record, and there are more of those than a reader takes at a time.
    for (let [first, dots] = [1, 1]; first <= DOTS; first += dots, dots = (dots % 40) + 1) {
      const last = Math.min(first + dots - 1, DOTS);
      const entries = Array.from({ length: last - first + 1 }, (_, place) => ({ actor: SELF, counter: first + place }));
      await whole.commit(commitOf({ entries, node: node({ [SELF]: last }) }));
    }
    await whole.close();
    const blocks = (await mergedBlocks(folder.path)).filter(({ after }) => isLogKey(after) && after.length > 1);
    const bad = blocks[Math.floor(blocks.length / 2)]!;
    const store = await LevelStore.open(folder.path);
    const logKeys = (await contents(store)).map(([key]) => bytes(key)).filter(isLogKey);
    // A key of an index is that of the last record before it, or stands behind that.
    const lastDot = (end: Uint8Array): number => {
      return dotsOf(logKeys.filter((key) => Buffer.compare(key, end) <= 0).at(-1)!).to;
    };
    [before, through] = [lastDot(bad.after), lastDot(bad.through)];
    replica = await ReplicaStore.open(store, blankNode(SELF));
    await damage(bad);
  });

  afterEach(async () => {
    await replica.close();
    await folder.remove();
  });

  test('still reads all entries before the block and behind it', async () => {
    expect(through).toBeGreaterThan(before);
    // Spans that begin and end anywhere, also in the midst of a record.
    for (const inward of [0, 1, 7, 50]) {
      expect(await logged(replica.view, SELF, inward, before - inward)).toEqual(wrote(inward, before - inward));
      const last = DOTS - inward;
      expect(await logged(replica.view, SELF, through + inward, last)).toEqual(wrote(through + inward, last));
    }
  });

  test('tells of the first entry in the block that it is damaged, and reads none of those behind it', async () => {
    const told: Uint8Array[] = [];
    replica.watchDamage(({ recordKey }) => void told.push(recordKey));
    const read: string[] = [];
    const readAll = async (): Promise<void> => {
      for await (const key of replica.view.log.keys({ actor: SELF, from: 0, to: DOTS })) read.push(key);
    };
    await expect(readAll()).rejects.toThrow(CorruptRecordError);
    expect(read).toEqual(wrote(0, before));
    expect(told.map((key) => dotsOf(key))).toEqual([{ actor: SELF, from: before, to: before + 1 }]);
  });

  function wrote(from: number, to: number): string[] {
    return Array.from({ length: to - from }, (_, place) => `${SELF} wrote ${from + place + 1}`);
  }

  async function openReplica(): Promise<ReplicaStore> {
    return ReplicaStore.open(await LevelStore.open(folder.path), blankNode(SELF));
  }
});
