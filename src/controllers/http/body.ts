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

const NOTHING = Buffer.alloc(0);

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
  if (announced === undefined && req.headers['transfer-encoding'] === undefined) return use(NOTHING);
  // Its client may have left before anybody listened: no event would tell.
  if (!(req instanceof PlainRequest) && req.destroyed) throw new ClientGoneError(GONE);
  let length = announced === undefined ? limit.bytesMax : Number(announced);
  if (length > limit.bytesMax) throw tooLarge(limit);
  limit.budget.reserve(length);
  try {
    const body = req instanceof PlainRequest ? copied(req.body, length) : await receive(req, limit, length);
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

/**
 * Chunks are copied into one buffer as they come: hundreds of bytes of memory belong to each, and a chunk may be one byte.
 * @param lengthMax of the body: what is announced, or as much as may come
 */
function receive(req: IncomingMessage, limit: BodyLimit, lengthMax: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    /** Undefined once it is settled: the request, which may stay for long, keeps nothing of it. */
    let body: Buffer | undefined = NOTHING;
    let size = 0;
    const settle = (): Buffer | undefined => {
      const settled = body;
      body = undefined;
      return settled;
    };
    req.on('data', (chunk: Buffer) => {
      if (body === undefined) return;
      const place = size;
      size += chunk.length;
      if (size > limit.bytesMax) {
        settle();
        return reject(tooLarge(limit));
      }
      if (size > body.length) body = copied(body, Math.min(Math.max(size, 2 * body.length), lengthMax));
      chunk.copy(body, place);
    });
    req.on('end', () => {
      const whole = settle();
      if (whole !== undefined) resolve(whole.length === size ? whole : copied(whole, size));
    });
    const gone = (): void => {
      if (settle() !== undefined) reject(new ClientGoneError(GONE));
    };
    req.on('error', gone);
    req.on('close', gone);
  });
}

/**
 * A chunk is a view of the much larger buffer that the socket was read into: copied, it keeps no more alive than Node's pool of
 * 8 KiB.
 * @param size of the copy, which may have fewer bytes, or room for more
 */
function copied(bytes: Buffer, size: number): Buffer {
  const copy = Buffer.allocUnsafe(size);
  bytes.copy(copy);
  return copy;
}

function tooLarge(limit: BodyLimit): Problem {
  return new Problem(limit.tooLarge, `the body is larger than ${limit.bytesMax} bytes`);
}
