// Messages of other replicas are taken before any router sees them, as requests for keys are: where hundreds of writes a second
// come to each of four replicas, nearly every write is a message of its own to three others.

import { Logger } from '@nestjs/common';
import { PEER_PATH } from '../../replication/transport/http-peer-transport.js';
import type { Request, Response } from '../http/exchange.js';
import { answerError } from '../http/send-problem.js';
import type { PeerController } from './peer.controller.js';

export class PeerRoute {
  private readonly logger = new Logger('Http');

  constructor(private readonly peers: PeerController) {}

  /**
   * @returns whether it answers the request; other methods, other forms of the target and what is refused it leaves to the
   * router, which knows from where a request came
   */
  take(req: Request, res: Response): boolean {
    if (req.method !== 'POST' || req.url !== PEER_PATH || this.peers.refusalOf(req) !== undefined) return false;
    this.peers.answer(req, res).catch((error: unknown) => answerError(res, error, this.logger));
    return true;
  }
}
