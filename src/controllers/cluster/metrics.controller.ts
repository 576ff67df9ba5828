// What does a monitoring system read?

import type { IncomingMessage, ServerResponse } from 'node:http';
import { All, Controller, Get, Req, Res } from '@nestjs/common';
import { ApiExcludeEndpoint, ApiTags } from '@nestjs/swagger';
import { Metrics } from '../../observability/metrics.js';
import { methodNotAllowed } from '../http/method-not-allowed.js';
import { Describe } from '../http/openapi.js';
import { parseQuery } from '../http/query.js';
import { showMetrics } from './cluster.openapi.js';

@ApiTags('cluster')
@Controller('metrics')
export class MetricsController {
  constructor(private readonly metrics: Metrics) {}

  @Get()
  @Describe(showMetrics)
  async show(@Req() req: IncomingMessage, @Res() res: ServerResponse): Promise<void> {
    parseQuery(req.url!, []);
    res.setHeader('Content-Type', this.metrics.registry.contentType);
    res.setHeader('Cache-Control', 'no-store');
    res.end(await this.metrics.registry.metrics());
  }

  @All()
  @ApiExcludeEndpoint()
  refuse(@Req() req: IncomingMessage): never {
    return methodNotAllowed(req, 'GET, HEAD');
  }
}
