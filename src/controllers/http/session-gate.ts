// May this replica answer this session? Once it has seen what the session has: a request with a token waits at the gate
// up to its own limit, and is then turned away. Never is it answered from an older state without a word. What it waits for
// behind the gate has only what is left of that limit.

import type { VersionVector } from '../../clock/version-vector.js';
import type { WriteResult } from '../../replication/engine/output.js';
import type { ReplicaDriver } from '../../replication/replica-driver.js';
import type { WriteRequest } from '../../replication/requests.js';
import type { Request } from './exchange.js';
import { Problem } from './problem.js';
import { integerParameter, type Query } from './query.js';
import type { Tokens } from './tokens.js';

/** How long a request waits for what its session has seen and then for other replicas, unless `?timeout=` says otherwise. */
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
   * Resolves when this replica has seen what the session of this request has, with what is left of `timeoutMs`. Undefined
   * without a token, with all of it left: most requests have none, and should not wait for a promise.
   * @throws Problem INVALID_TOKEN, NOT_CAUGHT_UP
   */
  pass(req: Request, timeoutMs: number): Promise<number> | undefined {
    const token = req.headers['quartet-session'];
    return typeof token === 'string' ? this.covers(this.tokens.parseSession(token), timeoutMs) : undefined;
  }

  /**
   * Writes behind the gate.
   * @throws Problem INVALID_TOKEN, NOT_CAUGHT_UP
   */
  write(req: Request, write: WriteRequest): Promise<WriteResult> {
    const passing = this.pass(req, write.timeoutMs);
    if (passing === undefined) return this.driver.write(write);
    return passing.then((timeoutMs) => this.driver.write({ ...write, timeoutMs }));
  }

  /**
   * Resolves when this replica has seen all of `seen`, with what is left of `timeoutMs`.
   * @throws Problem NOT_CAUGHT_UP
   */
  async covers(seen: VersionVector, timeoutMs: number): Promise<number> {
    const startedAt = performance.now();
    if (!(await this.driver.covers(seen, timeoutMs))) throw notCaughtUp(timeoutMs);
    return Math.max(0, Math.ceil(timeoutMs - (performance.now() - startedAt)));
  }
}

export function notCaughtUp(timeoutMs: number): Problem {
  const detail =
    `not within ${timeoutMs} ms; try again, or at another replica. When all say so again and again, what it names is with a ` +
    'replica that is away, or lost: drop the session; for the changes, list, and go on from the cursor of that';
  return new Problem('NOT_CAUGHT_UP', detail, { 'Retry-After': '1' });
}
