// What does the log say of a start?

import { Logger } from '@nestjs/common';
import { afterEach, expect, jest, test } from '@jest/globals';
import type { Readiness } from '../../../src/observability/readiness.js';
import { StartLog } from '../../../src/observability/start-log.js';

afterEach(() => {
  jest.useRealTimers();
  jest.restoreAllMocks();
});

test('That a replica is ready is logged when it is, and once', () => {
  jest.useFakeTimers();
  const logged = jest.spyOn(Logger.prototype, 'log').mockImplementation(() => {});
  const readiness = { isReady: false };
  const log = new StartLog('n1', readiness as Readiness);
  log.start();
  jest.advanceTimersByTime(60_000);
  expect(logged).not.toHaveBeenCalled();
  for (const isReady of [true, false, true]) {
    readiness.isReady = isReady;
    jest.advanceTimersByTime(60_000);
  }
  expect(logged.mock.calls).toEqual([['n1 is ready']]);
});

test('nor is it logged of one that stops before', () => {
  jest.useFakeTimers();
  const logged = jest.spyOn(Logger.prototype, 'log').mockImplementation(() => {});
  const log = new StartLog('n1', { isReady: true } as Readiness);
  log.start();
  log.stop();
  jest.advanceTimersByTime(60_000);
  expect(logged).not.toHaveBeenCalled();
});
