// What does a route answer to a method that it does not have?

import type { IncomingMessage } from 'node:http';
import { Problem } from './problem.js';

/** @throws Problem METHOD_NOT_ALLOWED, with the methods that there are in `Allow` */
export function methodNotAllowed(req: IncomingMessage, allowed: string): never {
  throw new Problem('METHOD_NOT_ALLOWED', `${req.method} is not among ${allowed}`, { Allow: allowed });
}
