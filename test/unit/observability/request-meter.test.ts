// Which bucket does an answer count in? Those of times that are as long as its bound or longer than the request took.

import { expect, test } from '@jest/globals';
import { RequestMeter } from '../../../src/observability/request-meter.js';

async function valuesOf(meter: RequestMeter): Promise<ReadonlyMap<string, number>> {
  const { values } = await meter.seconds.get();
  return new Map(values.map(({ metricName, labels, value }) => [nameOf(metricName!, labels), value]));
}

/** Whatever the order of its labels. */
function nameOf(name: string, labels: object): string {
  return `${name} ${JSON.stringify(Object.entries(labels).sort())}`;
}

const LABELS = { route: '/v1/kv/{key}', method: 'PUT', code: 201 };
const NAME = 'quartet_http_request_duration_seconds';

test.each([
  [0, 0, 0.0005],
  [1, 0.0005, 0.001],
  [1.1, 0.001, 0.002],
  [30_000, 10, 30],
  [30_001, 30, '+Inf'],
])('an answer after %d ms is not among those of %s s, and among those of %s s', async (ms, below, within) => {
  const meter = new RequestMeter();
  meter.answered('PUT', '/v1/kv/a', 201, ms);
  const values = await valuesOf(meter);
  const bucket = (le: number | string) => values.get(nameOf(`${NAME}_bucket`, { ...LABELS, le }));
  expect(bucket(below) ?? 0).toBe(0);
  expect(bucket(within)).toBe(1);
  expect(bucket('+Inf')).toBe(1);
  expect(values.get(nameOf(`${NAME}_sum`, LABELS))).toBeCloseTo(ms / 1000, 9);
});

test.each([
  ['/v1/kv/a', '/v1/kv/{key}'],
  ['/v1/kv/', '/v1/kv/{key}'],
  ['/v1/kv', '/v1/kv'],
  ['/v1/kv?limit=1', '/v1/kv'],
  ['/v1/kvs', 'other'],
  ['/put?key=a', '/put'],
  ['/put_remote', '/put_remote'],
  ['/putter', 'other'],
  ['/v1/cluster/members/n1', '/v1/cluster'],
  ['http://n1/v1/kv/a', 'other'],
  ['*', 'other'],
])('%s is of %s', async (url, route) => {
  const meter = new RequestMeter();
  meter.answered('GET', url, 200, 1);
  expect((await meter.seconds.get()).values[0]!.labels.route).toBe(route);
});
