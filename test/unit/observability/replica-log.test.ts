// What is logged of what happens again and again? Once what it is, until it is something else.

import { Logger } from '@nestjs/common';
import { afterEach, expect, jest, test } from '@jest/globals';
import { Metrics } from '../../../src/observability/metrics.js';
import { ReplicaLog } from '../../../src/observability/replica-log.js';
import { NearlyFullError } from '../../../src/replication/errors.js';
import { PeerFailure } from '../../../src/replication/transport.port.js';

afterEach(() => {
  jest.restoreAllMocks();
});

test('That a peer knows of too many members is logged once for each', () => {
  const warned = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
  const log = new ReplicaLog(new Metrics('n1'), () => {});
  for (const from of ['n2', 'n3', 'n2', 'n3']) log.observed({ kind: 'too-many-members', from });
  expect(warned.mock.calls.map(([line]) => String(line))).toEqual([
    expect.stringContaining('n2 knows of more members'),
    expect.stringContaining('n3 knows of more members'),
  ]);
});

test('That writes of a peer are dated far ahead is logged once a minute, however many there are', () => {
  const warned = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
  const nowMs = jest.spyOn(performance, 'now').mockReturnValue(1000);
  const log = new ReplicaLog(new Metrics('n1'), () => {});
  const come = (from: string): void => log.observed({ kind: 'stamp-too-far-ahead', from, key: 'key', stamp: 1 });
  for (const from of ['n2', 'n3', 'n2', 'n2']) come(from);
  expect(warned).toHaveBeenCalledTimes(2);
  nowMs.mockReturnValue(61_000);
  come('n2');
  expect(warned).toHaveBeenCalledTimes(3);
});

test('That all keys are taken over from a peer is logged once until one has come, however often it is begun', () => {
  const logged = jest.spyOn(Logger.prototype, 'log').mockImplementation(() => {});
  const log = new ReplicaLog(new Metrics('n1'), () => {});
  const begin = (peer: string): void => log.observed({ kind: 'bootstrap-started', peer, after: undefined });
  const lines = (): number => logged.mock.calls.filter(([line]) => /from n[23]/.test(String(line))).length;
  for (const peer of ['n2', 'n3', 'n2', 'n3']) begin(peer);
  expect(lines()).toBe(2);
  log.observed({ kind: 'bootstrap-progressed', peer: 'n2', keys: 1 });
  begin('n2');
  expect(lines()).toBe(3);
});

test('That the own disk is nearly full is no failure of a peer, and no line for each request', async () => {
  const warned = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
  const metrics = new Metrics('n1');
  const log = new ReplicaLog(metrics, () => {});
  log.peerFailed('n2', new NearlyFullError('this replica’s own disk is nearly full'));
  expect(warned).not.toHaveBeenCalled();
  expect(log.failureOf('n2')).toBeUndefined();
  expect(await metrics.registry.metrics()).not.toContain('peer="n2"');
});

test('A damaged record of a request is logged with its key, and counted', async () => {
  const told = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => {});
  const metrics = new Metrics('n1');
  new ReplicaLog(metrics, () => {}).observed({ kind: 'request-damaged', key: 'a\n' });
  expect(told.mock.calls.map(([line]) => String(line))).toEqual([expect.stringContaining('a request on "a\\n"')]);
  expect(await metrics.registry.metrics()).toContain('quartet_records_damaged_total{node="n1"} 1');
});

test.each([
  ['ETIMEDOUT', false],
  ['EHOSTUNREACH', false],
  ['ECONNREFUSED', true],
  ['ECONNRESET', true],
  [undefined, true],
])('A peer that a request failed at with %s is absent: %s', (code, isAbsent) => {
  jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
  const log = new ReplicaLog(new Metrics('n1'), () => {});
  expect(log.isAbsent('n2')).toBe(false);
  log.peerFailed('n2', new PeerFailure('no answer', false, { cause: Object.assign(new Error('why'), { code }) }));
  expect(log.isAbsent('n2')).toBe(isAbsent);
});
