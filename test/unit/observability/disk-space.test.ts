// How often is the room on the disk looked at, and who hears that there is none?

import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { Logger } from '@nestjs/common';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { DiskSpace, msUntilLook } from '../../../src/observability/disk-space.js';

const MB = 1_000_000;

afterEach(() => {
  jest.restoreAllMocks();
});

describe('The disk is looked at', () => {
  test.each([
    [2000, 'every two seconds while there is plenty of room', Infinity],
    [2000, 'so often as well when two seconds could just not use it up', 400 * MB],
    [1000, 'sooner when they could: at 200 MB in a second', 200 * MB],
    [100, 'ten times a second at most', 1],
    [100, 'as often when it is nearly full: there may be room again', -64 * MB],
  ])('%d ms later: %s', (ms, _why, roomBytes) => {
    expect(msUntilLook(roomBytes)).toBe(ms);
  });
});

describe('A disk', () => {
  test('that is nearly full is told of once, however often it is looked at', async () => {
    const told = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => {});
    const disk = new DiskSpace(tmpdir(), Number.MAX_SAFE_INTEGER);
    // Each look is one that the test asks for.
    disk.stop();
    for (let look = 0; look < 3; look++) await disk.watch();
    expect(disk.isNearlyFull).toBe(true);
    expect(told.mock.calls.map(([line]) => String(line))).toEqual([expect.stringMatching(/^nearly full, \d+ bytes/)]);
  });

  test('with room is not told of', async () => {
    const told = jest.spyOn(Logger.prototype, 'log').mockImplementation(() => {});
    const disk = new DiskSpace(tmpdir(), 0);
    await disk.watch();
    disk.stop();
    const { bsize } = await statfs(tmpdir());
    expect([disk.isNearlyFull, disk.free % bsize]).toEqual([false, 0]);
    expect(told).not.toHaveBeenCalled();
  });
});
