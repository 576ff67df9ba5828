// What does this node know of the cluster?

import type { IncomingMessage, ServerResponse } from 'node:http';
import { All, Controller, Delete, Get, Header, Param, Req, Res } from '@nestjs/common';
import { ApiExcludeEndpoint, ApiTags } from '@nestjs/swagger';
import { ClusterStatus } from '../../observability/cluster-status.js';
import { ReplicaDriver } from '../../replication/replica-driver.js';
import { dropBody } from '../http/body.js';
import { methodNotAllowed } from '../http/method-not-allowed.js';
import { Describe } from '../http/openapi.js';
import { Problem } from '../http/problem.js';
import { parseQuery } from '../http/query.js';
import { forgetMember, showCluster } from './cluster.openapi.js';

/** This node, its clock, and its peers as it sees them. */
@ApiTags('cluster')
@Controller('v1/cluster')
export class ClusterController {
  constructor(
    private readonly status: ClusterStatus,
    private readonly driver: ReplicaDriver,
  ) {}

  @Get()
  @Header('Cache-Control', 'no-store')
  @Describe(showCluster)
  show(@Req() req: IncomingMessage) {
    parseQuery(req.url!, []);
    const { clock, actor, catchUp } = this.status;
    const peers = this.status.peers();
    return {
      name: this.status.name,
      actor,
      clock: Object.fromEntries(clock),
      standing: this.status.standing,
      members: this.status.members,
      peers,
      log: { entries: this.status.logEntries },
      catchUp: {
        isOver: catchUp.isOver,
        missingDots: catchUp.missingDots,
        bootstrapsFrom: this.status.bootstrapsFrom ?? null,
      },
    };
  }

  /** For an operator whose replica is gone for good: the others no longer wait for it, keep logs for it or count it. */
  @Delete('members/:name')
  @Describe(forgetMember)
  async forget(@Req() req: IncomingMessage, @Res() res: ServerResponse, @Param('name') name: string): Promise<void> {
    parseQuery(req.url!, []);
    await dropBody(req);
    switch (await this.driver.forget(name)) {
      case 'forgotten':
        res.statusCode = 204;
        res.end();
        return;
      case 'unknown':
        throw new Problem('NO_SUCH_MEMBER', `${name} is no member; the members are ${this.status.members.join(', ')}`);
      case 'itself':
        throw new Problem('MEMBER_NOT_REMOVABLE', 'a replica cannot remove itself: ask another one');
      case 'unnamed':
        throw new Problem('MEMBER_NOT_REMOVABLE', `${name} is listed by its address only: give the members names`);
    }
  }

  @All()
  @ApiExcludeEndpoint()
  refuse(@Req() req: IncomingMessage): never {
    return methodNotAllowed(req, 'GET, HEAD');
  }

  @All('members/:name')
  @ApiExcludeEndpoint()
  refuseMember(@Req() req: IncomingMessage): never {
    return methodNotAllowed(req, 'DELETE');
  }
}
