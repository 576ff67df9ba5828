// What is a request to a handler that can be reached in several ways, and what its answer? Node's objects, or those of a
// connection that needs no parser; both have what such handlers use under the same names.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { PlainRequest } from './plain/plain-request.js';
import type { PlainResponse } from './plain/plain-response.js';

export type Request = (IncomingMessage & FromPeerPort) | PlainRequest;
export type Response = ServerResponse | PlainResponse;

interface FromPeerPort {
  /** Of a request that came to the port for peers. */
  isFromPeerPort?: boolean;
}
