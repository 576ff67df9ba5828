// OpenAPI of the route between replicas.

import { headers, problemsForPeers, type Operation } from '../http/openapi.js';

const message = { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } };

export const receiveMessage: Operation = {
  summary: 'A message of another replica',
  description:
    'For replicas only, which show the cluster secret when there is one. The messages are not for others to read.',
  takes: [],
  security: [{ secret: [] }, {}],
  requestBody: { description: 'One message, plain or deflated', required: true, content: message },
  responses: {
    200: {
      description: 'The answer: one message, plain or deflated.',
      headers: { ...headers([], ['Content-Encoding']) },
      content: message,
    },
    ...problemsForPeers(
      'INVALID_QUERY',
      'INVALID_MESSAGE',
      'PROTOCOL_VERSION',
      'UNAUTHENTICATED',
      'FORBIDDEN',
      'VALUE_TOO_LARGE',
      'UNSUPPORTED_MEDIA_TYPE',
      'MISDIRECTED',
      'OVERLOADED',
      'CORRUPT_RECORD',
      'REPLICA_STOPPED',
      'STORE_FULL',
    ),
  },
};
