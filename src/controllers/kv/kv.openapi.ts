// OpenAPI of the routes of keys.

import { headerParameter, json, keyParameter, problems, queryParameter, type Operation } from '../http/openapi.js';

const session = headerParameter('Quartet-Session', 'never answer from a state older than this token’s');
const context = headerParameter(
  'Quartet-Context',
  'replace exactly what was read with this token; none: what this replica has',
);
const ifMatch = headerParameter('If-Match', 'write only if this replica has this entity tag (`*`: any value)');
const ifNoneMatch = headerParameter('If-None-Match', '`*`: write only if this replica has no value');
const timeout = queryParameter('timeout', 'milliseconds to wait for other replicas, or for the session', {
  type: 'integer',
  minimum: 0,
  maximum: 60_000,
  default: 5000,
});
const w = queryParameter('w', 'replicas that must have committed before the answer: a number, `majority` or `all`', {
  type: 'string',
  default: '1',
});
const r = queryParameter(
  'r',
  'replicas whose answers are merged, and that get what they lack: a number, `majority` or `all`',
  { type: 'string', default: '1' },
);
const written = json('The key had a live value here, and has the new one now.', {
  key: 'greeting',
  dot: 'n1.t8k2xq7ab:57',
  context: 'AQE…',
  session: 'AQI…',
  siblings: 1,
  acks: 1,
});
const everyKeyRoute = [
  'INVALID_KEY',
  'KEY_TOO_LONG',
  'INVALID_QUERY',
  'INVALID_TOKEN',
  'NOT_CAUGHT_UP',
  'CORRUPT_RECORD',
] as const;
const everyWrite = [
  ...everyKeyRoute,
  'INVALID_HEADER',
  'CONTEXT_OF_ANOTHER_KEY',
  'PRECONDITION_FAILED',
  'REPLICA_STOPPED',
  'FORGOTTEN',
  'STORE_FULL',
] as const;

export const getKey: Operation = {
  summary: 'Read a key',
  description: 'The winner’s bytes. `Quartet-Siblings` above 1 tells of a conflict; `?siblings=all` shows all of them.',
  takes: [
    keyParameter,
    queryParameter('resolve', 'which sibling wins: the greatest by string order, or the latest', {
      type: 'string',
      enum: ['order', 'latest'],
    }),
    queryParameter('siblings', 'all siblings, as JSON', { type: 'string', enum: ['all'] }),
    r,
    timeout,
    session,
    headerParameter('If-None-Match', 'answer `304` when the key still has this entity tag'),
  ],
  responses: {
    200: {
      description: 'The value, with its own `Content-Type`; with `?siblings=all` JSON, the winner first.',
      headers: {
        ETag: { description: 'names the set of live versions', schema: { type: 'string' } },
        'Last-Modified': { description: 'when the winner was written', schema: { type: 'string' } },
        'Quartet-Context': { description: 'for the next write of this key', schema: { type: 'string' } },
        'Quartet-Session': { description: 'for the next request', schema: { type: 'string' } },
        'Quartet-Siblings': { description: 'how many versions live', schema: { type: 'integer' } },
      },
      content: { '*/*': { schema: { type: 'string', format: 'binary' } } },
    },
    300: json('Several versions live (with `?siblings=all`).', {
      key: 'greeting',
      type: 'register',
      context: 'AQE…',
      session: 'AQI…',
      siblings: [
        { dot: 'n2.t8k2xq9cd:12', time: '2026-01-01T12:00:00.000Z', contentType: 'text/plain', value: 'hello' },
        { dot: 'n1.t8k2xq7ab:57', time: '2026-01-01T12:00:00.000Z', contentType: 'text/plain', value: 'hallo' },
      ],
    }),
    304: { description: 'The key still has this entity tag.' },
    ...problems('KEY_NOT_FOUND', ...everyKeyRoute, 'QUORUM_NOT_REACHED', 'REPLICA_STOPPED'),
  },
};

export const putKey: Operation = {
  summary: 'Write a key',
  description: 'On disk at this replica before the answer. `Prefer: return=minimal` answers `204`, with headers only.',
  takes: [
    keyParameter,
    w,
    timeout,
    context,
    session,
    ifMatch,
    ifNoneMatch,
    headerParameter('Prefer', '`return=minimal`'),
  ],
  requestBody: {
    description: 'Any bytes, kept with their `Content-Type`',
    required: true,
    content: { '*/*': { schema: { type: 'string', format: 'binary' }, example: 'hello' } },
  },
  responses: {
    200: written,
    201: { ...written, description: 'The key had no live value here, and has one now.' },
    202: { ...written, description: 'Written here; not acknowledged by `w` replicas in time. Nothing is undone.' },
    204: { description: 'Written (`Prefer: return=minimal`).' },
    ...problems(
      ...everyWrite,
      'TOO_MANY_SIBLINGS',
      'VALUE_TOO_LARGE',
      'UNSUPPORTED_MEDIA_TYPE',
      'OVERLOADED',
      'REQUEST_TIMEOUT',
    ),
  },
};

export const deleteKey: Operation = {
  summary: 'Delete a key',
  description: 'Idempotent. With a context it deletes what was read; a value that raced with it stays.',
  takes: [keyParameter, w, timeout, context, session, ifMatch],
  responses: {
    202: { ...written, description: 'Deleted here; not acknowledged by `w` replicas in time. Nothing is undone.' },
    204: { description: 'Deleted.' },
    ...problems(...everyWrite),
  },
};

export const listKeys: Operation = {
  summary: 'List keys in the order of their bytes',
  description: 'A page of JSON; with `Accept: application/x-ndjson` all of them, one entry a line, streamed.',
  takes: [
    queryParameter('prefix', 'keys that begin with this', { type: 'string' }),
    queryParameter('after', 'keys that follow this one', { type: 'string' }),
    queryParameter('limit', 'entries at most', { type: 'integer', minimum: 1, maximum: 1000, default: 100 }),
    queryParameter('values', 'with content type and value', { type: 'boolean', default: false }),
    timeout,
    session,
  ],
  responses: {
    200: {
      description: '`next` is the key after which the next page begins, or null.',
      content: {
        'application/json': {
          schema: { type: 'object' },
          example: {
            entries: [{ key: 'greeting', etag: '"n1.t8k2xq7ab:57"', siblings: 1 }],
            next: null,
            session: 'AQI…',
          },
        },
        'application/x-ndjson': { schema: { type: 'string' } },
      },
    },
    ...problems('INVALID_QUERY', 'INVALID_TOKEN', 'NOT_CAUGHT_UP', 'CORRUPT_RECORD'),
  },
};
