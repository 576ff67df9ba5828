// Which requests are answered before any router sees them? Those for one key: they are nearly all that a replica gets,
// and a router with its layers costs several times what answering them does. The handler is the one that the
// controller has, so that both ways give the same answers; requests that this one leaves go on to the controllers.

import { Logger } from '@nestjs/common';
import type { Request, Response } from '../http/exchange.js';
import { unknownHeader } from '../http/own-headers.js';
import { PlainRequest } from '../http/plain/plain-request.js';
import { answerError } from '../http/send-problem.js';
import { KV_PREFIX, type KvHandler } from './kv-handler.js';

export class KeyRoute {
  private readonly logger = new Logger('Http');

  constructor(private readonly keys: KvHandler) {}

  /**
   * @returns whether it answers the request; the other methods, the proxy's form of the target and headers that there are
   * not it leaves to the router, and what stands before it
   */
  take(req: Request, res: Response): boolean {
    if (!req.url!.startsWith(KV_PREFIX)) return false;
    // Who reads plain requests has looked already, once for all that have the same headers.
    if (!(req instanceof PlainRequest) && unknownHeader(req.headers) !== undefined) return false;
    const answered = this.answer(req, res);
    if (answered === undefined) return false;
    answered.catch((error: unknown) => answerError(res, error, this.logger));
    return true;
  }

  private answer(req: Request, res: Response): Promise<void> | undefined {
    switch (req.method) {
      case 'GET':
      case 'HEAD':
        return this.keys.read(req, res);
      case 'PUT':
        return this.keys.put(req, res);
      case 'DELETE':
        return this.keys.delete(req, res);
      default:
        return undefined;
    }
  }
}
