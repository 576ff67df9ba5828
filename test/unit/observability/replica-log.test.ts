// What is logged of what happens again and again? Once what it is, until it is something else.

import { Logger } from '@nestjs/common';
import { afterEach, expect, jest, test } from '@jest/globals';
import { Metrics } from '../../../src/observability/metrics.js';
import { ReplicaLog } from '../../../src/observability/replica-log.js';

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
