// Who is to blame when nothing was taken in time: the client, or the replica, which stood still?

import { setImmediate } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { afterRunning } from '../../../src/controllers/http/patience.js';
import { until } from '../../support/until.js';

test('Time in which the process stood still does not count', async () => {
  let isOverdue = false;
  const cancel = afterRunning(1000, () => (isOverdue = true));
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1100);
  for (let turn = 0; turn < 5; turn++) await setImmediate();
  expect(isOverdue).toBe(false);
  cancel();
});

test('Time before the last progress does not count', async () => {
  let asked = 0;
  let isOverdue = false;
  afterRunning(
    20,
    () => (isOverdue = true),
    () => Math.min(Math.floor(asked++ / 7), 3),
  );
  await until('the time is over', () => isOverdue);
  // Progress is seen three times, the last time when it was asked for the 22nd time; ten looks later the time is over.
  expect(asked).toBe(32);
});

test('Time in which it ran does, and what is cancelled is not called', async () => {
  const called: string[] = [];
  const cancel = afterRunning(20, () => called.push('cancelled'));
  afterRunning(50, () => called.push('overdue'));
  cancel();
  await until('the time is over', () => called.length > 0);
  expect(called).toEqual(['overdue']);
});
