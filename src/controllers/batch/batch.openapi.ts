// OpenAPI of the route of batches.

import { headerParameter, headers, json, ndjson, problems, queryParameter, type Operation } from '../http/openapi.js';
import { COUNT, listOf, objectOf, objectWithValue, oneOfStrings, STRING } from '../http/schema.js';
import { OPERATIONS_MAX } from './batch-body.js';

const operation = {
  oneOf: [
    objectWithValue({
      op: oneOfStrings('put'),
      key: STRING,
      'contentType?': STRING,
      'ttl?': COUNT,
      'context?': STRING,
      'idempotencyKey?': STRING,
    }),
    objectOf({ op: oneOfStrings('get'), key: STRING }),
    objectOf({ op: oneOfStrings('delete'), key: STRING, 'context?': STRING, 'idempotencyKey?': STRING }),
  ],
};
const operations = [
  { op: 'put', key: 'greeting', value: 'hello', contentType: 'text/plain' },
  { op: 'get', key: 'greeting' },
  { op: 'delete', key: 'farewell' },
];
const result = objectOf({
  'key?': STRING,
  status: { type: 'integer', description: 'as a request of its own would be answered' },
  'dot?': STRING,
  'etag?': STRING,
  'siblings?': COUNT,
  'contentType?': STRING,
  'value?': STRING,
  'base64?': STRING,
  'context?': STRING,
  'replayed?': { type: 'boolean', description: 'an earlier request with this `idempotencyKey` has done it' },
  'problem?': objectOf({
    type: STRING,
    title: STRING,
    status: COUNT,
    detail: STRING,
    code: STRING,
    outcome: oneOfStrings('definite', 'unknown'),
  }),
});
const results = [
  { key: 'greeting', status: 201, dot: 'n1.t8k2xq7ab:57', etag: '"n1.t8k2xq7ab:57"', siblings: 1, context: 'AQE…' },
  {
    key: 'greeting',
    status: 200,
    etag: '"n1.t8k2xq7ab:57"',
    siblings: 1,
    contentType: 'text/plain',
    value: 'hello',
    context: 'AQE…',
  },
  { key: 'farewell', status: 204, dot: 'n1.t8k2xq7ab:58', siblings: 0, context: 'AQE…' },
];

function answer(description: string) {
  const schema = objectOf({ results: listOf(result), acks: COUNT, session: STRING });
  const carried = headers(['Cache-Control', 'Quartet-Session', 'Quartet-Acks']);
  const { content, ...rest } = json(description, schema, { results, acks: 1, session: 'AQI…' }, carried) as {
    content: object;
  };
  return { description, ...rest, content: { ...content, ...ndjson(result, results) } };
}

export const runBatch: Operation = {
  summary: 'Many operations in one commit',
  description:
    'Up to 10,000 operations, `put`, `get` or `delete`, in one commit, with one status for each in their order. A `get` ' +
    'sees what the operations before it have done. One that can’t be done has its `problem`, and the others are done. An ' +
    'array is answered by an object, NDJSON by one result a line.',
  takes: [
    queryParameter('w', 'replicas that must have committed all of it: a number, `majority` or `all`', {
      type: 'string',
      default: '1',
    }),
    queryParameter('timeout', 'milliseconds to wait for other replicas, or for the session', {
      type: 'integer',
      minimum: 0,
      maximum: 60_000,
      default: 5000,
    }),
    headerParameter('Quartet-Session', 'never answer from a state older than this token’s'),
  ],
  requestBody: {
    required: true,
    content: {
      'application/json': { schema: { ...listOf(operation), maxItems: OPERATIONS_MAX }, example: operations },
      ...ndjson(operation, operations),
    },
  },
  responses: {
    200: answer('One result for each operation.'),
    202: answer('Committed here; not acknowledged by `w` replicas in time. Nothing is undone.'),
    ...problems(
      'INVALID_QUERY',
      'INVALID_TOKEN',
      'INVALID_BODY',
      'BATCH_TOO_LARGE',
      'UNSUPPORTED_MEDIA_TYPE',
      'OVERLOADED',
      'NOT_CAUGHT_UP',
      'REPLICA_STOPPED',
      'FORGOTTEN',
      'STORE_FULL',
    ),
  },
};
