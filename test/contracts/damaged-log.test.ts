// LevelDB passes over a damaged stretch of its own log and keeps what stands behind it. A replica that trusted the rest
// would claim writes that are gone: it must either have every commit up to some moment, or refuse to open.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { cp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EMPTY_VECTOR } from '../../src/clock/version-vector.js';
import { LevelStore } from '../../src/store/level/level-store.js';
import { DamagedStoreError } from '../../src/store/lost-commits.js';
import { blankNode, CorruptRecordError } from '../../src/store/record-codec.js';
import { ReplicaStore } from '../../src/store/replica-store.js';
import { container, vector, version } from '../support/clock-arbitraries.js';
import { newestLog, writtenPart } from '../support/level-log.js';
import { temporaryFolder, type TemporaryFolder } from '../support/temporary-folder.js';

const ACTOR = 'n1.a';
const COMMITS = 450;
const PLACES = 20;
const TIMEOUT_MS = 30_000;

/** LevelDB's log is a row of blocks; in each, records of checksum (4 bytes), length (2), type (1) and payload. */
const BLOCK_BYTES = 32 * 1024;
const HEADER_BYTES = 7;

interface Life {
  readonly what: string;
  /** How far the log of the replica is trimmed by the time of a commit. */
  readonly floorOf: (counter: number) => number;
  /** After these commits the database is closed and opened again: LevelDB then begins a new log. */
  readonly reopenedAfter: readonly number[];
}

const LIVES: readonly Life[] = [
  { what: 'that keeps its whole log', floorOf: () => 0, reopenedAfter: [] },
  { what: 'whose log is trimmed at once', floorOf: (counter) => counter, reopenedAfter: [] },
  {
    what: 'that trims its log a little later and was opened again',
    floorOf: (counter) => Math.max(0, counter - 5),
    reopenedAfter: [20, 60],
  },
];

describe.each(LIVES)('A replica $what', ({ floorOf, reopenedAfter }) => {
  let folder: TemporaryFolder;
  let whole: string;

  beforeAll(async () => {
    folder = await temporaryFolder();
    whole = join(folder.path, 'whole');
    let store = await openReplica(whole);
    for (let counter = 1; counter <= COMMITS; counter++) {
      await store.commit(commitOf(counter, floorOf(counter)));
      if (!reopenedAfter.includes(counter)) continue;
      await store.close();
      store = await openReplica(whole);
    }
    await store.close();
    expect((await written()).length).toBeGreaterThan(BLOCK_BYTES * 1.5);
  });

  afterAll(() => folder.remove());

  test(
    'never claims writes that it has lost, wherever in the log file a bit is flipped',
    async () => {
      const outcomes = new Set<string>();
      const { length } = await written();
      for (let place = 0; place < PLACES; place++) {
        outcomes.add(await outcomeOf((path) => flipBit(path, Math.floor((length * place) / PLACES))));
      }
      expect(outcomes).toContain('refused');
      expect(outcomes).not.toContain('claims what it has not');
    },
    TIMEOUT_MS,
  );

  test(
    'never claims writes that it has lost, when a length or type in the log file is another',
    async () => {
      const headers = recordsOf(await written());
      const outcomes = new Set<string>();
      const step = Math.floor(headers.length / 6);
      for (let which = 0; which < headers.length; which += step) {
        for (const field of [4, 5, 6]) outcomes.add(await outcomeOf((path) => flipBit(path, headers[which]! + field)));
      }
      expect(outcomes).toContain('refused');
      expect(outcomes).not.toContain('claims what it has not');
    },
    TIMEOUT_MS,
  );

  test.each([
    ['is cut short', truncate],
    // As room for what comes looks that a torn commit was to be written to.
    [
      'holds nothing but zeros',
      async (log: string, from: number) => writeFile(log, (await readFile(log)).fill(0, from)),
    ],
  ])(
    'has every commit up to some moment when the log file %s from some place on, wherever that is',
    async (_what, damage) => {
      const { length } = await written();
      for (let place = 0; place < PLACES; place += 2) {
        const kept = Math.floor((length * place) / PLACES);
        expect(await outcomeOf(async (path) => damage(await newestLog(path), kept))).toBe('has all up to a moment');
      }
    },
    TIMEOUT_MS,
  );

  async function written(): Promise<Buffer> {
    return writtenPart(await readFile(await newestLog(whole)));
  }

  /** What becomes of a copy of the database that is damaged so. */
  async function outcomeOf(damage: (path: string) => Promise<void>): Promise<string> {
    const copy = join(folder.path, 'copy');
    await cp(whole, copy, { recursive: true });
    await damage(copy);
    try {
      const replica = await openReplica(copy);
      const isWhole = await hasAllItClaims(replica);
      await replica.close();
      return isWhole ? 'has all up to a moment' : 'claims what it has not';
    } catch (error) {
      if (error instanceof DamagedStoreError || error instanceof CorruptRecordError) return 'refused';
      throw error;
    } finally {
      await rm(copy, { recursive: true });
    }
  }
});

function commitOf(counter: number, floor: number) {
  const key = `key-${counter}`;
  return {
    claims: undefined,
    members: undefined,
    containers: new Map([[key, container([version(ACTOR, counter)], EMPTY_VECTOR)]]),
    contexts: new Map(),
    log: [{ actor: ACTOR, counter, key }],
    node: {
      ...blankNode(ACTOR),
      clock: vector({ [ACTOR]: counter }),
      floor: vector(floor > 0 ? { [ACTOR]: floor } : {}),
    },
  };
}

/** Each commit writes a key of its own: none may be missing among those that the clock covers. */
async function hasAllItClaims(replica: ReplicaStore): Promise<boolean> {
  const claimed = replica.view.clock.get(ACTOR) ?? 0;
  for (let counter = 1; counter <= claimed; counter++) {
    if (replica.container(`key-${counter}`).versions[0]?.counter !== counter) return false;
  }
  let logged = replica.view.node.floor.get(ACTOR) ?? 0;
  for await (const key of replica.view.log.keys({ actor: ACTOR, from: logged, to: claimed })) {
    if (key !== `key-${++logged}`) return false;
  }
  return logged === claimed;
}

async function openReplica(path: string): Promise<ReplicaStore> {
  // All commits are in the log, for that is what is damaged.
  const store = await LevelStore.open(path, { fsync: true, mergePhase: 'none' });
  try {
    return await ReplicaStore.open(store, blankNode(ACTOR));
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function flipBit(path: string, place: number): Promise<void> {
  const log = await newestLog(path);
  const bytes = await readFile(log);
  bytes[place]! ^= 0x04;
  await writeFile(log, bytes);
}

/** Where the records of a log begin. */
function recordsOf(log: Buffer): number[] {
  const starts: number[] = [];
  for (let place = 0; place + HEADER_BYTES <= log.length;) {
    const left = BLOCK_BYTES - (place % BLOCK_BYTES);
    if (left < HEADER_BYTES) {
      place += left;
      continue;
    }
    starts.push(place);
    place += HEADER_BYTES + log.readUInt16LE(place + 4);
  }
  return starts;
}
