// Routes of the keys. The handlers own request and response.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { All, Controller, Delete, Get, Head, Put, Req, Res } from '@nestjs/common';
import { ApiExcludeEndpoint, ApiTags } from '@nestjs/swagger';
import { methodNotAllowed } from '../http/method-not-allowed.js';
import { Describe } from '../http/openapi.js';
import { keyOfUrl } from '../http/target.js';
import { deleteKey, getKey, listKeys, putKey } from './kv.openapi.js';
import { KV_PREFIX, KvHandler } from './kv-handler.js';
import { ListHandler } from './list-handler.js';

@ApiTags('keys')
@Controller('v1/kv')
export class KvController {
  constructor(
    private readonly keys: KvHandler,
    private readonly listing: ListHandler,
  ) {}

  @Get()
  @Describe(listKeys)
  list(@Req() req: IncomingMessage, @Res() res: ServerResponse): Promise<void> {
    return this.listing.list(req, res);
  }

  @All()
  @ApiExcludeEndpoint()
  refuseList(@Req() req: IncomingMessage): never {
    return methodNotAllowed(req, 'GET, HEAD');
  }

  @Get(':key')
  @Describe(getKey)
  get(@Req() req: IncomingMessage, @Res() res: ServerResponse): Promise<void> {
    return this.keys.read(req, res);
  }

  @Head(':key')
  @ApiExcludeEndpoint()
  head(@Req() req: IncomingMessage, @Res() res: ServerResponse): Promise<void> {
    return this.keys.read(req, res);
  }

  @Put(':key')
  @Describe(putKey)
  put(@Req() req: IncomingMessage, @Res() res: ServerResponse): Promise<void> {
    return this.keys.put(req, res);
  }

  @Delete(':key')
  @Describe(deleteKey)
  delete(@Req() req: IncomingMessage, @Res() res: ServerResponse): Promise<void> {
    return this.keys.delete(req, res);
  }

  @All(':key')
  @ApiExcludeEndpoint()
  refuse(@Req() req: IncomingMessage): never {
    return methodNotAllowed(req, 'GET, HEAD, PUT, DELETE');
  }

  /** No key, or a slash that was not encoded. */
  @All('{*rest}')
  @ApiExcludeEndpoint()
  explain(@Req() req: IncomingMessage): never {
    keyOfUrl(req.url!, KV_PREFIX);
    return methodNotAllowed(req, 'GET, HEAD, PUT, DELETE');
  }
}
