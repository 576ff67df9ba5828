// What is logged of requests to the route between replicas that show the wrong secret, or none?

import { Logger } from '@nestjs/common';
import { afterEach, expect, jest, test } from '@jest/globals';
import { StrangerLog } from '../../../src/controllers/peer/stranger-log.js';

afterEach(() => {
  jest.restoreAllMocks();
});

test('A replica with another secret is logged once a minute, with its address and the name of the setting', () => {
  const warned = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
  const now = jest.spyOn(performance, 'now');
  const log = new StrangerLog();
  for (const [seconds, address] of [
    [0, '10.0.0.1'],
    [0.5, '10.0.0.1'],
    [59, '10.0.0.2'],
    [61, '10.0.0.3'],
  ] as const) {
    now.mockReturnValue(1000 * seconds);
    log.cameFrom(address, { code: 'FORBIDDEN' });
  }
  expect(warned.mock.calls).toEqual([
    ['a replica at 10.0.0.1 shows another QUARTET_CLUSTER_SECRET than this one: it is refused'],
    ['a replica at 10.0.0.3 shows another QUARTET_CLUSTER_SECRET than this one: it is refused'],
  ]);
});

test('one that shows none, too', () => {
  const warned = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
  new StrangerLog().cameFrom(undefined, { code: 'UNAUTHENTICATED' });
  expect(warned.mock.calls).toEqual([
    ['a replica at an address unknown shows no QUARTET_CLUSTER_SECRET: it is refused'],
  ]);
});
