// How much of a body that is no batch has to be parsed to say so? None: a few megabytes of brackets would be hundreds of
// megabytes of values.

import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { OPERATIONS_MAX, parseBody, type Framing } from '../../../src/controllers/batch/batch-body.js';
import { parseMapUpdate, parseSetUpdate } from '../../../src/controllers/types/json-body.js';

let parses: jest.SpiedFunction<typeof JSON.parse>;
beforeEach(() => {
  parses = jest.spyOn(JSON, 'parse');
});
afterEach(() => parses.mockRestore());

function parsed(text: string, framing: Framing = 'json'): readonly unknown[] {
  return parseBody(Buffer.from(text), framing, (operation) => operation);
}

const many = (item: string, count: number): string => Array.from({ length: count }, () => item).join(',');
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

test.each<[string, string, Framing, string]>([
  ['objects', `[${many('{}', 50_000)}]`, 'json', 'BATCH_TOO_LARGE'],
  ['numbers', `[${many('1', 50_000)}]`, 'json', 'BATCH_TOO_LARGE'],
  ['lines', '{}\n'.repeat(50_000), 'ndjson', 'BATCH_TOO_LARGE'],
  ['empty lines', '\n'.repeat(50_000), 'ndjson', 'BATCH_TOO_LARGE'],
  ['brackets in brackets', nested(50_000), 'json', 'INVALID_BODY'],
  ['brackets in brackets in a line', nested(50_000), 'ndjson', 'INVALID_BODY'],
  ['values in one operation', `[[${many('{}', 500_000)}]]`, 'json', 'INVALID_BODY'],
  ['fields in one operation', `[{${many('"a":0', 500_000)}}]`, 'json', 'INVALID_BODY'],
  ['values in an object', `{"a":[${many('0', 500_000)}]}`, 'json', 'INVALID_BODY'],
  ['values in a line', `[${many('0', 500_000)}]`, 'ndjson', 'INVALID_BODY'],
])('a body of very many %s is not parsed', (_, text, framing, code) => {
  expect(() => parsed(text, framing)).toThrow(expect.objectContaining({ code }));
  expect(parses).not.toHaveBeenCalled();
});

test('the number of operations is told', () => {
  expect(() => parsed(`[${many('{}', 10_001)}]`)).toThrow('the batch has 10001 operations; at most 10000');
  expect(() => parsed('{}\n'.repeat(10_001), 'ndjson')).toThrow('the batch has 10001 operations; at most 10000');
});

test('as many operations as a batch may have are parsed, with more fields than they have use for', () => {
  const operation = `{${Array.from({ length: 12 }, (_, i) => `"${i}":",[{"`).join(',')}}`;
  expect(parsed(`[${many(operation, OPERATIONS_MAX)}]`)).toHaveLength(OPERATIONS_MAX);
  expect(parsed(`${operation}\n`.repeat(OPERATIONS_MAX), 'ndjson')).toHaveLength(OPERATIONS_MAX);
});

test('what stands in strings counts for nothing, however it is escaped', () => {
  const value = `"\\"${'[,{'.repeat(200_000)}\\\\`;
  expect(parsed(JSON.stringify([{ value }, { value }]))).toEqual([{ value }, { value }]);
  expect(parsed(`${JSON.stringify({ value })}\n${JSON.stringify({ value })}`, 'ndjson')).toEqual([
    { value },
    { value },
  ]);
});

test('what an operation cannot mean is its own error, as long as it is no deeper than a body may be', () => {
  expect(parsed(`[${nested(60)},{}]`)).toHaveLength(2);
  expect(() => parsed(`[${nested(64)},{}]`)).toThrow('the body is nested deeper than 64');
});

test('a set or a map whose body is nested too deep is not parsed either', () => {
  for (const parse of [parseSetUpdate, (body: Buffer) => parseMapUpdate(body, 1000)]) {
    const body = Buffer.from(`{"set":{"f":${nested(65)}}}`);
    expect(() => parse(body)).toThrow('it is nested deeper than 64');
  }
  expect(parses).not.toHaveBeenCalled();
});
