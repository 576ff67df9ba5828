// What does this node know of the cluster?

import type { IncomingMessage } from 'node:http';
import { All, Controller, Get, Req } from '@nestjs/common';
import { ApiExcludeEndpoint, ApiTags } from '@nestjs/swagger';
import { ClusterStatus } from '../../observability/cluster-status.js';
import { methodNotAllowed } from '../http/method-not-allowed.js';
import { Describe } from '../http/openapi.js';
import { parseQuery } from '../http/query.js';
import { showCluster } from './cluster.openapi.js';

/** This node, its clock, and its peers as it sees them. */
@ApiTags('cluster')
@Controller('v1/cluster')
export class ClusterController {
  constructor(private readonly status: ClusterStatus) {}

  @Get()
  @Describe(showCluster)
  show(@Req() req: IncomingMessage) {
    parseQuery(req.url!, []);
    const { clock, actor, catchUp } = this.status;
    const peers = this.status.peers();
    const name = actor.slice(0, actor.indexOf('.'));
    return {
      name,
      actor,
      clock: Object.fromEntries(clock),
      members: [name, ...peers.map((peer) => peer.name)].sort(),
      peers,
      log: { entries: this.status.logEntries },
      catchUp: {
        isOver: catchUp.isOver,
        missingDots: catchUp.missingDots,
        bootstrapsFrom: this.status.bootstrapsFrom ?? null,
      },
    };
  }

  @All()
  @ApiExcludeEndpoint()
  refuse(@Req() req: IncomingMessage): never {
    return methodNotAllowed(req, 'GET, HEAD');
  }
}
