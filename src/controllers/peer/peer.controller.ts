// The route between replicas. A client has no business here.

import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { All, Controller, Inject, Post, Req, Res } from '@nestjs/common';
import { ApiExcludeEndpoint, ApiTags } from '@nestjs/swagger';
import { MESSAGE_BYTES_MAX, PEER_CONTENT_TYPE } from '../../replication/transport/http-peer-transport.js';
import { PeerEndpoint } from '../../replication/transport/peer-endpoint.js';
import { readBody, type BodyBudget } from '../http/body.js';
import type { Request, Response } from '../http/exchange.js';
import { methodNotAllowed } from '../http/method-not-allowed.js';
import { Describe } from '../http/openapi.js';
import { Problem } from '../http/problem.js';
import { parseQuery } from '../http/query.js';
import { receiveMessage } from './peer.openapi.js';
import { StrangerLog } from './stranger-log.js';

export interface PeerOptions {
  readonly clusterSecret: string | undefined;
  /** Whether replicas have a port of their own: then they are taken there alone. */
  readonly hasPeerPort: boolean;
  /** Apart from the clients' budget: a flood of clients must not hold up replication. */
  readonly budget: BodyBudget;
}

export const PEER_OPTIONS = Symbol('PeerOptions');

@ApiTags('replicas')
@Controller('put_remote')
export class PeerController {
  private readonly secret: Buffer | undefined;
  private readonly strangers = new StrangerLog();

  constructor(
    private readonly endpoint: PeerEndpoint,
    @Inject(PEER_OPTIONS) private readonly options: PeerOptions,
  ) {
    this.secret = options.clusterSecret === undefined ? undefined : digest(options.clusterSecret);
  }

  @Post()
  @Describe(receiveMessage)
  async receive(@Req() req: IncomingMessage, @Res() res: ServerResponse): Promise<void> {
    const refusal = this.refusalOf(req);
    if (refusal === undefined) return this.answer(req, res);
    if (refusal.code !== 'NO_SUCH_ROUTE') this.strangers.cameFrom(req.socket.remoteAddress, refusal);
    throw refusal;
  }

  /** @param req of which `refusalOf` says nothing */
  async answer(req: Request, res: Response): Promise<void> {
    parseQuery(req.url!, []);
    const encoding = req.headers['content-encoding'];
    if (req.headers['content-type'] !== PEER_CONTENT_TYPE || (encoding !== undefined && encoding !== 'deflate')) {
      throw new Problem('UNSUPPORTED_MEDIA_TYPE', `replicas send ${PEER_CONTENT_TYPE}, plain or deflated`);
    }
    const { budget } = this.options;
    const body = await readBody(req, { bytesMax: MESSAGE_BYTES_MAX, tooLarge: 'VALUE_TOO_LARGE', budget });
    const packed = await this.endpoint.answer(body, encoding !== undefined);
    res.statusCode = 200;
    res.sendDate = false;
    // Not even that the connection stays, which is what HTTP/1.1 means; that it ends is said.
    if (!res.hasHeader('Connection')) res.removeHeader('Connection');
    res.setHeader('Content-Type', PEER_CONTENT_TYPE);
    res.setHeader('Content-Length', packed.body.length);
    if (packed.encoding !== undefined) res.setHeader('Content-Encoding', packed.encoding);
    res.end(packed.body);
  }

  @All()
  @ApiExcludeEndpoint()
  refuse(@Req() req: IncomingMessage): never {
    const wrongPort = this.wrongPort(req);
    if (wrongPort !== undefined) throw wrongPort;
    return methodNotAllowed(req, 'POST');
  }

  /** Why the request is none of a replica of this cluster; undefined: it is one. */
  refusalOf(req: Request): Problem | undefined {
    return this.wrongPort(req) ?? this.wrongSecret(req);
  }

  private wrongPort(req: Request): Problem | undefined {
    if (!this.options.hasPeerPort || req.isFromPeerPort === true) return undefined;
    return new Problem('NO_SUCH_ROUTE', 'replicas are taken at a port of their own');
  }

  /** Compares digests, in a time that says nothing of how much of the secret was right. */
  private wrongSecret(req: Request): Problem | undefined {
    if (this.secret === undefined) return undefined;
    const shown = /^Bearer (.+)$/.exec(req.headers.authorization ?? '')?.[1];
    if (shown === undefined) {
      const headers = { 'WWW-Authenticate': 'Bearer' };
      return new Problem('UNAUTHENTICATED', 'the request shows no secret (QUARTET_CLUSTER_SECRET)', headers);
    }
    if (timingSafeEqual(digest(shown), this.secret)) return undefined;
    return new Problem('FORBIDDEN', 'the secret is another one (QUARTET_CLUSTER_SECRET)');
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
