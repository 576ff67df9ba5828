import { mkdir, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readAheadAdvice } from '../../../src/store/level/read-ahead.js';
import { temporaryFolder, type TemporaryFolder } from '../../support/temporary-folder.js';

const MIB = 2 ** 20;

describe('a database on a disk that reads far ahead', () => {
  let folder: TemporaryFolder;
  let data: string;
  let sysfs: string;
  let device: string;

  beforeEach(async () => {
    folder = await temporaryFolder();
    data = join(folder.path, 'level');
    sysfs = join(folder.path, 'sys');
    await mkdir(data);
    // Without blocks of its own on the disk.
    await writeFile(join(data, '000005.ldb'), '');
    await truncate(join(data, '000005.ldb'), 300 * MIB);
    const { dev } = await stat(data);
    // As makedev(3) has it, of major and minor numbers below 256.
    device = `${dev >> 8}:${dev & 0xff}`;
  });

  afterEach(() => folder.remove());

  const advised = (memoryMib: number) => readAheadAdvice(data, { sysfs, memoryBytes: memoryMib * MIB });

  async function diskReads(kib: number): Promise<void> {
    await mkdir(join(sysfs, 'class/bdi', device), { recursive: true });
    await writeFile(join(sysfs, 'class/bdi', device, 'read_ahead_kb'), `${kib}\n`);
  }

  it('is told of where it may not fit into the memory, with what to do', async () => {
    await diskReads(8192);
    const advice = await advised(600);
    expect(advice).toContain(
      '300 MiB, may not fit into the memory, 600 MiB, and where a page is missing its disk reads 8192 KiB',
    );
    expect(advice).toContain(`echo 16 > ${sysfs}/class/bdi/${device}/read_ahead_kb`);
  });

  it('is told of when the disk is a partition of another, which says it', async () => {
    await mkdir(join(sysfs, 'devices/disk/queue'), { recursive: true });
    await mkdir(join(sysfs, 'devices/disk/part'), { recursive: true });
    await writeFile(join(sysfs, 'devices/disk/queue/read_ahead_kb'), '4096\n');
    await mkdir(join(sysfs, 'dev/block'), { recursive: true });
    await symlink('../../devices/disk/part', join(sysfs, 'dev/block', device));
    expect(await advised(600)).toContain(`echo 16 > ${sysfs}/dev/block/${device}/../queue/read_ahead_kb`);
  });

  it('is fine where the memory has room for it and for the replica', async () => {
    await diskReads(8192);
    expect(await advised(800)).toBeUndefined();
  });

  it('is fine where the disk reads no further than Linux lets it by itself', async () => {
    await diskReads(128);
    expect(await advised(600)).toBeUndefined();
  });

  it('is not told of where nobody says how far the disk reads', async () => {
    expect(await advised(600)).toBeUndefined();
  });
});
