// OpenAPI of the routes of keys.

import {
  bare,
  headerParameter,
  headers,
  idempotencyKey,
  json,
  keyParameter,
  ndjson,
  problems,
  queryParameter,
  type Operation,
} from '../http/openapi.js';
import { VALUE_TYPES } from '../../clock/value-type.js';
import {
  ANYTHING,
  COUNT,
  listOf,
  objectOf,
  objectWithValue,
  oneOfStrings,
  orNull,
  STRING,
  type JsonSchema,
} from '../http/schema.js';

export const session = headerParameter('Quartet-Session', 'never answer from a state older than this token’s');
export const context = headerParameter(
  'Quartet-Context',
  'replace exactly what was read with this token; none: what this replica has',
);
export const ifMatch = headerParameter('If-Match', 'write only if this replica has this entity tag (`*`: any value)');
export const ifNoneMatch = headerParameter('If-None-Match', '`*`: write only if this replica has no value');
export const ifKnown = headerParameter('If-None-Match', 'answer `304` when the key still has this entity tag');
export const ifWanted = headerParameter('If-Match', 'answer only when the key has this entity tag');
export const timeout = queryParameter('timeout', 'milliseconds to wait for other replicas, or for the session', {
  type: 'integer',
  minimum: 0,
  maximum: 60_000,
  default: 5000,
});
export const w = queryParameter(
  'w',
  'replicas that must have committed before the answer: a number, `majority` or `all`',
  {
    type: 'string',
    default: '1',
  },
);
export const r = queryParameter(
  'r',
  'replicas whose answers are merged, and that get what they lack: a number, `majority` or `all`',
  { type: 'string', default: '1' },
);
export const tokens = ['Cache-Control', 'Quartet-Context', 'Quartet-Session'] as const;
const writtenSchema = objectOf({
  key: STRING,
  dot: STRING,
  context: STRING,
  session: STRING,
  siblings: COUNT,
  acks: COUNT,
});
const writtenExample = {
  key: 'greeting',
  dot: 'n1.t8k2xq7ab:57',
  context: 'AQE…',
  session: 'AQI…',
  siblings: 1,
  acks: 1,
};
export const repeated = ['Idempotency-Replayed'] as const;
const put = headers([...tokens, 'ETag', 'Quartet-Siblings', 'Quartet-Acks']);
/** A request that comes again may find the key without a value. */
const putAgain = headers([...tokens, 'Quartet-Siblings', 'Quartet-Acks'], ['ETag', ...repeated]);
const written = json('The key had a live value here, and has the new one now.', writtenSchema, writtenExample, put);
/** A body by default, which the client may have left out. */
export const notAcknowledged = headers(
  [...tokens, 'Quartet-Siblings', 'Quartet-Acks'],
  ['ETag', 'Preference-Applied', ...repeated],
);
export const COUNTER: JsonSchema = { oneOf: [{ type: 'integer' }, { type: 'string' }] };
const everySibling = { dot: STRING, time: STRING };
export const siblingsSchema = objectOf({
  key: STRING,
  type: oneOfStrings(...VALUE_TYPES),
  context: STRING,
  session: STRING,
  siblings: listOf({
    oneOf: [
      objectWithValue({ ...everySibling, type: oneOfStrings('register'), contentType: STRING, 'expires?': STRING }),
      objectOf({ ...everySibling, type: oneOfStrings('counter'), value: COUNTER }),
      objectOf({ ...everySibling, type: oneOfStrings('set'), part: STRING }),
      objectOf({ ...everySibling, type: oneOfStrings('map'), part: STRING, value: ANYTHING }),
    ],
  }),
});
const siblingsExample = {
  key: 'greeting',
  type: 'register',
  context: 'AQE…',
  session: 'AQI…',
  siblings: [
    {
      dot: 'n2.t8k2xq9cd:12',
      time: '2026-01-01T12:00:00.000Z',
      type: 'register',
      contentType: 'text/plain',
      value: 'hello',
    },
    {
      dot: 'n1.t8k2xq7ab:57',
      time: '2026-01-01T12:00:00.000Z',
      type: 'register',
      contentType: 'text/plain',
      value: 'hallo',
    },
  ],
};
/** A key that has no value can be written with the context that says so. */
/** A read tells the same tokens, whatever type the key has. */
export const ofAnotherType = { ...problems('WRONG_TYPE')[409]!, headers: { ...headers(tokens) } };
export const absent = { ...problems('KEY_NOT_FOUND')[404]!, headers: { ...headers(tokens) } };
export const found = [...tokens, 'ETag', 'Last-Modified', 'Quartet-Siblings'] as const;
export const everyKeyRoute = [
  'INVALID_KEY',
  'KEY_TOO_LONG',
  'INVALID_QUERY',
  'INVALID_TOKEN',
  'NOT_CAUGHT_UP',
  'CORRUPT_RECORD',
] as const;
export const everyRead = [
  ...everyKeyRoute,
  'KEY_NOT_FOUND',
  'WRONG_TYPE',
  'PRECONDITION_FAILED',
  'QUORUM_NOT_REACHED',
  'REPLICA_STOPPED',
] as const;
export const everyWrite = [
  ...everyKeyRoute,
  'CONTEXT_OF_ANOTHER_KEY',
  'PRECONDITION_FAILED',
  'IDEMPOTENCY_KEY_REUSED',
  'WRONG_TYPE',
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
    ifKnown,
    ifWanted,
  ],
  responses: {
    200: {
      description: 'The value, with its own `Content-Type`; with `?siblings=all` JSON, the winner first.',
      headers: { ...headers(found, ['X-Content-Type-Options', 'Content-Security-Policy']) },
      content: {
        '*/*': { schema: { type: 'string', format: 'binary' } },
        'application/json': {
          schema: { anyOf: [siblingsSchema, { description: 'a value that is JSON itself' }] },
          example: siblingsExample,
        },
      },
    },
    300: json('Several values compete (with `?siblings=all`).', siblingsSchema, siblingsExample, headers(found)),
    304: bare('The key still has this entity tag.', headers(found)),
    ...problems(...everyRead),
    404: absent,
    409: ofAnotherType,
  },
};

export const putKey: Operation = {
  summary: 'Write a key',
  description: 'On disk at this replica before the answer. `Prefer: return=minimal` answers `204`, with headers only.',
  takes: [
    keyParameter,
    queryParameter('ttl', 'seconds that the value lives; none: until it is replaced', {
      type: 'integer',
      minimum: 1,
      maximum: 315_360_000,
    }),
    w,
    timeout,
    context,
    session,
    ifMatch,
    ifNoneMatch,
    headerParameter('Prefer', '`return=minimal`'),
    idempotencyKey,
  ],
  requestBody: {
    description: 'Any bytes, kept with their `Content-Type`',
    required: true,
    content: { '*/*': { schema: { type: 'string', format: 'binary' }, example: 'hello' } },
  },
  responses: {
    200: json('The key had a live value here, and has the new one now.', writtenSchema, writtenExample, putAgain),
    201: { ...written, description: 'The key had no live value here, and has one now.' },
    202: {
      ...written,
      description: 'Written here; not acknowledged by `w` replicas in time. Nothing is undone.',
      headers: { ...notAcknowledged },
    },
    204: bare(
      'Written (`Prefer: return=minimal`).',
      headers([...tokens, 'Quartet-Siblings', 'Quartet-Acks', 'Preference-Applied'], ['ETag', ...repeated]),
    ),
    ...problems(...everyWrite, 'TOO_MANY_SIBLINGS', 'VALUE_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE', 'OVERLOADED'),
  },
};

export const deleteKey: Operation = {
  summary: 'Delete a key',
  description: 'Idempotent. With a context it deletes what was read; a value that raced with it stays.',
  takes: [keyParameter, w, timeout, context, session, ifMatch, ifNoneMatch, idempotencyKey],
  responses: {
    202: {
      ...written,
      description: 'Deleted here; not acknowledged by `w` replicas in time. Nothing is undone.',
      headers: { ...notAcknowledged },
    },
    204: bare('Deleted.', headers([...tokens, 'Quartet-Siblings'], repeated)),
    ...problems(...everyWrite),
  },
};

/** `contentType` and the value come with `?values=true`; of a counter, a set or a map the value is JSON. */
const entrySchema = objectOf({
  key: STRING,
  type: oneOfStrings(...VALUE_TYPES),
  etag: STRING,
  siblings: COUNT,
  'contentType?': STRING,
  'value?': ANYTHING,
  'base64?': STRING,
});
const entryExample = { key: 'greeting', type: 'register', etag: '"n1.t8k2xq7ab:57"', siblings: 1 };

const listProblems = problems('INVALID_QUERY', 'INVALID_TOKEN', 'NOT_CAUGHT_UP', 'CORRUPT_RECORD');

export const listKeys: Operation = {
  summary: 'List keys in the order of their bytes',
  description: 'A page of JSON; with `Accept: application/x-ndjson` all of them, one entry a line, streamed.',
  takes: [
    queryParameter('prefix', 'keys that begin with this', { type: 'string' }),
    queryParameter('after', 'keys that follow this one', { type: 'string' }),
    queryParameter('limit', 'entries at most; of NDJSON any number, and none: all', {
      type: 'integer',
      minimum: 1,
      maximum: 1000,
      default: 100,
    }),
    queryParameter('values', 'with content type and value', { type: 'boolean', default: false }),
    timeout,
    session,
  ],
  responses: {
    200: {
      description:
        '`next` is the key after which the next page begins, or null; `cursor`: where the change feed goes on.',
      headers: { ...headers(['Cache-Control', 'Quartet-Session', 'Quartet-Cursor']) },
      content: {
        'application/json': {
          schema: objectOf({
            entries: listOf(entrySchema),
            next: orNull({ type: 'string' }),
            session: STRING,
            cursor: STRING,
          }),
          example: { entries: [entryExample], next: null, session: 'AQI…', cursor: 'AQM…' },
        },
        ...ndjson(entrySchema, [entryExample]),
      },
    },
    ...listProblems,
    503: { ...listProblems[503]!, headers: { ...headers(['Cache-Control'], ['Quartet-Session', 'Retry-After']) } },
  },
};
