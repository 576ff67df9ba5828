// Routes of counters, sets and maps. The handler owns request and response.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { All, Controller, Delete, Get, Head, Patch, Post, Req, Res } from '@nestjs/common';
import { ApiExcludeEndpoint, ApiTags } from '@nestjs/swagger';
import { methodNotAllowed } from '../http/method-not-allowed.js';
import { Describe } from '../http/openapi.js';
import { keyOfUrl } from '../http/target.js';
import { TypedHandler } from './typed-handler.js';
import {
  addCounter,
  deleteCounter,
  deleteMap,
  deleteSet,
  getCounter,
  getMap,
  getSet,
  updateMap,
  updateSet,
} from './types.openapi.js';

@ApiTags('types')
@Controller('v1/counters')
export class CountersController {
  constructor(private readonly handler: TypedHandler) {}

  @Get(':key')
  @Describe(getCounter)
  get(@Req() req: IncomingMessage, @Res() res: ServerResponse): Promise<void> {
    return this.handler.read('counter', req, res);
  }

  @Head(':key')
  @ApiExcludeEndpoint()
  head(@Req() req: IncomingMessage, @Res() res: ServerResponse): Promise<void> {
    return this.handler.read('counter', req, res);
  }

  @Post(':key')
  @Describe(addCounter)
  update(@Req() req: IncomingMessage, @Res() res: ServerResponse): Promise<void> {
    return this.handler.update('counter', req, res);
  }

  @Delete(':key')
  @Describe(deleteCounter)
  delete(@Req() req: IncomingMessage, @Res() res: ServerResponse): Promise<void> {
    return this.handler.delete('counter', req, res);
  }

  /** Another method; no key, or a slash in it that was not encoded. */
  @All(['', ':key', '{*rest}'])
  @ApiExcludeEndpoint()
  refuse(@Req() req: IncomingMessage): never {
    return refuse(req, '/v1/counters/', 'GET, HEAD, POST, DELETE');
  }
}

@ApiTags('types')
@Controller('v1/sets')
export class SetsController {
  constructor(private readonly handler: TypedHandler) {}

  @Get(':key')
  @Describe(getSet)
  get(@Req() req: IncomingMessage, @Res() res: ServerResponse): Promise<void> {
    return this.handler.read('set', req, res);
  }

  @Head(':key')
  @ApiExcludeEndpoint()
  head(@Req() req: IncomingMessage, @Res() res: ServerResponse): Promise<void> {
    return this.handler.read('set', req, res);
  }

  @Post(':key')
  @Describe(updateSet)
  update(@Req() req: IncomingMessage, @Res() res: ServerResponse): Promise<void> {
    return this.handler.update('set', req, res);
  }

  @Delete(':key')
  @Describe(deleteSet)
  delete(@Req() req: IncomingMessage, @Res() res: ServerResponse): Promise<void> {
    return this.handler.delete('set', req, res);
  }

  /** Another method; no key, or a slash in it that was not encoded. */
  @All(['', ':key', '{*rest}'])
  @ApiExcludeEndpoint()
  refuse(@Req() req: IncomingMessage): never {
    return refuse(req, '/v1/sets/', 'GET, HEAD, POST, DELETE');
  }
}

@ApiTags('types')
@Controller('v1/maps')
export class MapsController {
  constructor(private readonly handler: TypedHandler) {}

  @Get(':key')
  @Describe(getMap)
  get(@Req() req: IncomingMessage, @Res() res: ServerResponse): Promise<void> {
    return this.handler.read('map', req, res);
  }

  @Head(':key')
  @ApiExcludeEndpoint()
  head(@Req() req: IncomingMessage, @Res() res: ServerResponse): Promise<void> {
    return this.handler.read('map', req, res);
  }

  @Patch(':key')
  @Describe(updateMap)
  update(@Req() req: IncomingMessage, @Res() res: ServerResponse): Promise<void> {
    return this.handler.update('map', req, res);
  }

  @Delete(':key')
  @Describe(deleteMap)
  delete(@Req() req: IncomingMessage, @Res() res: ServerResponse): Promise<void> {
    return this.handler.delete('map', req, res);
  }

  /** Another method; no key, or a slash in it that was not encoded. */
  @All(['', ':key', '{*rest}'])
  @ApiExcludeEndpoint()
  refuse(@Req() req: IncomingMessage): never {
    return refuse(req, '/v1/maps/', 'GET, HEAD, PATCH, DELETE');
  }
}

function refuse(req: IncomingMessage, prefix: string, methods: string): never {
  keyOfUrl(req.url!, prefix);
  return methodNotAllowed(req, methods);
}
