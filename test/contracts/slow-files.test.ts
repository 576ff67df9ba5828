// Who waits while the file system takes its time to make a file? The commit that needs it. Reads are the work of the thread that
// answers all requests: it must not wait for a lock that is held meanwhile (docs/adr/0035).

import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ClassicLevel } from '../../src/store/level/engine.js';
import { newestLog } from '../support/level-log.js';
import { bytes } from '../support/store-changes.js';
import { temporaryFolder, type TemporaryFolder } from '../support/temporary-folder.js';

const READS = 50;
const READ_EVERY_MS = 10;
const GIVE_UP_SECONDS = 15;

let folder: TemporaryFolder;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

test('reads go on while a log is begun', async () => {
  const level = new ClassicLevel<Uint8Array, Uint8Array>(folder.path, { keyEncoding: 'view', valueEncoding: 'view' });
  await level.open();
  await level.put(bytes('a'), bytes('1'));
  const number = Number.parseInt(basename(await newestLog(folder.path)), 10);
  const log = join(folder.path, `${String(number + 1).padStart(6, '0')}.log`);
  // Who opens a pipe to write into it waits until another opens it to read.
  execFileSync('mkfifo', [log]);
  const gaveUp = join(folder.path, 'gave-up');
  // This thread could not, if it waited.
  const rescuer = spawn('sh', ['-c', `sleep ${GIVE_UP_SECONDS}; touch '${gaveUp}'; exec cat '${log}'`], {
    stdio: 'ignore',
    detached: true,
  });
  let isBegun = false;
  const begun = level.compactRange(bytes('x'), bytes('x')).then(() => (isBegun = true));

  for (let reads = 0; reads < READS; reads++) {
    await new Promise((resolve) => setTimeout(resolve, READ_EVERY_MS));
    expect(level.getSync(bytes('a'))).toEqual(bytes('1'));
  }
  expect({ isBegun, gaveUp: existsSync(gaveUp) }).toEqual({ isBegun: false, gaveUp: false });

  const reader = await open(log, 'r');
  await begun;
  process.kill(-rescuer.pid!);
  await reader.close();
  await level.close();
});
