// What is read of a key that is written and deleted again and again, while somebody holds a state of before, as a backup does?
// Its last value. LevelDB keeps the older ones for him, and when it moves tables from level to level it must not let them get
// above the newer ones (docs/adr/0035).

import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { isMended } from '../../src/store/level/engine.js';
import { LevelStore } from '../../src/store/level/level-store.js';
import type { StoreChange } from '../../src/store/store.port.js';
import { Prng } from '../simulation/prng.js';
import { bytes } from '../support/store-changes.js';
import { temporaryFolder, type TemporaryFolder } from '../support/temporary-folder.js';

/** With these values, more than the 40 MB that level 1 may have: what is mended shows when tables leave it. */
const KEYS = Array.from({ length: 60 }, (_, i) => `k${String(i).padStart(2, '0')}`);
/** A table file of LevelDB ends in the midst of a key's versions the more often the larger they are. */
const VALUE_BYTES = 1024 * 1024;
const ROUNDS = 150;
const ROUNDS_PER_CHECK = 10;

let folder: TemporaryFolder;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

test('this system has the engine in which that is so', () => {
  expect(isMended).toBe(true);
});

test.each([4])('the last value of each key is read, and scanned (seed %i)', async (seed) => {
  const prng = new Prng(seed);
  const store = await LevelStore.open(folder.path, { fsync: false });
  const last = new Map<string, number>();
  const noise = randomBytes(2 * VALUE_BYTES);
  let writes = 0;
  const change = (key: string, isDeleted: boolean): StoreChange => {
    writes++;
    if (isDeleted) {
      last.delete(key);
      return { type: 'del', key: bytes(key) };
    }
    last.set(key, writes);
    const from = (writes * 7919) % VALUE_BYTES;
    const value = Buffer.from(noise.subarray(from, from + VALUE_BYTES));
    value.writeUInt32LE(writes);
    return { type: 'put', key: bytes(key), value };
  };
  for (const key of KEYS) await store.commit([change(key, false)]);
  const held = store.snapshot();
  for (let round = 0; round < ROUNDS; round++) {
    await store.commit([change(prng.pick(KEYS), prng.chance(0.1))]);
    if (round % ROUNDS_PER_CHECK > 0) continue;
    const now = store.snapshot();
    const read = KEYS.map((key) => [key, numberOf(now.get(bytes(key)))] as const);
    expect([round, read]).toEqual([round, KEYS.map((key) => [key, last.get(key)])]);
    now.close();
  }
  const scanned = new Map<string, number | undefined>();
  const now = store.snapshot();
  for await (const chunk of now.scan({ gte: bytes('k'), lt: bytes('l') }, 4)) {
    for (const [key, value] of chunk) scanned.set(Buffer.from(key).toString(), numberOf(value));
  }
  expect([...scanned].sort()).toEqual([...last].sort());
  expect(KEYS.map((key) => numberOf(held.get(bytes(key))))).toEqual(KEYS.map((_, place) => place + 1));
  now.close();
  held.close();
  await store.close();
});

function numberOf(value: Uint8Array | undefined): number | undefined {
  return value && Buffer.from(value.buffer, value.byteOffset, 4).readUInt32LE();
}
