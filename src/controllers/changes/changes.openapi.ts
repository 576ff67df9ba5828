// OpenAPI of the route of the change feed.

import { VALUE_TYPES } from '../../clock/value-type.js';
import { headerParameter, headers, problems, queryParameter, type Operation } from '../http/openapi.js';
import { ANYTHING, COUNT, listOf, objectOf, oneOfStrings, STRING } from '../http/schema.js';
import { FEEDS, LIMIT, LIMIT_MAX, TIMEOUT_MS_MAX } from './changes-handler.js';

/** `type`, `etag` and `siblings` come with a key that has a value, and with `?values=true` its `contentType` and the value. */
const entrySchema = objectOf({
  key: STRING,
  op: oneOfStrings('put', 'delete', 'expire'),
  'type?': oneOfStrings(...VALUE_TYPES),
  'etag?': STRING,
  'siblings?': COUNT,
  'contentType?': STRING,
  'value?': ANYTHING,
  'base64?': STRING,
});
const batchSchema = objectOf({ entries: listOf(entrySchema), cursor: STRING, pending: COUNT, session: STRING });
const batchExample = {
  entries: [
    {
      key: 'greeting',
      op: 'put',
      type: 'register',
      etag: '"n1.t8k2xq7ab:57"',
      siblings: 1,
      contentType: 'text/plain',
      value: 'hello',
    },
    { key: 'farewell', op: 'delete' },
  ],
  cursor: 'AQM…',
  pending: 0,
  session: 'AQI…',
};

export const followChanges: Operation = {
  summary: 'Follow what changes',
  description:
    'One entry for each key that has changed after the cursor, in its latest state; keys come in no order. `poll` answers ' +
    'at once, `longpoll` when there is something, `eventsource` is a stream of server-sent events, one for each batch, ' +
    'with the cursor as its id. A cursor is good at every replica.',
  takes: [
    queryParameter('since', 'a cursor; `0`: from the beginning, as long as the log holds it; `now`: from here on', {
      type: 'string',
      default: '0',
    }),
    queryParameter('prefix', 'keys that begin with this', { type: 'string' }),
    queryParameter('limit', 'entries of a batch at most', {
      type: 'integer',
      minimum: 1,
      maximum: LIMIT_MAX,
      default: LIMIT,
    }),
    queryParameter('values', 'with content type and value', { type: 'boolean', default: false }),
    queryParameter('feed', 'how to wait', { type: 'string', enum: [...FEEDS], default: 'poll' }),
    queryParameter('timeout', 'milliseconds to wait for the cursor, and for a change (longpoll: 30000)', {
      type: 'integer',
      minimum: 0,
      maximum: TIMEOUT_MS_MAX,
      default: 5000,
    }),
    headerParameter('Last-Event-ID', 'eventsource: the cursor, before `since`'),
    headerParameter('Quartet-Session', 'never answer from a state older than this token’s'),
  ],
  responses: {
    200: {
      description: '`cursor` is what `since` takes next; `pending` counts the writes that are still to be looked at.',
      headers: { ...headers(['Cache-Control'], ['Quartet-Cursor', 'Quartet-Session', 'X-Accel-Buffering']) },
      content: {
        'application/json': { schema: batchSchema, example: batchExample },
        'text/event-stream': {
          schema: STRING,
          example: `id: AQM…\ndata: ${JSON.stringify(batchExample)}\n\n`,
        },
      },
    },
    ...problems('INVALID_QUERY', 'INVALID_TOKEN', 'CURSOR_EXPIRED', 'OVERLOADED', 'NOT_CAUGHT_UP', 'CORRUPT_RECORD'),
  },
};
