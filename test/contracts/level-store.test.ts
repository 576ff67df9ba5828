// The store on disk keeps the contract of every store, and what it has committed outlives it.

import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { cp, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ClassicLevel } from '../../src/store/level/engine.js';
import {
  LevelStore,
  StoreOpenError,
  WRITE_BUFFER_BYTES,
  type LevelStoreOptions,
} from '../../src/store/level/level-store.js';
import { openFailure } from '../../src/store/level/failures.js';
import { StoreReadError, StoreWriteError } from '../../src/store/errors.js';
import type { StoreChange } from '../../src/store/store.port.js';
import { newestLog, tablesMade } from '../support/level-log.js';
import { bytes, contents, del, put, read, shown } from '../support/store-changes.js';
import { SmallDisk } from '../support/small-disk.js';
import { until } from '../support/until.js';
import { temporaryFolder, type TemporaryFolder } from '../support/temporary-folder.js';
import { describeReplicaClaims } from './replica-claims.contract.js';
import { describeReplicaLog } from './replica-log.contract.js';
import { describeReplicaStore, type StorePlace } from './replica-store.contract.js';
import { describeStore } from './store.contract.js';

const MIB = 1024 * 1024;

const COMMIT_BYTES = 16 * 1024;

describeStore('LevelStore', async () => {
  const folder = await temporaryFolder();
  const store = await LevelStore.open(folder.path);
  return {
    store,
    dispose: async () => {
      await store.close();
      await folder.remove();
    },
  };
});

async function emptyPlace(): Promise<StorePlace> {
  const folder = await temporaryFolder();
  return { open: () => LevelStore.open(folder.path), dispose: () => folder.remove() };
}

describeReplicaStore('LevelStore', emptyPlace);
describeReplicaLog('LevelStore', emptyPlace);
describeReplicaClaims('LevelStore', emptyPlace);

describe('LevelStore on its disk', () => {
  let folder: TemporaryFolder;

  beforeEach(async () => {
    folder = await temporaryFolder();
  });

  afterEach(() => folder.remove());

  test('makes the folder it is given, and the folders above it', async () => {
    const store = await LevelStore.open(join(folder.path, 'not', 'there', 'yet'));
    await store.commit([put('a', '1')]);
    expect(read(store, 'a')).toBe('1');
    await store.close();
  });

  test.each([
    ['before it was anything', ['LOCK', 'LOG']],
    ['before its first list of tables was whole', ['LOCK', 'LOG', 'MANIFEST-000001']],
    ['before that had become the list', ['LOCK', 'LOG', 'LOG.old', 'MANIFEST-000001', '000001.dbtmp']],
  ])('opens where an earlier start broke off %s', async (_when, names) => {
    for (const name of names) await writeFile(join(folder.path, name), '');
    const store = await LevelStore.open(folder.path);
    await store.commit([put('a', '1')]);
    await store.close();
    const reopened = await LevelStore.open(folder.path);
    expect(read(reopened, 'a')).toBe('1');
    await reopened.close();
  });

  test('has everything committed after it is closed and opened again', async () => {
    const path = join(folder.path, 'data');
    for (let round = 1; round <= 5; round++) {
      const store = await LevelStore.open(path);
      if (round > 1) expect(await contents(store)).toEqual(expectedAfter(round - 1));
      await store.commit([put('a', String(round)), put(`round-${round}`, ''), del(`round-${round - 2}`)]);
      await store.close();
    }
  });

  test('has everything committed in a copy of its folder taken without closing it', async () => {
    const [path, copy] = [join(folder.path, 'data'), join(folder.path, 'copy')];
    // A table that is made while files are copied would be in some of them only.
    const store = await LevelStore.open(path, { fsync: true, mergePhase: 'none' });
    const large = 'x'.repeat(50_000);
    for (let n = 0; n < 50; n++) await store.commit([put('last', String(n)), put(`key-${n}`, large)]);
    await cp(path, copy, { recursive: true });
    await store.commit([put('last', 'after the copy')]);
    const copied = await LevelStore.open(copy);
    expect(read(copied, 'last')).toBe('49');
    for (let n = 0; n < 50; n++) expect(read(copied, `key-${n}`)).toHaveLength(50_000);
    await copied.close();
    await store.close();
  });

  test('still has what was committed before table files were made and merged', async () => {
    const store = await LevelStore.open(folder.path, { fsync: false });
    // Random, or LevelDB compresses it to next to nothing.
    const value = new Uint8Array(randomBytes(1024 * 1024));
    for (let n = 0; n < 40; n++)
      await store.commit([{ type: 'put', key: bytes(`key-${n}`), value }, put('last', `${n}`)]);
    expect(await store.size()).toBeGreaterThan(10 * 1024 * 1024);
    await store.close();
    const reopened = await LevelStore.open(folder.path);
    const snapshot = reopened.snapshot();
    for (let n = 0; n < 40; n++) expect(Buffer.compare(snapshot.get(bytes(`key-${n}`))!, value)).toBe(0);
    expect(shown(snapshot.get(bytes('last')))).toBe('39');
    snapshot.close();
    await reopened.close();
  });

  test('makes its first table at a moment that it draws, and each at the distance of a full buffer where none is to be early', async () => {
    const first: number[] = [];
    for (let store = 0; store < 5; store++) {
      const [made] = await commitsUntilTables(join(folder.path, `store-${store}`), 1, undefined);
      first.push(made!);
    }
    // Which commit comes between is up to the thread that makes tables. That five draw the same is one case in a million.
    expect(Math.max(...first) - Math.min(...first)).toBeGreaterThan(3);
    const made = await commitsUntilTables(join(folder.path, 'full'), 3, 'none');
    for (const [place, commits] of made.entries()) {
      const buffers = ((commits - (made[place - 1] ?? 0)) * COMMIT_BYTES) / WRITE_BUFFER_BYTES;
      expect(buffers).toBeGreaterThan(0.9);
      expect(buffers).toBeLessThan(1.1);
    }
  });

  test('makes as many tables early as are missing for its phase', async () => {
    const path = join(folder.path, 'data');
    const first = await LevelStore.open(path, { fsync: false, mergePhase: 0.75 });
    for (const kib of [1400, 300, 300, 300]) await commitUntilTable(first, path, kib);
    await commitRandom(first, 300);
    await first.close();
    // The first two tables of a database lie deeper. Two are still to be merged, and what was in the buffer makes a third.
    const second = await LevelStore.open(path, { fsync: false, mergePhase: 0.75 });
    await commitUntilTable(second, path, 2400);
    const log = await newestLog(path);
    await commitRandom(second, 300);
    await wait(100);
    expect(await newestLog(path)).toBe(log);
    await second.close();
  });

  test('pauses in its merges, so that whoever shares the processor with it need not wait for all of one', async () => {
    const store = await LevelStore.open(folder.path, { fsync: false, mergePhase: 'none' });
    const told = async (what: string): Promise<number> => {
      const line = new RegExp(`^(\\S+) \\S+ ${what}.*$`, 'm').exec(await readFile(join(folder.path, 'LOG'), 'utf8'));
      return line === null
        ? NaN
        : Date.parse(line[1]!.replace(/^(\d+).(\d+).(\d+)-/, '$1-$2-$3T').replace(/\d{3}$/, 'Z'));
    };
    // No faster than tables are made: it does not pause when more of them wait.
    while (Number.isNaN(await told('Compacting [45]@0'))) {
      const [log, before] = [await newestLog(folder.path), await tablesMade(folder.path)];
      await commitRandom(store, 500);
      if ((await newestLog(folder.path)) === log) continue;
      await until('a table is made', async () => (await tablesMade(folder.path)) > before);
    }
    await until('they are merged', async () => !Number.isNaN(await told('Compacted [45]@0')), 60_000);
    // 16 MB, and 3 ms after each 64 KiB of them.
    expect((await told('Compacted [45]@0')) - (await told('Compacting [45]@0'))).toBeGreaterThan(500);
    await store.close();
  });

  /** Keys as those of a replica: each table has some of the first and of the last. */
  async function commitRandom(store: LevelStore, kib: number): Promise<void> {
    const change = (): StoreChange => ({
      type: 'put',
      key: bytes(randomBytes(8).toString('hex')),
      value: randomBytes(1024),
    });
    await store.commit(Array.from({ length: kib }, change));
  }

  async function commitUntilTable(store: LevelStore, path: string, kib: number): Promise<void> {
    const before = await tablesMade(path);
    await commitRandom(store, kib);
    await until('a table is made', async () => {
      if ((await tablesMade(path)) > before) return true;
      // None is begun by a commit that comes before the last is made.
      await commitRandom(store, 1);
      return false;
    });
  }

  /** A table is made of what was written so far when a new log is begun. */
  async function commitsUntilTables(
    path: string,
    tables: number,
    mergePhase: LevelStoreOptions['mergePhase'],
  ): Promise<number[]> {
    const store = await LevelStore.open(path, { fsync: false, mergePhase });
    const value = randomBytes(COMMIT_BYTES);
    const made: number[] = [];
    let log = await newestLog(path);
    for (let commits = 1; made.length < tables; commits++) {
      // As those of a replica: each table has some of the first and of the last.
      await store.commit([{ type: 'put', key: bytes(randomBytes(8).toString('hex')), value }]);
      if (log === (await newestLog(path))) continue;
      log = await newestLog(path);
      made.push(commits);
    }
    await store.close();
    return made;
  }

  test.each([
    ['waits for the disk before it says that a commit is done', undefined, true],
    ['does not wait for the disk when it is told not to', { fsync: false }, false],
  ])('%s', async (_name, options, sync) => {
    const store = await LevelStore.open(folder.path, options);
    const written = await syncsOf(() => store.commit([put('a', '1'), put('b', '2'), del('c')]));
    expect(written).toEqual([sync]);
    await store.close();
  });

  test('lets nothing land after a commit that failed, though it was asked for before anybody knew', async () => {
    const store = await LevelStore.open(folder.path);
    const write = await spyOnWrites();
    write.mockRejectedValueOnce(new Error('no room'));
    const commits = await Promise.allSettled([store.commit([put('a', '1')]), store.commit([put('b', '2')])]);
    write.mockRestore();
    expect(commits.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await contents(store)).toEqual([]);
    await store.close();
  });

  test.each([
    ['No space left on device', 'the disk is full: make room, and start the replica again'],
    ['Disk quota exceeded', 'the disk is full: make room, and start the replica again'],
    ['Too many open files', 'let the process have more (ulimit -n), and start the replica again with this folder'],
  ])(
    'says what is missing where the disk is well, and nothing of moving the folder away: %s',
    async (words, advice) => {
      const store = await LevelStore.open(folder.path);
      const write = await spyOnWrites();
      const cause = Object.assign(new Error(`IO error: ${folder.path}/000005.log: ${words}`), {
        code: 'LEVEL_IO_ERROR',
      });
      write.mockRejectedValueOnce(cause);
      const { message } = (await store.commit([put('a', '1')]).catch((error: unknown) => error as Error)) as Error;
      write.mockRestore();
      await store.close();
      expect(message).toContain(`${advice}; what was answered is on it`);
      expect(message).not.toContain('move');
      const open = jest.spyOn(ClassicLevel.prototype, 'open');
      open.mockRejectedValue(Object.assign(new Error('Database failed to open'), { cause }));
      const refusal = await LevelStore.open(folder.path).catch((error: unknown) => error as Error);
      open.mockRestore();
      expect(refusal).toBeInstanceOf(StoreOpenError);
      expect((refusal as StoreOpenError).message).toContain(advice);
      expect((refusal as StoreOpenError).message).not.toContain('move');
    },
  );

  test('takes no record for damaged that it had no file descriptor to read', async () => {
    const store = await LevelStore.open(folder.path);
    const snapshot = store.snapshot();
    const cause = Object.assign(new Error(`IO error: ${folder.path}/000005.ldb: Too many open files`), {
      code: 'LEVEL_IO_ERROR',
    });
    const reading = jest.spyOn(ClassicLevel.prototype, 'getSync').mockImplementation(() => {
      throw cause;
    });
    const failure = thrownBy(() => snapshot.get(bytes('a')));
    reading.mockRestore();
    snapshot.close();
    await store.close();
    expect(failure).not.toBeInstanceOf(StoreReadError);
    expect(failure.message).toContain('ulimit -n');
  });

  test('lets nothing land after records that it could not remove: LevelDB would not find it again', async () => {
    const disk = await SmallDisk.mount(join(folder.path, 'disk'), 256 * MIB);
    if (disk === undefined) return console.log('this user may not mount: not looked at');
    try {
      // No table is made meanwhile: its log would be removed, and leave room.
      const store = await LevelStore.open(join(disk.path, 'db'), { fsync: true, mergePhase: 'none' });
      const record = new Uint8Array(20);
      for (let round = 0; round < 20; round++) {
        const keys = Array.from({ length: 2000 }, (_, n) => bytes(`log-${1_000_000 + round * 2000 + n}`));
        await store.commit(keys.map((key) => ({ type: 'put', key, value: record })));
      }
      const write = await spyOnWrites();
      await disk.leave(0);
      const clearing = store.clear({ gte: bytes('log-'), lt: bytes('log.') });
      // One that is written just after it failed, though it was asked for before anybody knew.
      write.mockImplementationOnce(() => clearing.catch(() => {}));
      const underWay = store.commit([put('a', 'acknowledged')]);
      await expect(clearing).rejects.toThrow('No space left');
      await expect(underWay).rejects.toThrow(StoreWriteError);
      write.mockRestore();
      await disk.makeRoom();
      await expect(store.commit([put('a', 'acknowledged')])).rejects.toThrow(StoreWriteError);
      await store.close();
    } finally {
      await disk.unmount();
    }
  });

  test('waits for the disk when it is asked to, though its commits do not', async () => {
    const store = await LevelStore.open(folder.path, { fsync: false });
    await store.commit([put('a', '1')]);
    expect(await syncsOf(() => store.sync())).toEqual([true]);
    // Nothing is to be seen of it.
    expect(await contents(store)).toEqual([['a', '1']]);
    await store.close();
  });

  describe('refuses to open, and says what to do, when', () => {
    async function refusal(path: string): Promise<StoreOpenError> {
      const error: unknown = await LevelStore.open(path).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(StoreOpenError);
      expect((error as StoreOpenError).code).toBe('STORE_OPEN_FAILED');
      expect((error as StoreOpenError).message).toContain(path);
      return error as StoreOpenError;
    }

    test('this process has the folder open already', async () => {
      const store = await LevelStore.open(folder.path);
      const { message } = await refusal(folder.path);
      expect(message).toMatch(/in use by another process; stop it, or choose another folder/);
      await store.commit([put('a', 'the first one serves on')]);
      await store.close();
    });

    test('another process has the folder open', async () => {
      const script = join(folder.path, 'holder.mjs');
      const classicLevel = import.meta.resolve('classic-level');
      await writeFile(
        script,
        `import { ClassicLevel } from ${JSON.stringify(classicLevel)};
         await new ClassicLevel(process.argv[2]).open();
         process.send('open');
         setInterval(() => {}, 1000);`,
      );
      const path = join(folder.path, 'data');
      const holder = fork(script, [path], { execArgv: [] });
      try {
        await once(holder, 'message');
        const { message } = await refusal(path);
        expect(message).toMatch(/in use by another process; stop it/);
      } finally {
        holder.kill('SIGKILL');
        await once(holder, 'exit');
      }
      const store = await LevelStore.open(path);
      await store.close();
    });

    test('the folder is a file, or lies in one', async () => {
      const file = join(folder.path, 'file');
      await writeFile(file, 'not a folder');
      expect((await refusal(file)).message).toMatch(/is not a folder; move the file away, or choose another folder/);
      expect((await refusal(join(file, 'data'))).message).toMatch(/is not a folder/);
    });

    test('the database in it is damaged', async () => {
      const store = await LevelStore.open(folder.path);
      await store.close();
      await writeFile(join(folder.path, 'CURRENT'), 'not the name of a manifest');
      expect((await refusal(folder.path)).message).toMatch(/is damaged .*; move it away/);
    });

    test.each([
      ['everything else', /^/],
      ['tables', /\.ldb$/],
      ['a log', /\.log$/],
      ['a list of tables', /^MANIFEST-/],
    ])('the database has no beginning any more, and %s is left of it', async (_what, isLeft) => {
      const store = await LevelStore.open(folder.path);
      await store.commit([put('a', 'only this disk has it')]);
      await store.sync();
      await store.close();
      for (const name of await readdir(folder.path)) {
        if (name === 'CURRENT' || !isLeft.test(name)) await rm(join(folder.path, name));
      }
      const left = await readdir(folder.path);
      expect(left).not.toEqual([]);
      expect((await refusal(folder.path)).message).toMatch(/is damaged \(CURRENT is missing\); move it away/);
      expect(await readdir(folder.path)).toEqual(left);
    });

    test.each([
      ['opened', (log: string) => symlink(log, log), /ELOOP/],
      ['read', (log: string) => mkdir(log), /EISDIR/],
    ])('its newest log can not be %s, and has all that is in it once it can', async (_what, replace, reason) => {
      const [path, kept] = [join(folder.path, 'data'), join(folder.path, 'kept.log')];
      const store = await LevelStore.open(path);
      await store.commit([put('a', 'acknowledged')]);
      await store.close();
      const log = await newestLog(path);
      await rename(log, kept);
      await replace(log);
      const { message } = await refusal(path);
      expect(message).toMatch(reason);
      expect(message).toMatch(/\d+\.log: .*; nothing was changed; check its owner and its disk$/);
      await rm(log, { recursive: true });
      await rename(kept, log);
      const reopened = await LevelStore.open(path);
      expect(read(reopened, 'a')).toBe('acknowledged');
      await reopened.close();
    });
  });

  test('says of a log that it had no file descriptor to open how the process gets more', () => {
    const cause = new Error("000005.log: EMFILE: too many open files, open '000005.log'; nothing was changed");
    expect(openFailure('data', new Error('not opened', { cause }))).toContain('ulimit -n');
  });

  async function spyOnWrites() {
    const probe = new ClassicLevel(join(folder.path, 'probe'));
    await probe.open();
    const batches = Object.getPrototypeOf(probe.batch()) as { write(options: { sync?: boolean }): Promise<void> };
    await probe.close();
    return jest.spyOn(batches, 'write');
  }

  /** Whether each batch that `act` writes waits for the disk. Only LevelDB's own option says so. */
  async function syncsOf(act: () => Promise<void>): Promise<(boolean | undefined)[]> {
    const write = await spyOnWrites();
    try {
      await act();
      return write.mock.calls.map(([{ sync }]) => sync);
    } finally {
      write.mockRestore();
    }
  }

  function expectedAfter(round: number): [string, string][] {
    const rounds = [round - 1, round].filter((each) => each >= 1);
    return [['a', String(round)], ...rounds.map((each): [string, string] => [`round-${each}`, ''])];
  }
});

function thrownBy(act: () => unknown): Error {
  try {
    act();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}
