// OpenAPI of the routes about the node itself.

import {
  bare,
  headers,
  json,
  problems,
  queryParameter,
  text,
  type Operation,
  type Parameter,
} from '../http/openapi.js';
import { BOOLEAN, COUNT, listOf, mapOf, objectOf, oneOfStrings, orNull, STRING } from '../http/schema.js';

const clusterSchema = objectOf({
  name: STRING,
  actor: STRING,
  clock: mapOf(COUNT),
  standing: oneOfStrings('member', 'joining', 'unlisted', 'unnamed', 'unfound', 'forgotten'),
  members: listOf(STRING),
  peers: listOf(
    objectOf({
      name: STRING,
      url: STRING,
      state: oneOfStrings('up', 'behind', 'bootstrapping', 'unreachable'),
      lagDots: COUNT,
      lagSeconds: { type: 'number', minimum: 0 },
      missingDots: COUNT,
      problem: orNull({ type: 'string' }),
    }),
  ),
  log: objectOf({ entries: COUNT }),
  catchUp: objectOf({ isOver: BOOLEAN, missingDots: COUNT, bootstrapsFrom: orNull({ type: 'string' }) }),
});

const CLUSTER = {
  name: 'n1',
  actor: 'n1.t8k2xq7ab',
  clock: { 'n1.t8k2xq7ab': 57, 'n2.t8k2xq9cd': 12 },
  standing: 'member',
  members: ['n1', 'n2'],
  peers: [
    {
      name: 'n2',
      url: 'http://127.0.0.1:5001',
      state: 'up',
      lagDots: 0,
      lagSeconds: 0,
      missingDots: 0,
      problem: null,
    },
  ],
  log: { entries: 69 },
  catchUp: { isOver: true, missingDots: 0, bootstrapsFrom: null },
};

const noStore = headers(['Cache-Control']);

export const showCluster: Operation = {
  summary: 'This node, its clock, and its peers as it sees them',
  takes: [],
  responses: {
    200: json('As of now.', clusterSchema, CLUSTER, noStore),
    ...problems('INVALID_QUERY'),
  },
};

const nameParameter: Parameter = {
  in: 'path',
  name: 'name',
  description: 'the name of the member',
  schema: { type: 'string' },
  example: 'n4',
};

export const forgetMember: Operation = {
  summary: 'Remove a member that is gone for good',
  takes: [nameParameter],
  responses: {
    204: bare('It is removed here, and soon everywhere.'),
    ...problems('INVALID_QUERY', 'NO_SUCH_MEMBER', 'MEMBER_NOT_REMOVABLE', 'REPLICA_STOPPED'),
  },
};

export const showLivez: Operation = {
  summary: 'Whether the process is alive',
  takes: [],
  responses: { 200: text('It is.', noStore), ...problems('INVALID_QUERY') },
};

export const showReadyz: Operation = {
  summary: 'Whether the replica serves',
  takes: [queryParameter('verbose', 'each check, with a word on why', { type: 'string' })],
  responses: { 200: text('It does.', noStore), 503: text('It does not.', noStore), ...problems('INVALID_QUERY') },
};

export const showMetrics: Operation = {
  summary: 'Figures in the format of Prometheus',
  takes: [],
  responses: { 200: text('All of them.', noStore), ...problems('INVALID_QUERY') },
};
