// OpenAPI of the route of backups.

import { headers, ndjson, problems, type Operation } from '../http/openapi.js';
import { BOOLEAN, COUNT, listOf, mapOf, objectOf, objectWithValue, oneOfStrings, STRING } from '../http/schema.js';
import { session, timeout } from '../kv/kv.openapi.js';

const vectorSchema = mapOf(COUNT);
const firstSchema = objectOf({
  quartet: oneOfStrings('snapshot'),
  version: { type: 'integer', enum: [2] },
  node: STRING,
  actor: STRING,
  clock: vectorSchema,
  takenAt: STRING,
  'claims?': listOf(objectOf({ 'through?': STRING, clock: vectorSchema })),
  'takingOver?': BOOLEAN,
});
const everyVersion = { actor: STRING, counter: COUNT, stamp: COUNT, 'deadlineMs?': COUNT };
const versionSchema = {
  oneOf: [
    objectWithValue({ ...everyVersion, contentType: STRING }),
    objectWithValue({ ...everyVersion, type: oneOfStrings('counter') }),
    objectOf({ ...everyVersion, type: oneOfStrings('set'), part: STRING }),
    objectWithValue({ ...everyVersion, type: oneOfStrings('map'), part: STRING }),
  ],
};
const keySchema = objectOf({
  key: STRING,
  versions: listOf(versionSchema),
  'context?': vectorSchema,
});
const lastSchema = objectOf({ end: BOOLEAN, keys: COUNT, sha256: STRING });

const version = {
  actor: 'n1.t8k2xq7ab',
  counter: 1,
  stamp: 1767268800000000,
  contentType: 'text/plain',
  value: 'hello',
};
const example = [
  {
    quartet: 'snapshot',
    version: 2,
    node: 'n1',
    actor: 'n1.t8k2xq7ab',
    clock: { 'n1.t8k2xq7ab': 1 },
    takenAt: '2026-01-01T12:00:00.000Z',
  },
  { key: 'greeting', versions: [version] },
  { end: true, keys: 1, sha256: '…' },
];

export const takeSnapshot: Operation = {
  summary: 'Back up everything, as of one moment',
  description:
    'One JSON text a line: what the replica knows, then each key with its versions in the order of keys, and `end`, ' +
    'without which the snapshot is not complete. `quartet restore` loads it into a data folder without a database.',
  takes: [timeout, session],
  responses: {
    200: {
      description: 'The state of one commit. Writes go on meanwhile.',
      headers: { ...headers(['Cache-Control']) },
      content: ndjson({ oneOf: [firstSchema, keySchema, lastSchema] }, example),
    },
    ...problems('INVALID_QUERY', 'INVALID_TOKEN', 'NOT_CAUGHT_UP', 'CORRUPT_RECORD'),
  },
};
