// What does a client learn when something goes wrong? One registry of errors: a stable code, the status, a title, and an
// honest outcome. `definite`: nothing happened. `unknown`: the write may have happened, or may still.

export type Outcome = 'definite' | 'unknown';

interface ProblemKind {
  readonly status: number;
  readonly outcome: Outcome;
  readonly title: string;
}

/** Every error that the interface can answer. Codes never change their meaning. */
export const PROBLEMS = {
  INVALID_KEY: definite(400, 'The key is not one percent-encoded path segment of 1 to 1024 bytes of UTF-8.'),
  INVALID_QUERY: definite(400, 'A query parameter is unknown, repeated, or has a value it cannot have.'),
  INVALID_HEADER: definite(400, 'A request header is unknown, not for this route, or has a value it cannot have.'),
  INVALID_TOKEN: definite(400, 'A context, session or cursor is not one that a replica of this cluster gave out.'),
  INVALID_BODY: definite(400, 'The body is not what this route takes.'),
  INVALID_OPERATION: definite(400, 'An operation of a batch is unknown, or has a field it cannot have.'),
  INVALID_MESSAGE: definite(400, 'The message of a replica cannot be read.'),
  PROTOCOL_VERSION: definite(400, 'The replicas speak different versions of the protocol.'),
  MALFORMED_REQUEST: definite(400, 'The request is not HTTP.'),
  UNAUTHENTICATED: definite(401, 'This route is for replicas, which show the cluster secret.'),
  FORBIDDEN: definite(403, 'The cluster secret is another one.'),
  NO_SUCH_ROUTE: definite(404, 'There is nothing at this path.'),
  KEY_NOT_FOUND: definite(404, 'The key has no value here.'),
  METHOD_NOT_ALLOWED: definite(405, 'This path does not take this method.'),
  REQUEST_TIMEOUT: definite(408, 'The request did not arrive in time.'),
  TOO_MANY_SIBLINGS: definite(409, 'Its siblings would be too many or too large; read it, and write with its context.'),
  WRONG_TYPE: definite(409, 'The key has a value of another type.'),
  CURSOR_EXPIRED: definite(410, 'The log does not reach back to the cursor; list the keys, and go on from there.'),
  PRECONDITION_FAILED: definite(412, 'The key is not in the state that the request demands.'),
  VALUE_TOO_LARGE: definite(413, 'The value is larger than this cluster takes.'),
  COLLECTION_TOO_LARGE: definite(413, 'The counter, set or map would be larger than a key may be.'),
  BATCH_TOO_LARGE: definite(413, 'The batch has more operations or bytes than one may have.'),
  KEY_TOO_LONG: definite(414, 'The key is longer than 1024 bytes.'),
  UNSUPPORTED_MEDIA_TYPE: definite(415, 'The body has a type or an encoding that this route does not take.'),
  MISDIRECTED: definite(421, 'The message is for another replica.'),
  CONTEXT_OF_ANOTHER_KEY: definite(422, 'The context was read from another key.'),
  IDEMPOTENCY_KEY_REUSED: definite(422, 'The idempotency key was used for another request on this key.'),
  OVERLOADED: definite(429, 'Too many bytes are being received, or too many readers wait for changes.'),
  HEADERS_TOO_LARGE: definite(431, 'The request line or the headers are too long.'),
  INTERNAL: { status: 500, outcome: 'unknown', title: 'The replica failed; its log says why.' },
  NO_SUCH_MEMBER: definite(404, 'The cluster has no member of this name.'),
  MEMBER_NOT_REMOVABLE: definite(409, 'This member cannot be removed here.'),
  FORGOTTEN: definite(503, 'This replica was removed from the cluster.'),
  NOT_CAUGHT_UP: definite(503, 'The replica has not seen yet what the session or cursor has seen.'),
  QUORUM_NOT_REACHED: definite(503, 'Fewer replicas than the read asks for have answered in time.'),
  CORRUPT_RECORD: definite(503, 'A record on disk is damaged; the detail says what becomes of it.'),
  REPLICA_STOPPED: { status: 503, outcome: 'unknown', title: 'The replica stopped while the request was under way.' },
  STORE_FULL: definite(507, 'The disk is nearly full; reads still work.'),
} as const satisfies Record<string, ProblemKind>;

export type ProblemCode = keyof typeof PROBLEMS;

/**
 * An answer other than what was asked for. Thrown at the edge, and turned into an answer by `answerError` alone. It has
 * no stack, for to take one costs more than all else of a read that finds nothing; what nobody expected is its cause, and has one.
 */
export class Problem extends Error {
  constructor(
    readonly code: ProblemCode,
    detail: string,
    readonly headers: Readonly<Record<string, string>> = {},
    options?: ErrorOptions,
  ) {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(detail, options);
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** The body, by RFC 9457. */
export function problemBody(problem: Problem): string {
  return JSON.stringify(problemOfCode(problem));
}

/** The same before it is text. */
export function problemOfCode(problem: Problem) {
  const { status, outcome, title } = PROBLEMS[problem.code];
  return { type: 'about:blank', title, status, detail: problem.message, code: problem.code, outcome };
}

function definite(status: number, title: string): ProblemKind & { outcome: 'definite' } {
  return { status, outcome: 'definite', title };
}
