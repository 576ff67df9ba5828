// OpenAPI of the routes of counters, sets and maps.

import {
  bare,
  headerParameter,
  headers,
  idempotencyKey,
  json,
  keyNamed,
  problems,
  queryParameter,
} from '../http/openapi.js';
import type { Operation, Parameter } from '../http/openapi.js';
import { ANYTHING, COUNT, listOf, mapOf, objectOf, orNull, STRING, type JsonSchema } from '../http/schema.js';
import {
  absent,
  context,
  COUNTER,
  everyRead,
  everyWrite,
  found,
  ifKnown,
  ifMatch,
  ifNoneMatch,
  ifWanted,
  notAcknowledged,
  ofAnotherType,
  r,
  repeated,
  session,
  siblingsSchema,
  timeout,
  tokens,
  w,
} from '../kv/kv.openapi.js';

const TIME = '2026-01-01T12:00:00.000Z';
const TOKENS = { context: 'AQE…', session: 'AQI…' };
const STRINGS = listOf(STRING);
/** Of each type another one: an example is served as it stands here. */
const COUNTER_KEY = keyNamed('visits');
const SET_KEY = keyNamed('tags');
const MAP_KEY = keyNamed('person');
const siblings = queryParameter('siblings', 'every version there is, as JSON', { type: 'string', enum: ['all'] });

interface Described {
  readonly summary: string;
  readonly description: string;
}

interface Shown {
  readonly schema: JsonSchema;
  readonly example: unknown;
}

function reading(
  key: Parameter,
  described: Described,
  { schema, example }: Shown,
  listed: readonly { type: string }[],
): Operation {
  const all = { key: key.example, type: listed[0]!.type, ...TOKENS, siblings: listed };
  return {
    ...described,
    takes: [
      key,
      queryParameter('resolve', 'which sibling of a field wins', { type: 'string', enum: ['order', 'latest'] }),
      siblings,
      r,
      timeout,
      session,
      ifKnown,
      ifWanted,
    ],
    responses: {
      200: {
        description: 'The value; with `?siblings=all` every version that lives.',
        headers: { ...headers(found) },
        content: { 'application/json': { schema: { anyOf: [schema, siblingsSchema] }, example } },
      },
      300: json('Several values compete (with `?siblings=all`).', siblingsSchema, all, headers(found)),
      304: bare('The key still has this entity tag.', headers(found)),
      ...problems(...everyRead),
      404: absent,
      409: ofAnotherType,
    },
  };
}

function writtenSchema(fields: Readonly<Record<string, JsonSchema>>): JsonSchema {
  const dot = orNull({ type: 'string' });
  return objectOf({ key: STRING, dot, context: STRING, session: STRING, siblings: COUNT, acks: COUNT, ...fields });
}

const WRITTEN = { key: 'it', dot: 'n1.t8k2xq7ab:57', ...TOKENS, siblings: 1, acks: 1 };

function changing(
  key: Parameter,
  described: Described,
  body: { readonly schema: JsonSchema; readonly example: object },
  answer: { readonly schema: JsonSchema; readonly example: object },
): Operation {
  const { schema, example } = answer;
  const carried = headers([...tokens, 'Quartet-Siblings', 'Quartet-Acks'], ['ETag']);
  const again = headers([...tokens, 'Quartet-Siblings', 'Quartet-Acks'], ['ETag', ...repeated]);
  return {
    ...described,
    takes: [
      key,
      w,
      timeout,
      session,
      ifMatch,
      ifNoneMatch,
      headerParameter('Prefer', '`return=minimal`'),
      idempotencyKey,
    ],
    requestBody: { required: true, content: { 'application/json': body as object } },
    responses: {
      200: json(
        'The key had a value here, or has none now either. `dot` is null when there was nothing to do.',
        schema,
        example,
        again,
      ),
      201: json('The key had no value here.', schema, example, carried),
      202: json(
        'Done here; not acknowledged by `w` replicas in time. Nothing is undone.',
        schema,
        example,
        notAcknowledged,
      ),
      204: bare(
        'Done (`Prefer: return=minimal`).',
        headers([...tokens, 'Quartet-Siblings', 'Quartet-Acks', 'Preference-Applied'], ['ETag', ...repeated]),
      ),
      ...problems(
        ...everyWrite.filter((code) => code !== 'CONTEXT_OF_ANOTHER_KEY'),
        'INVALID_BODY',
        // A counter has one part for each replica that ever wrote it.
        ...(key === COUNTER_KEY ? [] : (['COLLECTION_TOO_LARGE'] as const)),
        'VALUE_TOO_LARGE',
        'UNSUPPORTED_MEDIA_TYPE',
        'OVERLOADED',
      ),
    },
  };
}

function deleting(key: Parameter, summary: string, description: string): Operation {
  return {
    summary,
    description,
    takes: [key, w, timeout, context, session, ifMatch, idempotencyKey],
    responses: {
      202: json(
        'Deleted here; not acknowledged by `w` replicas in time. Nothing is undone.',
        writtenSchema({}),
        { ...WRITTEN, siblings: 0 },
        notAcknowledged,
      ),
      204: bare('Deleted.', headers([...tokens, 'Quartet-Siblings'], repeated)),
      ...problems(...everyWrite),
    },
  };
}

export const getCounter = reading(
  COUNTER_KEY,
  {
    summary: 'Read a counter',
    description: 'The sum of all additions that this replica knows; beyond 2^53 - 1 a string of its digits.',
  },
  { schema: COUNTER, example: 42 },
  [{ dot: 'n1.t8k2xq7ab:57', time: TIME, type: 'counter', value: 42 } as { type: string }],
);

export const addCounter = changing(
  COUNTER_KEY,
  {
    summary: 'Add to a counter',
    description: 'Exact, however additions at different replicas race. A counter that is not there begins at 0.',
  },
  { schema: objectOf({ add: COUNTER }), example: { add: 5 } },
  { schema: writtenSchema({ value: COUNTER }), example: { ...WRITTEN, value: 42 } },
);

export const deleteCounter = deleting(
  COUNTER_KEY,
  'Delete a counter',
  'Idempotent. Where an addition raced with it, all that its replica had ever added to the counter lives on.',
);

export const getSet = reading(
  SET_KEY,
  { summary: 'Read a set', description: 'Its elements, in the order of their bytes.' },
  { schema: STRINGS, example: ['a', 'b'] },
  [{ dot: 'n1.t8k2xq7ab:57', time: TIME, type: 'set', part: 'a' } as { type: string }],
);

export const updateSet = changing(
  SET_KEY,
  {
    summary: 'Add elements to a set, and remove elements',
    description: 'One step. An add and a remove of the same element that raced leave the element.',
  },
  { schema: objectOf({ 'add?': STRINGS, 'remove?': STRINGS }), example: { add: ['a', 'b'], remove: ['c'] } },
  { schema: writtenSchema({}), example: WRITTEN },
);

export const deleteSet = deleting(SET_KEY, 'Delete a set', 'Idempotent. An element whose add raced with it stays.');

export const getMap = reading(
  MAP_KEY,
  {
    summary: 'Read a map',
    description: 'Its fields. Of one whose puts raced the winner is shown, and all of them with `?siblings=all`.',
  },
  { schema: mapOf(ANYTHING), example: { name: 'Ada', age: 36 } },
  [{ dot: 'n1.t8k2xq7ab:57', time: TIME, type: 'map', part: 'name', value: 'Ada' } as { type: string }],
);

export const updateMap = changing(
  MAP_KEY,
  {
    summary: 'Put fields of a map, and remove fields',
    description: 'One step. A field has any JSON value; other fields are not touched.',
  },
  {
    schema: objectOf({ 'set?': mapOf(ANYTHING), 'remove?': STRINGS }),
    example: { set: { name: 'Ada', age: 36 }, remove: ['email'] },
  },
  { schema: writtenSchema({}), example: WRITTEN },
);

export const deleteMap = deleting(MAP_KEY, 'Delete a map', 'Idempotent. A field whose put raced with it stays.');
