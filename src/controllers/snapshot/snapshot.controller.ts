// How does everything leave the replica at once? As a backup of one committed view, which `quartet restore` loads. Writes go
// on meanwhile and are not in it.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { All, Controller, Get, Req, Res } from '@nestjs/common';
import { ApiExcludeEndpoint, ApiTags } from '@nestjs/swagger';
import { ReplicaDriver } from '../../replication/replica-driver.js';
import { methodNotAllowed } from '../http/method-not-allowed.js';
import { writeLines } from '../http/ndjson.js';
import { Describe } from '../http/openapi.js';
import { parseQuery } from '../http/query.js';
import { SessionGate, timeoutMsOf } from '../http/session-gate.js';
import { Tokens } from '../http/tokens.js';
import { snapshotLines } from './snapshot-lines.js';
import { takeSnapshot } from './snapshot.openapi.js';

@ApiTags('cluster')
@Controller('v1/snapshot')
export class SnapshotController {
  private readonly gate: SessionGate;

  constructor(
    private readonly driver: ReplicaDriver,
    tokens: Tokens,
  ) {
    this.gate = new SessionGate(driver, tokens);
  }

  @Get()
  @Describe(takeSnapshot)
  async take(@Req() req: IncomingMessage, @Res() res: ServerResponse): Promise<void> {
    await this.gate.pass(req, timeoutMsOf(parseQuery(req.url!, ['timeout'])));
    res.setHeader('Content-Type', 'application/x-ndjson');
    res.setHeader('Cache-Control', 'no-store');
    if (req.method === 'HEAD') {
      // Nothing of it depends on the keys: they need not be read.
      res.end();
      return;
    }
    const view = this.driver.view.retain();
    try {
      await writeLines(res, snapshotLines(view, this.driver.nowMs));
    } finally {
      view.release();
    }
  }

  @All()
  @ApiExcludeEndpoint()
  refuse(@Req() req: IncomingMessage): never {
    return methodNotAllowed(req, 'GET, HEAD');
  }
}
