// OpenAPI of the original interface.

import { headers, json, problems, queryParameter, type Operation } from '../http/openapi.js';
import { COUNT, listOf, mapOf, objectOf, objectWithValue, STRING } from '../http/schema.js';

/** A loser stands as a string, or as base64 in an object of its own. */
const shownSchema = objectWithValue({
  key: STRING,
  clock: mapOf(COUNT),
  conflicts: listOf({ oneOf: [STRING, objectOf({ base64: STRING })] }),
});
const shown = json(
  'The value after the write, or as read, with the clock and the losing values.',
  shownSchema,
  { key: 'greeting', value: 'hello', clock: { n1: 57, n2: 12 }, conflicts: ['hallo'] },
  headers(['Cache-Control']),
);
const fields = {
  schema: objectOf({ key: STRING, value: STRING }),
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
      'WRONG_TYPE',
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
  takes: [{ ...queryParameter('key', 'the key', { type: 'string' }), example: 'greeting', isRequired: true }],
  responses: {
    200: shown,
    ...problems('KEY_NOT_FOUND', 'INVALID_QUERY', 'INVALID_KEY', 'KEY_TOO_LONG', 'CORRUPT_RECORD'),
    409: { ...problems('WRONG_TYPE')[409]!, headers: { ...headers(['Cache-Control']) } },
  },
};
