// How is a request body received? Whole, bounded each and in sum, or not at all: half a body changes nothing.

import type { IncomingMessage } from 'node:http';
import type { Request } from './exchange.js';
import { PlainRequest } from './plain/plain-request.js';
import { Problem, type ProblemCode } from './problem.js';
import { ClientGoneError } from './send-problem.js';

/**
 * Bounds the bytes of all bodies that are being received, or are kept while their writes wait: beyond it a replica says so,
 * instead of running out of memory.
 */
export class BodyBudget {
  private reserved = 0;

  constructor(private readonly bytesMax: number) {}

  /** @throws Problem OVERLOADED */
  reserve(bytes: number): void {
    const problem = this.refusalOf(bytes);
    if (problem !== undefined) throw problem;
  }

  /** Reserves them; or else why not: OVERLOADED. */
  refusalOf(bytes: number): Problem | undefined {
    // A body larger than the whole budget is let in when it is alone: its own limit bounds it.
    if (this.reserved > 0 && this.reserved + bytes > this.bytesMax)
      return new Problem('OVERLOADED', 'try again in a second, or at another replica', { 'Retry-After': '1' });
    this.reserved += bytes;
    return undefined;
  }

  release(bytes: number): void {
    this.reserved -= bytes;
  }
}

const GONE = 'the client left before its request was complete';

export interface BodyLimit {
  readonly bytesMax: number;
  readonly tooLarge: ProblemCode;
  readonly budget: BodyBudget;
}

/**
 * The whole body. The rest of a body that is refused is read and dropped, so that the client can see the answer.
 * @throws Problem when it is too large or the replica is overloaded; ClientGoneError when it ends too early
 */
export function readBody(req: Request, limit: BodyLimit): Promise<Buffer> {
  return withBody(req, limit, (body) => Promise.resolve(body));
}

/** As `readBody`, for who keeps the body while waiting: it counts for its own size until `use` has ended. */
export async function withBody<T>(req: Request, limit: BodyLimit, use: (body: Buffer) => Promise<T>): Promise<T> {
  const announced = req.headers['content-length'];
  if (announced === undefined && req.headers['transfer-encoding'] === undefined) return use(Buffer.alloc(0));
  // Its client may have left before anybody listened: no event would tell.
  if (!(req instanceof PlainRequest) && req.destroyed) throw new ClientGoneError(GONE);
  let length = announced === undefined ? limit.bytesMax : Number(announced);
  if (length > limit.bytesMax) throw tooLarge(limit);
  limit.budget.reserve(length);
  try {
    const body = req instanceof PlainRequest ? joined([req.body], length) : await receive(req, limit);
    // How large a body in chunks is, only its end tells.
    limit.budget.release(length - body.length);
    length = body.length;
    return await use(body);
  } finally {
    limit.budget.release(length);
  }
}

/**
 * Resolves when all of a request has come whose body means nothing; half a request is none. Undefined where there is no body,
 * as nearly always.
 * @throws ClientGoneError when it ends too early
 */
export function dropBody(req: Request): Promise<void> | undefined {
  const { 'content-length': length = '0', 'transfer-encoding': coding } = req.headers;
  if (req instanceof PlainRequest || (length === '0' && coding === undefined)) return undefined;
  if (req.destroyed) throw new ClientGoneError(GONE);
  return new Promise((resolve, reject) => {
    const gone = (): void => reject(new ClientGoneError(GONE));
    req.on('end', resolve).on('error', gone).on('close', gone).resume();
  });
}

function receive(req: IncomingMessage, limit: BodyLimit): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    let isSettled = false;
    req.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limit.bytesMax) chunks.push(chunk);
      else {
        isSettled = true;
        reject(tooLarge(limit));
      }
    });
    req.on('end', () => {
      isSettled = true;
      if (size <= limit.bytesMax) resolve(joined(chunks, size));
    });
    const gone = (): void => {
      if (!isSettled) reject(new ClientGoneError(GONE));
    };
    req.on('error', gone);
    req.on('close', gone);
  });
}

/**
 * A chunk is a view of the much larger buffer that the socket was read into: copied, it keeps no more alive than Node's pool of
 * 8 KiB.
 */
function joined(chunks: readonly Buffer[], size: number): Buffer {
  const body = Buffer.allocUnsafe(size);
  let place = 0;
  for (const chunk of chunks) place += chunk.copy(body, place);
  return body;
}

function tooLarge(limit: BodyLimit): Problem {
  return new Problem(limit.tooLarge, `the body is larger than ${limit.bytesMax} bytes`);
}
