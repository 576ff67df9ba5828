// OpenAPI of the original interface.

import { json, problems, queryParameter, type Operation } from '../http/openapi.js';

const shown = json('The value after the write, or as read, with the vector clock and the losing values.', {
  key: 'greeting',
  value: 'hello',
  clock: { n1: 57, n2: 12 },
  conflicts: ['hallo'],
});
const fields = {
  schema: {
    type: 'object',
    required: ['key', 'value'],
    properties: { key: { type: 'string' }, value: { type: 'string' } },
  },
  example: { key: 'greeting', value: 'hello' },
};

export const putLegacy: Operation = {
  summary: 'Write a string',
  description: 'Key and value as JSON, as form fields or as query parameters.',
  takes: [
    queryParameter('key', 'instead of a body', { type: 'string' }),
    queryParameter('value', 'instead of a body', { type: 'string' }),
  ],
  requestBody: { content: { 'application/json': fields, 'application/x-www-form-urlencoded': fields } },
  responses: {
    200: shown,
    ...problems(
      'INVALID_BODY',
      'INVALID_QUERY',
      'INVALID_KEY',
      'KEY_TOO_LONG',
      'VALUE_TOO_LARGE',
      'UNSUPPORTED_MEDIA_TYPE',
      'OVERLOADED',
      'CORRUPT_RECORD',
      'REPLICA_STOPPED',
      'FORGOTTEN',
      'STORE_FULL',
    ),
  },
};

export const getLegacy: Operation = {
  summary: 'Read a string',
  takes: [queryParameter('key', 'the key', { type: 'string' })],
  responses: {
    200: shown,
    ...problems('KEY_NOT_FOUND', 'INVALID_QUERY', 'INVALID_KEY', 'KEY_TOO_LONG', 'CORRUPT_RECORD'),
  },
};
