// Where does an error become an answer? Here, once: typed errors of the layers below get their code and status.

import type { LoggerService } from '@nestjs/common';
import { MalformedBytesError } from '../../codec/binary-reader.js';
import { CursorExpiredError, ForgottenError, NearlyFullError, ReplicaStoppedError } from '../../replication/errors.js';
import { ProtocolVersionError } from '../../replication/transport/message-codec.js';
import { MisdirectedError } from '../../replication/transport/peer-endpoint.js';
import { CorruptRecordError } from '../../store/record-codec.js';
import { StoreReadError } from '../../store/errors.js';
import type { Response } from './exchange.js';
import { Problem, problemBody, PROBLEMS } from './problem.js';

/** The client ended the connection before its request was complete: there is nobody to answer. */
export class ClientGoneError extends Error {
  readonly code = 'CLIENT_GONE';
}

/** The problem that an error of any layer stands for. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof CorruptRecordError) return new Problem('CORRUPT_RECORD', fateOf(error), {}, { cause: error });
  if (error instanceof StoreReadError) return new Problem('CORRUPT_RECORD', error.message, {}, { cause: error });
  if (error instanceof ReplicaStoppedError) return new Problem('REPLICA_STOPPED', error.message, {}, { cause: error });
  if (error instanceof NearlyFullError) return new Problem('STORE_FULL', error.message);
  if (error instanceof CursorExpiredError) return new Problem('CURSOR_EXPIRED', error.message);
  if (error instanceof ForgottenError) return new Problem('FORGOTTEN', error.message);
  if (error instanceof ProtocolVersionError) return new Problem('PROTOCOL_VERSION', error.message);
  if (error instanceof MisdirectedError) return new Problem('MISDIRECTED', error.message);
  if (error instanceof MalformedBytesError) return new Problem('INVALID_MESSAGE', error.message);
  return new Problem('INTERNAL', 'see the log of the replica', {}, { cause: error });
}

/** What becomes of a damaged record. */
function fateOf({ message, subject }: CorruptRecordError): string {
  switch (subject) {
    case 'key':
      return `${message}; the key is being fetched from the other replicas`;
    case 'request':
      return (
        "what is remembered of this request can't be read: send it to another replica, which may remember it, or here " +
        'again later, when it is carried out anew'
      );
    default:
      return message;
  }
}

/** Answers with the problem that the error stands for. What nobody expected is logged, and told to nobody else. */
export function answerError(res: Response, error: unknown, logger: LoggerService): void {
  if (error instanceof ClientGoneError) return;
  const problem = problemOf(error);
  if (problem.code === 'INTERNAL') logger.error(error instanceof Error ? error.stack : String(error));
  sendProblem(res, problem);
}

export function sendProblem(res: Response, problem: Problem): void {
  if (res.headersSent) {
    // Too late for an answer: a cut connection is the only way left to say that this one is not complete.
    res.destroy();
    return;
  }
  const body = problemBody(problem);
  res.statusCode = PROBLEMS[problem.code].status;
  res.setHeader('Content-Type', 'application/problem+json');
  res.setHeader('Content-Length', Buffer.byteLength(body));
  res.setHeader('Cache-Control', 'no-store');
  for (const [name, value] of Object.entries(problem.headers)) res.setHeader(name, value);
  res.end(body);
}
