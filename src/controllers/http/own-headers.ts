// Which headers of a request are this interface's own? One that is misspelt would be taken for none without a word: a write
// would replace siblings that its author has never read.

import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { PEER_PATH } from '../../replication/transport/http-peer-transport.js';
import { Problem } from './problem.js';

const PREFIX = 'quartet-';
const NAMES = ['Quartet-Context', 'Quartet-Session'];
const KNOWN = new Set(NAMES.map((name) => name.toLowerCase()));

/** The name of a header that looks like one of this interface, and is none. A route may still refuse one that there is. */
export function unknownHeader(headers: IncomingHttpHeaders): string | undefined {
  for (const name in headers) if (name.startsWith(PREFIX) && !KNOWN.has(name)) return name;
  return undefined;
}

/**
 * Stands before all routes. What replicas send each other is not for it: a later release may say more.
 * @throws Problem INVALID_HEADER
 */
export function refuseUnknownHeaders(
  req: IncomingMessage & { readonly path: string },
  _res: ServerResponse,
  next: () => void,
): void {
  const name = unknownHeader(req.headers);
  if (name === undefined || req.path === PEER_PATH) return next();
  throw new Problem('INVALID_HEADER', `${name} is not known; there are: ${NAMES.join(', ')}`);
}
