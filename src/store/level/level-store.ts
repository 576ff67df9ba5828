// The store on disk: LevelDB, through classic-level. A commit is one write batch, appended to LevelDB's log and fsynced
// on a worker thread before the promise resolves; the thread that runs JavaScript never waits for the disk.

import { access, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { KeyRange, Store, StoreChange, StoreEntry, StoreSnapshot } from '../store.port.js';
import { lowerBackgroundThread, threadIds } from './background-thread.js';
import { EarlyTables, type MergePhase } from './early-tables.js';
import { ClassicLevel } from './engine.js';
import { isOfTable, openFailure, readFailure, writeFailure } from './failures.js';
import { folderBytes } from './folder-bytes.js';
import { LogPreallocation } from './log-preallocation.js';

/**
 * Writes gathered in memory before a table file is made. Larger means fewer compactions, each of which keeps the processor for as
 * much longer, and a longer recovery. `CommitMarks` keeps the marks of what two of them may hold.
 */
export const WRITE_BUFFER_BYTES = 4 * 1024 * 1024;

/** What LevelDB reads and unpacks for one key. Its own default is twice as much, and with it a read costs a tenth more. */
const BLOCK_BYTES = 2 * 1024;

/** Of keys and values: small entries have filled the buffer by then. */
const BUFFERED_BYTES = (WRITE_BUFFER_BYTES * 5) / 8;

/** What LevelDB's log has of a commit beside keys and values, about. */
const LOG_BYTES_PER_COMMIT = 20;
const LOG_BYTES_PER_CHANGE = 4;

/** Names the newest list of tables: a database is found through it. */
const BEGINNING = 'CURRENT';

/** LevelDB makes these after `CURRENT` only: a start that breaks off before has left no more than the first list. */
const MADE_LATER = /^\d+\.(?:ldb|sst|log)$|^MANIFEST-(?!0*1$)/;

const LOG = /^\d+\.log$/;

/** Of a log, at once. */
const LOG_READ_BYTES = 64 * 1024;

/** No key of a database begins with this byte. */
const AFTER_ALL_KEYS = Buffer.of(0xff);

/** How much a scan reads ahead in one hop to the worker thread. */
const SCAN_READ_AHEAD_BYTES = 256 * 1024;

/** The folder could not be opened: locked by another process, unreadable, or not a database of ours. */
export class StoreOpenError extends Error {
  readonly code = 'STORE_OPEN_FAILED';
}

export interface LevelStoreOptions {
  /** `false` loses the last commits when the machine (not just the process) stops. */
  readonly fsync: boolean;
  /** How much sooner than others tables are merged; drawn, if left out. */
  readonly mergePhase?: MergePhase | undefined;
}

export class LevelStore implements Store {
  /** Resolves when all that was asked for so far is written. */
  private written: Promise<void> = Promise.resolve();
  private readonly log: LogPreallocation;
  private clearFailure: Error | undefined;
  private readonly earlyTables: EarlyTables;

  private constructor(
    private readonly folder: string,
    private readonly level: ClassicLevel<Uint8Array, Uint8Array>,
    private readonly options: LevelStoreOptions,
  ) {
    this.log = new LogPreallocation(folder);
    const present = Number(level.getProperty('leveldb.num-files-at-level0'));
    this.earlyTables = new EarlyTables(options.mergePhase, present, BUFFERED_BYTES, () => makeTable(level));
  }

  /** @throws StoreOpenError with what to do about it */
  static async open(folder: string, options: LevelStoreOptions = { fsync: true }): Promise<LevelStore> {
    const threads = await threadIds();
    const level = await openLevel(folder).catch((error: unknown) => {
      throw new StoreOpenError(openFailure(folder, error), { cause: error });
    });
    await lowerBackgroundThread(threads, () => makeTable(level));
    return new LevelStore(folder, level, options);
  }

  /** Everything committed so far is on disk when this resolves. */
  async sync(): Promise<void> {
    await this.written;
    // When LevelDB begins another log it does not sync the one before; what that has is in a table then.
    await makeTable(this.level);
    await this.level.batch().del(Buffer.of(0)).write({ sync: true });
  }

  async commit(changes: readonly StoreChange[]): Promise<void> {
    // A chained batch takes each change as it is; the array form copies every one with its options, ten times as long.
    const batch = this.level.batch();
    let bytes = 0;
    for (const change of changes) {
      bytes += change.key.length;
      if (change.type === 'put') {
        bytes += change.value.length;
        batch.put(change.key, change.value);
      } else batch.del(change.key);
    }
    if (this.options.fsync) this.log.taken(bytes + LOG_BYTES_PER_COMMIT + changes.length * LOG_BYTES_PER_CHANGE);
    // LevelDB's worker threads would take two batches in any order; and after one that has failed none may land.
    this.written = this.written.then(() => batch.write({ sync: this.options.fsync })).then(this.requireCleared);
    await this.written.catch((error: unknown) => {
      throw writeFailure(error);
    });
    this.earlyTables.committed(bytes);
  }

  /** A failure fails every later commit, unless it is one to read what is to be removed. */
  async clear({ gte, lt }: KeyRange): Promise<void> {
    try {
      await this.level.clear({ gte, lt });
    } catch (error) {
      if (isOfTable(error)) throw error;
      this.clearFailure = error as Error;
      this.written = this.written.then(this.requireCleared);
      this.written.catch(() => {});
      throw error;
    }
  }

  /**
   * LevelDB goes on after a write that got no room in its log, but in the wrong place: at its next start it passes over what
   * follows. A commit under way when the clear failed is told in time, for it has waited for the disk since.
   */
  private readonly requireCleared = (): void => {
    if (this.clearFailure !== undefined) throw this.clearFailure;
  };

  snapshot(): StoreSnapshot {
    return new LevelSnapshot(this.level);
  }

  /** LevelDB's own estimate leaves out what is still in its log, so the files are asked. */
  size(): Promise<number> {
    return folderBytes(this.folder);
  }

  async close(): Promise<void> {
    // Whoever asked for it has heard of a failure.
    await this.written.catch(() => {});
    await this.log.close();
    await this.level.close();
  }
}

/** Of what the write buffer has, once a merge under way is over; there is nothing to merge in the range that is named. */
function makeTable(level: ClassicLevel<Uint8Array, Uint8Array>): Promise<void> {
  return level.compactRange(AFTER_ALL_KEYS, AFTER_ALL_KEYS, { keyEncoding: 'view' });
}

class LevelSnapshot implements StoreSnapshot {
  private readonly snapshot;
  private readonly options;
  private scansUnderWay = 0;
  private isClosing = false;

  constructor(private readonly level: ClassicLevel<Uint8Array, Uint8Array>) {
    this.snapshot = level.snapshot();
    // Said here, or every read copies its options to say so. LevelDB's cache of blocks stays empty: containers that are in use are
    // kept already, and to fill it costs more than it saves, even where it has every other block that is asked for.
    this.options = { snapshot: this.snapshot, keyEncoding: 'view', valueEncoding: 'view', fillCache: false } as const;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    try {
      return this.level.getSync(key, this.options);
    } catch (error) {
      throw readFailure(error);
    }
  }

  async *scan(range: KeyRange, chunkMax: number): AsyncGenerator<readonly StoreEntry[]> {
    const iterator = this.level.iterator({
      gte: range.gte,
      lt: range.lt,
      snapshot: this.snapshot,
      highWaterMarkBytes: SCAN_READ_AHEAD_BYTES,
      fillCache: false,
    });
    this.scansUnderWay++;
    let { gte } = range;
    try {
      for (;;) {
        const chunk = await iterator.nextv(chunkMax).catch((error: unknown) => {
          throw readFailure(error);
        });
        if (chunk.length === 0) return;
        const last = chunk.at(-1)![0];
        await this.requireWhole(gte, last);
        yield chunk;
        gte = last;
      }
    } finally {
      await iterator.close();
      this.scansUnderWay--;
      this.closeIfUnused();
    }
  }

  /**
   * An iterator of LevelDB passes over a block that it can't read, and says so only at its end. So each chunk is passed
   * once more by an iterator that ends there; it hands out no entries, and takes a tenth of the time.
   */
  private async requireWhole(gte: Uint8Array, lte: Uint8Array): Promise<void> {
    const iterator = this.level.iterator({ gte, lte, keys: false, values: false, ...this.options });
    try {
      await iterator.nextv(1);
    } catch (error) {
      throw readFailure(error, lte);
    } finally {
      await iterator.close();
    }
  }

  /** LevelDB leaves out what is still in its memory, between nothing and a whole buffer: half of one is assumed. */
  async size({ gte, lt }: KeyRange): Promise<number> {
    return WRITE_BUFFER_BYTES / 2 + (await this.level.approximateSize(gte, lt));
  }

  close(): void {
    this.isClosing = true;
    this.closeIfUnused();
  }

  /** LevelDB's own snapshot waits for a fetch under way only, and would fail a scan between two chunks. */
  private closeIfUnused(): void {
    if (!this.isClosing || this.scansUnderWay > 0) return;
    // It has nothing to report; a failure shows in the next read.
    this.snapshot.close().catch(() => {});
  }
}

async function openLevel(folder: string): Promise<ClassicLevel<Uint8Array, Uint8Array>> {
  // First of all: a database begins to open by itself as soon as it is made.
  const files = await filesOf(folder);
  await requireBeginning(folder, files);
  for (const name of files) if (LOG.test(name)) await requireReadable(folder, name);
  // Its log is read leniently and never gone on with after an open: `LogPreallocation` builds upon both.
  const level = new ClassicLevel<Uint8Array, Uint8Array>(folder, {
    keyEncoding: 'view',
    valueEncoding: 'view',
    writeBufferSize: WRITE_BUFFER_BYTES,
    blockSize: BLOCK_BYTES,
  });
  await level.open();
  return level;
}

/** @throws an error like one of LevelDB */
function filesOf(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch((error: unknown): string[] => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new Error('its files are not to be seen', { cause: error });
  });
}

/**
 * LevelDB makes a new database where `CURRENT` is missing, and removes the tables and logs that are there.
 * @throws an error like one of LevelDB
 */
async function requireBeginning(folder: string, files: readonly string[]): Promise<void> {
  if (!files.some((name) => MADE_LATER.test(name))) return;
  await access(join(folder, BEGINNING)).catch((error: unknown) => {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const missing = Object.assign(new Error(`${BEGINNING} is missing`), { code: 'LEVEL_CORRUPTION' });
    throw new Error('the database has no beginning', { cause: isMissing ? missing : error });
  });
}

/**
 * LevelDB takes a log that it can't open or read for one that ends there, and removes it: the newest commits would be gone, and
 * nothing would tell.
 * @throws an error like one of LevelDB
 */
async function requireReadable(folder: string, name: string): Promise<void> {
  await readThrough(join(folder, name)).catch((error: unknown) => {
    const cause = new Error(`${name}: ${(error as Error).message}; nothing was changed`, { cause: error });
    throw new Error('the newest commits are not to be read', { cause });
  });
}

async function readThrough(path: string): Promise<void> {
  const file = await open(path);
  const bytes = Buffer.allocUnsafe(LOG_READ_BYTES);
  try {
    while ((await file.read(bytes)).bytesRead > 0);
  } finally {
    await file.close();
  }
}
