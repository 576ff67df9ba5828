// LevelDB passes over a damaged stretch of its own log and keeps what stands behind it. A replica that trusted the rest
// would claim writes that are gone: it must either have every commit up to some moment, or refuse to open.

import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EMPTY_VECTOR } from '../../src/clock/version-vector.js';
import { LevelStore } from '../../src/store/level/level-store.js';
import { ReplicaStore } from '../../src/store/replica-store.js';
import { container, version } from '../support/clock-arbitraries.js';
import { temporaryFolder, type TemporaryFolder } from '../support/temporary-folder.js';

const ACTOR = 'n1.a';
const COMMITS = 300;
const PLACES = 40;

let folder: TemporaryFolder;

beforeEach(async () => {
  folder = await temporaryFolder();
});

afterEach(() => folder.remove());

test('a flipped bit anywhere in the log file never leaves a replica that claims writes it has lost', async () => {
  const whole = join(folder.path, 'whole');
  const store = await openReplica(whole);
  for (let counter = 1; counter <= COMMITS; counter++) {
    const key = `key-${counter}`;
    await store.commit({
      containers: new Map([[key, container([version(ACTOR, counter)], EMPTY_VECTOR)]]),
      contexts: new Map(),
      log: [{ actor: ACTOR, counter, key }],
      node: { actor: ACTOR, clock: new Map([[ACTOR, counter]]), stamp: counter },
    });
  }
  await store.close();

  let refused = 0;
  for (let place = 0; place < PLACES; place++) {
    const copy = join(folder.path, `copy-${place}`);
    await cp(whole, copy, { recursive: true });
    await flipBit(copy, place / PLACES);
    const replica = await openReplica(copy).catch(() => undefined);
    if (replica === undefined) {
      refused++;
      continue;
    }
    const claimed = replica.view.clock.get(ACTOR) ?? 0;
    for (let counter = 1; counter <= claimed; counter++) {
      expect(replica.container(`key-${counter}`).versions).toHaveLength(1);
    }
    await replica.close();
  }
  expect(refused).toBeGreaterThan(0);
});

async function openReplica(path: string): Promise<ReplicaStore> {
  const store = await LevelStore.open(path);
  try {
    return await ReplicaStore.open(store, { actor: ACTOR, clock: EMPTY_VECTOR, stamp: 0 });
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** In the newest log file, at this part of its length. */
async function flipBit(path: string, part: number): Promise<void> {
  const name = (await readdir(path))
    .filter((file) => file.endsWith('.log'))
    .sort()
    .at(-1)!;
  const bytes = await readFile(join(path, name));
  bytes[Math.floor(bytes.length * part)]! ^= 0x04;
  await writeFile(join(path, name), bytes);
}
