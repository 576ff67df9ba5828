import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { connectionsMax, descriptorsAdvice, descriptorsMax } from '../../../src/config/descriptors.js';
import { temporaryFolder, type TemporaryFolder } from '../../support/temporary-folder.js';

describe('The limit of file descriptors', () => {
  let folder: TemporaryFolder;
  let limits: string;

  beforeEach(async () => {
    folder = await temporaryFolder();
    limits = join(folder.path, 'limits');
  });

  afterEach(() => folder.remove());

  it('is what the system says of the process', async () => {
    await writeFile(
      limits,
      'Limit                     Soft Limit           Hard Limit           Units     \n' +
        'Max processes             63204                63204                processes \n' +
        'Max open files            20000                524288               files     \n',
    );
    expect(await descriptorsMax(limits)).toBe(20000);
  });

  it('is none where the system has none, and where nobody says', async () => {
    await writeFile(limits, 'Max open files            unlimited            unlimited            files     \n');
    expect(await descriptorsMax(limits)).toBeUndefined();
    expect(await descriptorsMax(join(folder.path, 'none'))).toBeUndefined();
  });
});

describe('Connections', () => {
  it.each([256, 1024, 4096, 20_000, 1_048_576])('leave descriptors to the database, of %d', (descriptors) => {
    const { clients, peers } = connectionsMax(descriptors);
    expect(clients).toBeGreaterThanOrEqual(descriptors / 2);
    expect(peers).toBeGreaterThan(0);
    expect(descriptors - clients - peers).toBeGreaterThan(90);
  });

  it('of few descriptors leave what tables and the messages to three peers need, too', () => {
    const { clients, peers } = connectionsMax(1024);
    expect(1024 - clients - peers).toBeGreaterThan(50 + 1024 / 16 + 3 * (64 + 16 + 5));
  });

  it('of many descriptors leave what tables and the messages from and to fifteen peers need, too', () => {
    const { clients, peers } = connectionsMax(20_000);
    expect(peers).toBeGreaterThanOrEqual(15 * (64 + 16 + 8));
    expect(20_000 - clients - peers).toBeGreaterThanOrEqual(100 + 1000 + 15 * (64 + 16 + 8));
  });

  it('have no limit where descriptors have none', () => {
    expect(connectionsMax(undefined)).toEqual({ clients: Infinity, peers: Infinity });
  });
});

describe('A start with few descriptors', () => {
  it('says which setting to change', () => {
    expect(descriptorsAdvice(256)).toContain('may have 256 files and connections open');
    expect(descriptorsAdvice(256)).toContain('ulimit -n');
  });

  it('has nothing to say from 1024 on, which many systems have, and where there is no limit', () => {
    expect(descriptorsAdvice(1023)).toBeDefined();
    expect(descriptorsAdvice(1024)).toBeUndefined();
    expect(descriptorsAdvice(undefined)).toBeUndefined();
  });
});
