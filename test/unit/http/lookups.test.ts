// How are keys looked up that are not in memory?

import { expect, test } from '@jest/globals';
import { EMPTY_CONTAINER } from '../../../src/clock/container.js';
import { Lookups } from '../../../src/controllers/kv/lookups.js';

interface Recorded {
  readonly lookups: Lookups;
  readonly events: string[];
}

/** Over a replica that has `cached` at hand, and can't read `damaged`. */
function recorded(): Recorded {
  const events: string[] = [];
  const lookups = new Lookups({
    readCached: (key) => (key === 'cached' ? EMPTY_CONTAINER : undefined),
    read(key) {
      events.push(`read ${key}`);
      if (key === 'damaged') throw new Error('it is damaged');
      return EMPTY_CONTAINER;
    },
  });
  return { lookups, events };
}

test('all that are asked for at one moment, before anybody goes on', async () => {
  const { lookups, events } = recorded();
  const goesOn = async (key: string): Promise<void> => {
    await lookups.of(key);
    events.push(`goes on with ${key}`);
  };
  const going = ['a', 'b', 'c'].map(goesOn);
  expect(events).toEqual([]);
  await Promise.all(going);
  expect(events).toEqual(['read a', 'read b', 'read c', 'goes on with a', 'goes on with b', 'goes on with c']);
});

test('at once what is at hand', () => {
  const { lookups } = recorded();
  expect(lookups.of('cached')).toBe(EMPTY_CONTAINER);
});

test('a key that can not be read fails for who reads it alone', async () => {
  const { lookups } = recorded();
  const looked = await Promise.allSettled(['a', 'damaged', 'b'].map(async (key) => lookups.of(key)));
  expect(looked.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
});
