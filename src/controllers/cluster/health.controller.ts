// Is the process alive, and may it get requests? A live replica that is not ready is left alone, not restarted.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { All, Controller, Get, Req, Res } from '@nestjs/common';
import { ApiExcludeEndpoint, ApiTags } from '@nestjs/swagger';
import { Readiness } from '../../observability/readiness.js';
import { methodNotAllowed } from '../http/method-not-allowed.js';
import { Describe } from '../http/openapi.js';
import { parseQuery } from '../http/query.js';
import { showLivez, showReadyz } from './cluster.openapi.js';

@ApiTags('cluster')
@Controller()
export class HealthController {
  constructor(private readonly readiness: Readiness) {}

  @Get('livez')
  @Describe(showLivez)
  live(@Req() req: IncomingMessage, @Res() res: ServerResponse): void {
    parseQuery(req.url!, []);
    writeText(res, 200, 'ok\n');
  }

  @Get('readyz')
  @Describe(showReadyz)
  ready(@Req() req: IncomingMessage, @Res() res: ServerResponse): void {
    const isVerbose = parseQuery(req.url!, ['verbose']).has('verbose');
    const checks = this.readiness.checks();
    const isReady = checks.every((check) => check.isOk);
    const lines = checks.map(({ name, isOk, detail }) => `[${isOk ? '+' : '-'}] ${name}: ${detail}\n`).join('');
    writeText(res, isReady ? 200 : 503, isVerbose ? lines : isReady ? 'ok\n' : 'not ready; see /readyz?verbose\n');
  }

  @All(['livez', 'readyz'])
  @ApiExcludeEndpoint()
  refuse(@Req() req: IncomingMessage): never {
    return methodNotAllowed(req, 'GET, HEAD');
  }
}

function writeText(res: ServerResponse, status: number, text: string): void {
  res.statusCode = status;
  res.setHeader('Content-Type', 'text/plain; charset=utf-8');
  res.setHeader('Cache-Control', 'no-store');
  res.end(text);
}
