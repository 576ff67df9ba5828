// How many answers are made side by side, and in which order?

import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { Lanes } from '../../../src/controllers/http/lanes.js';

test('A few answers are made at one time, the others in the order in which they were asked for', async () => {
  const lanes = new Lanes(2);
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const made = [0, 1, 2, 3].map((each) =>
    lanes.take(async () => {
      begun.push(each);
      await new Promise<void>((resolve) => (ends[each] = resolve));
      return each;
    }),
  );
  await turn();
  expect(begun).toEqual([0, 1]);
  ends[1]!();
  await turn();
  expect(begun).toEqual([0, 1, 2]);
  ends[0]!();
  await turn();
  expect(begun).toEqual([0, 1, 2, 3]);
  ends[2]!();
  ends[3]!();
  expect(await Promise.all(made)).toEqual([0, 1, 2, 3]);
  const later = [4, 5, 6].map((each) => lanes.take(() => Promise.resolve(each)));
  expect(await Promise.all(later)).toEqual([4, 5, 6]);
});

test('One that fails makes room, too', async () => {
  const lanes = new Lanes(1);
  const failing = lanes.take(() => Promise.reject(new Error('damaged')));
  const next = lanes.take(() => Promise.resolve('made'));
  await expect(failing).rejects.toThrow('damaged');
  expect(await next).toBe('made');
});
