// LevelDB's log is written into room that was made for it: nothing of a commit is lost by that, whatever the log is like.

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, open, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LevelStore } from '../../src/store/level/level-store.js';
import { LogPreallocation } from '../../src/store/level/log-preallocation.js';
import type { Store } from '../../src/store/store.port.js';
import { newestLog, writtenPart } from '../support/level-log.js';
import { bytes, contents, put } from '../support/store-changes.js';
import { temporaryFolder, type TemporaryFolder } from '../support/temporary-folder.js';
import { until } from '../support/until.js';

/** What is appended at a time. */
const CHUNK = 256 * 1024;

/** What a disk is written by; of several, any may be there after a power cut. */
const PAGE = 4096;

let folder: TemporaryFolder;

beforeEach(async () => {
  folder = await temporaryFolder();
});

afterEach(() => folder.remove());

describe('The log of a LevelStore', () => {
  const path = (): string => join(folder.path, 'data');

  async function zeros(): Promise<number> {
    const log = await readFile(await newestLog(path()));
    return log.length - writtenPart(log).length;
  }

  test('has room for what comes, and is read in full all the same', async () => {
    const store = await LevelStore.open(path());
    await store.commit([put('a', '1')]);
    await until('there is room', async () => (await zeros()) > CHUNK / 2);
    await store.commit([put('b', '2')]);
    expect(await zeros()).toBeGreaterThan(CHUNK / 2);
    expect(await contentsOfCopy()).toEqual([
      ['a', '1'],
      ['b', '2'],
    ]);
    await store.close();
  });

  test('has room at each commit, also of many small changes, of which more than keys and values is in it', async () => {
    const store = await LevelStore.open(path(), { fsync: true, mergePhase: 'none' });
    await store.commit([put('a', '1')]);
    await until('there is room', async () => (await zeros()) > CHUNK / 2);
    const changes = Array.from({ length: 1000 }, () => put('a', 'x'));
    const room: number[] = [];
    for (let n = 0; n < 90; n++) {
      await store.commit(changes);
      room.push(await zeros());
    }
    expect(Math.min(...room)).toBeGreaterThan(0);
    await store.close();
  });

  test('has no room when commits do not wait for the disk', async () => {
    const store = await LevelStore.open(path(), { fsync: false });
    for (let n = 0; n < 20; n++) await store.commit([put(`key-${n}`, 'value')]);
    await store.close();
    expect(await zeros()).toBe(0);
  });

  test('gets room again and again, each new one too, and no commit of any size is lost', async () => {
    const store = await LevelStore.open(path());
    const first = await newestLog(path());
    // More than a buffer of LevelDB takes; the largest are larger than all the room.
    const sizes = [100, 5_000, 60_000, 100, 200_000, 30_000, 100, 1_500_000];
    const values = Array.from({ length: 120 }, (_, n) => randomBytes(sizes[n % sizes.length]!));
    const isNew: boolean[] = [];
    for (const [n, value] of values.entries()) {
      await store.commit([{ type: 'put', key: bytes(`key-${n}`), value }]);
      isNew.push((await newestLog(path())) !== first);
    }
    expect(isNew).toContain(true);
    let commits = 0;
    await until('there is room', async () => {
      commits++;
      await store.commit([put('last', 'x'.repeat(10_000))]);
      return (await zeros()) > 0;
    });
    // The buffer of LevelDB would take four times as many.
    expect(commits).toBeLessThan(100);
    // What is in the log is read from there when it is opened again.
    await store.close();
    const reopened = await LevelStore.open(path());
    const snapshot = reopened.snapshot();
    for (const [n, value] of values.entries()) expect(Buffer.compare(snapshot.get(bytes(`key-${n}`))!, value)).toBe(0);
    snapshot.close();
    await reopened.close();
  });

  test('has all commits but the last when a power cut has kept any one page of that one from the disk', async () => {
    const store = await LevelStore.open(path(), { fsync: true, mergePhase: 'none' });
    for (let n = 0; n < 5; n++) await store.commit([put(`key-${n}`, 'before')]);
    await until('there is room', async () => (await zeros()) > CHUNK / 2);
    const before = writtenPart(await readFile(await newestLog(path()))).length;
    await store.commit([put('last', 'x'.repeat(60_000))]);
    const whole = await readFile(await newestLog(path()));
    await store.close();
    const after = writtenPart(whole).length;
    expect(after).toBeGreaterThan(before + 60_000);
    for (let page = Math.floor(before / PAGE); page * PAGE < after; page++) {
      const log = Buffer.from(whole).fill(0, Math.max(before, page * PAGE), (page + 1) * PAGE);
      const copy = join(folder.path, `copy-${page}`);
      await cp(path(), copy, { recursive: true });
      await writeFile(await newestLog(copy), log);
      const reopened = await LevelStore.open(copy);
      expect(await contents(reopened)).toEqual([0, 1, 2, 3, 4].map((n) => [`key-${n}`, 'before']));
      await reopened.close();
    }
  });

  /** As a process leaves it that is killed. */
  async function openCopy(): Promise<Store> {
    const copy = join(folder.path, 'copy');
    await cp(path(), copy, { recursive: true });
    return LevelStore.open(copy);
  }

  async function contentsOfCopy(): Promise<unknown> {
    const store = await openCopy();
    const found = await contents(store);
    await store.close();
    return found;
  }
});

describe('LogPreallocation', () => {
  const file = (name: string) => readFile(join(folder.path, name));
  const make = (name: string, content = 'written') => writeFile(join(folder.path, name), content);

  async function taken(...commits: readonly number[]): Promise<void> {
    const log = new LogPreallocation(folder.path);
    for (const size of commits) {
      log.taken(size);
      await log.close();
    }
  }

  test('appends a chunk of zeros to the newest log, by number, and to nothing else', async () => {
    for (const name of ['000007.log', '999999.log', '1000003.log', '1000004.ldb', 'LOG']) await make(name);
    await taken(100);
    const extended = Buffer.concat([Buffer.from('written'), Buffer.alloc(CHUNK)]);
    expect(Buffer.compare(await file('1000003.log'), extended)).toBe(0);
    for (const name of ['000007.log', '999999.log', '1000004.ldb', 'LOG']) {
      expect((await file(name)).toString()).toBe('written');
    }
  });

  test('overwrites nothing that is written meanwhile, at the end of the file and across it', async () => {
    const log = new LogPreallocation(folder.path);
    const writer = await open(join(folder.path, '000001.log'), 'w');
    const pieces = Array.from({ length: 400 }, (_, n) => Buffer.alloc(20_000, 1 + (n % 255)));
    for (const piece of pieces) {
      log.taken(piece.length);
      await writer.write(piece);
    }
    await log.close();
    await writer.close();
    expect(Buffer.compare(writtenPart(await file('000001.log')), Buffer.concat(pieces))).toBe(0);
  });

  test.each([
    ['once for commits that take less than half of it', 2, Array<number>(11).fill(12_500)],
    ['again when half of it is taken', 3, Array<number>(12).fill(12_500)],
    ['not for a commit that is large itself', 1, [100_000, 20 * CHUNK]],
  ])('does so %s', async (_when, chunks, commits) => {
    await make('000001.log', 'x'.repeat(CHUNK));
    await taken(...commits);
    expect((await file('000001.log')).length).toBe(chunks * CHUNK);
  });

  test('counts anew from a new log on, which has no zeros', async () => {
    const log = new LogPreallocation(folder.path);
    const takeHalf = async (): Promise<void> => {
      for (let n = 0; n < 11; n++) {
        log.taken(12_500);
        await log.close();
      }
    };
    await make('000001.log');
    log.taken(100);
    await log.close();
    await make('000002.log', 'x'.repeat(CHUNK));
    await takeHalf();
    expect((await file('000002.log')).length).toBe(2 * CHUNK);
    await takeHalf();
    expect((await file('000002.log')).length).toBe(3 * CHUNK);
  });

  test('does nothing where there is no log, and makes none', async () => {
    await make('CURRENT');
    await taken(100, 100);
    expect(await readdir(folder.path)).toEqual(['CURRENT']);
  });

  test('does nothing when the log, or the folder, has gone meanwhile, and brings neither back', async () => {
    // It is listed, and is not there.
    await symlink(join(folder.path, 'gone'), join(folder.path, '000001.log'));
    await taken(100);
    expect(await readdir(folder.path)).toEqual(['000001.log']);
    await folder.remove();
    await taken(100);
    expect(existsSync(folder.path)).toBe(false);
  });
});
