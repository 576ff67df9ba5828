// The original interface: `/put` and `/get`, four web servers on ports 5000 to 5003. The same store behind it, with
// strings for values, and its vector clock shown as a machine's count of writes.

import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { All, Controller, Get, HttpCode, Inject, Post, Put, Req } from '@nestjs/common';
import { ApiExcludeEndpoint, ApiTags } from '@nestjs/swagger';
import { validate } from 'class-validator';
import type { Container } from '../../clock/container.js';
import { actorName } from '../../clock/dot.js';
import { ofType, typeOf } from '../../clock/key-type.js';
import { ranked, type Resolution } from '../../clock/resolution.js';
import type { VersionVector } from '../../clock/version-vector.js';
import { ReplicaDriver } from '../../replication/replica-driver.js';
import { accepted, refuseAbsent } from '../http/accepted.js';
import { readBody, BodyBudget } from '../http/body.js';
import { methodNotAllowed } from '../http/method-not-allowed.js';
import { Describe } from '../http/openapi.js';
import { Problem } from '../http/problem.js';
import { parseQuery } from '../http/query.js';
import { checkKey } from '../http/target.js';
import { valueToJson } from '../http/value-json.js';
import { KV_OPTIONS, type KvOptions } from '../kv/kv-options.js';
import { getLegacy, putLegacy } from './legacy.openapi.js';
import { PutDto } from './put.dto.js';

/** JSON may write one byte of a value as six characters (`\u0000`), and a form as three. */
const ENCODED_BYTES_PER_BYTE = 6;

const TEXT = 'text/plain; charset=utf-8';

@ApiTags('original interface')
@Controller()
export class LegacyController {
  constructor(
    private readonly driver: ReplicaDriver,
    private readonly budget: BodyBudget,
    @Inject(KV_OPTIONS) private readonly options: KvOptions,
  ) {}

  @Put('put')
  @Describe(putLegacy)
  put(@Req() req: IncomingMessage) {
    return this.write(req);
  }

  @Post('put')
  @HttpCode(200)
  @Describe(putLegacy)
  post(@Req() req: IncomingMessage) {
    return this.write(req);
  }

  @Get('get')
  @Describe(getLegacy)
  get(@Req() req: IncomingMessage) {
    const key = parseQuery(req.url!, ['key']).get('key');
    if (key === undefined) throw new Problem('INVALID_QUERY', 'the key is missing: /get?key=…');
    checkKey(key);
    const { versions, context } = this.driver.read(key);
    const strings = ofType(versions, 'register');
    if (strings.length === 0) refuseAbsent(versions, typeOf(versions));
    return show(key, { versions: strings, context }, this.options.resolve);
  }

  @All(['put', 'get'])
  @ApiExcludeEndpoint()
  refuse(@Req() req: IncomingMessage): never {
    return methodNotAllowed(req, req.url!.startsWith('/put') ? 'PUT, POST' : 'GET, HEAD');
  }

  private async write(req: IncomingMessage) {
    this.options.checkWritable();
    const { key, value } = await this.parse(req);
    checkKey(key);
    if (!value.isWellFormed()) throw new Problem('INVALID_BODY', 'the value has half a surrogate pair');
    const bytes = Buffer.from(value);
    if (bytes.length > this.options.valueBytesMax) {
      throw new Problem(
        'VALUE_TOO_LARGE',
        `the value has ${bytes.length} bytes; at most ${this.options.valueBytesMax}`,
      );
    }
    const result = await this.driver.write({
      key,
      operation: { kind: 'put', contentType: TEXT, value: bytes, ttlMs: undefined },
      context: undefined,
      precondition: undefined,
      acksNeeded: 1,
      timeoutMs: 0,
    });
    return show(key, accepted(result).container, this.options.resolve);
  }

  private async parse(req: IncomingMessage): Promise<PutDto> {
    const query = parseQuery(req.url!, ['key', 'value']);
    const body = await readBody(req, {
      bytesMax: (this.options.valueBytesMax + 1024) * ENCODED_BYTES_PER_BYTE,
      tooLarge: 'VALUE_TOO_LARGE',
      budget: this.budget,
    });
    const fields = body.length > 0 ? parseFields(req.headers['content-type'] ?? '', body) : Object.fromEntries(query);
    const dto = new PutDto();
    dto.key = fields['key'] as string;
    dto.value = fields['value'] as string;
    const errors = await validate(dto);
    if (errors.length === 0) return dto;
    const details = errors.flatMap((error) => Object.values(error.constraints ?? {}));
    throw new Problem('INVALID_BODY', details.join('; '));
  }
}

function parseFields(contentType: string, body: Buffer): Record<string, unknown> {
  if (/^application\/json\b/i.test(contentType)) return parseJson(textOf(body));
  if (/^application\/x-www-form-urlencoded\b/i.test(contentType)) {
    return Object.fromEntries(parseQuery(`?${textOf(body)}`, ['key', 'value']));
  }
  throw new Problem('UNSUPPORTED_MEDIA_TYPE', 'send application/json, application/x-www-form-urlencoded, or no body');
}

function textOf(body: Buffer): string {
  if (!isUtf8(body)) throw new Problem('INVALID_BODY', 'the body is not UTF-8');
  return body.toString();
}

function parseJson(text: string): Record<string, unknown> {
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch (error) {
    throw new Problem('INVALID_BODY', `the body is not JSON: ${(error as Error).message}`);
  }
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) {
    throw new Problem('INVALID_BODY', 'the body is not a JSON object with key and value');
  }
  return fields as Record<string, unknown>;
}

function show(key: string, { versions, context }: Container, resolution: Resolution) {
  const [best, ...losers] = ranked(versions, resolution).map((version) => valueToJson(version.value));
  return {
    key,
    ...best!,
    clock: machineCounts(context),
    conflicts: losers.map((loser) => ('value' in loser ? loser.value : loser)),
  };
}

/** Writes by machine: the counts of a machine's incarnations add up. */
function machineCounts(vector: VersionVector): Record<string, number> {
  const counts = new Map<string, number>();
  for (const [actor, counter] of vector) {
    const machine = actorName(actor);
    counts.set(machine, (counts.get(machine) ?? 0) + counter);
  }
  return Object.fromEntries(counts);
}
