// May this replica answer this session? Once it has seen what the session has: a request with a token waits at the gate
// up to its own limit, and is then turned away. Never is it answered from an older state without a word.

import type { VersionVector } from '../../clock/version-vector.js';
import type { ReplicaDriver } from '../../replication/replica-driver.js';
import type { Request } from './exchange.js';
import { Problem } from './problem.js';
import { integerParameter, type Query } from './query.js';
import type { Tokens } from './tokens.js';

/** How long a session waits for its replica, and a write for acknowledgements, unless `?timeout=` says otherwise. */
const TIMEOUT_MS = 5000;

/** Longer waits only pile up requests: a client may ask again. */
const TIMEOUT_MS_MAX = 60_000;

/** @throws Problem INVALID_QUERY */
export function timeoutMsOf(query: Query): number {
  return integerParameter(query, 'timeout', TIMEOUT_MS, 0, TIMEOUT_MS_MAX);
}

export class SessionGate {
  constructor(
    private readonly driver: ReplicaDriver,
    private readonly tokens: Tokens,
  ) {}

  /**
   * Resolves when this replica has seen what the session of this request has. Undefined without a token: most requests
   * have none, and should not wait for a promise.
   * @throws Problem INVALID_TOKEN, NOT_CAUGHT_UP
   */
  pass(req: Request, timeoutMs: number): Promise<void> | undefined {
    const token = req.headers['quartet-session'];
    return typeof token === 'string' ? this.covers(this.tokens.parseSession(token), timeoutMs) : undefined;
  }

  /**
   * Resolves when this replica has seen all of `seen`.
   * @throws Problem NOT_CAUGHT_UP
   */
  async covers(seen: VersionVector, timeoutMs: number): Promise<void> {
    if (await this.driver.covers(seen, timeoutMs)) return;
    throw notCaughtUp(timeoutMs);
  }
}

export function notCaughtUp(timeoutMs: number): Problem {
  return new Problem('NOT_CAUGHT_UP', `not within ${timeoutMs} ms; try again, or at another replica`, {
    'Retry-After': '1',
  });
}
