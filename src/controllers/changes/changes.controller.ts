// The route of the change feed. The handler owns request and response.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { All, Controller, Get, Req, Res } from '@nestjs/common';
import { ApiExcludeEndpoint, ApiTags } from '@nestjs/swagger';
import { methodNotAllowed } from '../http/method-not-allowed.js';
import { Describe } from '../http/openapi.js';
import { followChanges } from './changes.openapi.js';
import { ChangesHandler } from './changes-handler.js';

@ApiTags('keys')
@Controller('v1/changes')
export class ChangesController {
  constructor(private readonly changes: ChangesHandler) {}

  @Get()
  @Describe(followChanges)
  follow(@Req() req: IncomingMessage, @Res() res: ServerResponse): Promise<void> {
    return this.changes.handle(req, res);
  }

  @All()
  @ApiExcludeEndpoint()
  refuse(@Req() req: IncomingMessage): never {
    return methodNotAllowed(req, 'GET, HEAD');
  }
}
