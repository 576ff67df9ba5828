// The route of batches. The handler owns request and response.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { All, Controller, Post, Req, Res } from '@nestjs/common';
import { ApiExcludeEndpoint, ApiTags } from '@nestjs/swagger';
import { methodNotAllowed } from '../http/method-not-allowed.js';
import { Describe } from '../http/openapi.js';
import { BatchHandler } from './batch-handler.js';
import { runBatch } from './batch.openapi.js';

@ApiTags('keys')
@Controller('v1/batch')
export class BatchController {
  constructor(private readonly batches: BatchHandler) {}

  @Post()
  @Describe(runBatch)
  run(@Req() req: IncomingMessage, @Res() res: ServerResponse): Promise<void> {
    return this.batches.run(req, res);
  }

  @All()
  @ApiExcludeEndpoint()
  refuse(@Req() req: IncomingMessage): never {
    return methodNotAllowed(req, 'POST');
  }
}
