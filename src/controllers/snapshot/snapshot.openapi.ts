// OpenAPI of the route of backups.

import { problems, type Operation } from '../http/openapi.js';

const EXAMPLE = [
  '{"quartet":"snapshot","version":2,"node":"n1","actor":"n1.t8k2xq7ab","clock":{"n1.t8k2xq7ab":1},"takenAt":"2026-01-01T12:00:00.000Z"}',
  '{"key":"greeting","versions":[{"actor":"n1.t8k2xq7ab","counter":1,"stamp":1767268800000000,"contentType":"text/plain","value":"hello"}]}',
  '{"end":true,"keys":1,"sha256":"…"}',
];

export const takeSnapshot: Operation = {
  summary: 'Back up everything, as of one moment',
  description:
    'One JSON text a line: what the replica knows, then each key with its versions in the order of keys, and `end`, ' +
    'without which the snapshot is not complete. `quartet restore` loads it into a data folder without a database.',
  takes: [],
  responses: {
    200: {
      description: 'The state of one commit. Writes go on meanwhile.',
      content: { 'application/x-ndjson': { schema: { type: 'string' }, example: EXAMPLE.join('\n') } },
    },
    ...problems('INVALID_QUERY', 'CORRUPT_RECORD'),
  },
};
