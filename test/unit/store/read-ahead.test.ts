import { mkdir, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { deviceName, readAheadAdvice } from '../../../src/store/level/read-ahead.js';
import { temporaryFolder, type TemporaryFolder } from '../../support/temporary-folder.js';

const MB = 1e6;

describe('a database on a disk that reads far ahead', () => {
  let folder: TemporaryFolder;
  let database: string;
  let sysfs: string;
  let device: string;

  beforeEach(async () => {
    folder = await temporaryFolder();
    database = join(folder.path, 'level');
    sysfs = join(folder.path, 'sys');
    await mkdir(database);
    // Without blocks of its own on the disk.
    await writeFile(join(database, '000005.ldb'), '');
    await truncate(join(database, '000005.ldb'), 300 * MB);
    device = deviceName((await stat(database)).dev);
  });

  afterEach(() => folder.remove());

  const advised = (memoryMb: number, path = database) => readAheadAdvice(path, { sysfs, memoryBytes: memoryMb * MB });

  async function diskReads(kib: number): Promise<void> {
    await mkdir(join(sysfs, 'class/bdi', device), { recursive: true });
    await writeFile(join(sysfs, 'class/bdi', device, 'read_ahead_kb'), `${kib}\n`);
  }

  it('is told of where it may not fit into the memory, with what to do', async () => {
    await diskReads(8192);
    const advice = await advised(899);
    expect(advice).toContain('300 MB, may not fit into the memory, 899 MB');
    expect(advice).toContain('its disk reads up to 8192 KiB');
    expect(advice).toContain(`echo 16 > ${sysfs}/class/bdi/${device}/read_ahead_kb`);
  });

  it('is told of when the disk is a partition of another, which says it', async () => {
    await mkdir(join(sysfs, 'devices/disk/queue'), { recursive: true });
    await mkdir(join(sysfs, 'devices/disk/part'), { recursive: true });
    await writeFile(join(sysfs, 'devices/disk/queue/read_ahead_kb'), '4096\n');
    await mkdir(join(sysfs, 'dev/block'), { recursive: true });
    await symlink('../../devices/disk/part', join(sysfs, 'dev/block', device));
    expect(await advised(899)).toContain(`echo 16 > ${sysfs}/dev/block/${device}/../queue/read_ahead_kb`);
  });

  it('is fine where the memory has room for it and for the replica', async () => {
    await diskReads(8192);
    expect(await advised(900)).toBeUndefined();
  });

  it('is told of with little memory only where it takes more than a quarter of that', async () => {
    await diskReads(8192);
    await truncate(join(database, '000005.ldb'), 64 * MB);
    expect(await advised(256)).toBeUndefined();
    await truncate(join(database, '000005.ldb'), 65 * MB);
    expect(await advised(256)).toBeDefined();
  });

  it('is fine where the disk reads no further than Linux lets it by itself', async () => {
    await diskReads(129);
    expect(await advised(899)).toBeDefined();
    await diskReads(128);
    expect(await advised(899)).toBeUndefined();
  });

  it('is not told of where nobody says how far the disk reads, or the folder is gone', async () => {
    expect(await advised(899)).toBeUndefined();
    await diskReads(8192);
    expect(await advised(899, join(folder.path, 'gone'))).toBeUndefined();
  });
});

it.each([
  [0xfe00, '254:0'],
  [0x10302, '259:2'],
  [0x10002c, '0:300'],
])('the device %s is %s', (number, name) => {
  expect(deviceName(number)).toBe(name);
});
