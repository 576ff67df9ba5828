// The original interface: `/put` and `/get`, four web servers on ports 5000 to 5003. The same store behind it, with
// strings for values, and its vector clock shown as a machine's count of writes.

import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { All, Controller, Get, Header, HttpCode, Inject, Post, Put, Req } from '@nestjs/common';
import { ApiExcludeEndpoint, ApiTags } from '@nestjs/swagger';
import { validate } from 'class-validator';
import type { Container } from '../../clock/container.js';
import { actorName } from '../../clock/dot.js';
import { ofType, typeOf } from '../../clock/key-type.js';
import { ranked, type Resolution } from '../../clock/resolution.js';
import type { VersionVector } from '../../clock/version-vector.js';
import { ReplicaDriver } from '../../replication/replica-driver.js';
import { accepted, refuseAbsent } from '../http/accepted.js';
import { BodyBudget, withBody } from '../http/body.js';
import { extentOf } from '../http/json-text.js';
import { methodNotAllowed } from '../http/method-not-allowed.js';
import { Describe } from '../http/openapi.js';
import { Problem } from '../http/problem.js';
import { parseQuery, type Query } from '../http/query.js';
import { checkKey } from '../http/target.js';
import { valueToJson } from '../http/value-json.js';
import { KV_OPTIONS, type KvOptions } from '../kv/kv-options.js';
import { refuseUnsafeHeaders } from '../kv/write-headers.js';
import { getLegacy, putLegacy } from './legacy.openapi.js';
import { PutDto } from './put.dto.js';

/** JSON may write one byte of a value as six characters (`\u0000`), and a form as three. */
const ENCODED_BYTES_PER_BYTE = 6;

/** Key and value are two; a body with more values than this is not parsed, and that says nothing of what is wrong with it. */
const JSON_VALUES_MAX = 16;

/** What requests of `/v1/kv/{key}` may demand: to do as if it were not there would be to break what it asks for. */
const OPTIONS = [
  'quartet-session',
  'quartet-context',
  'if-match',
  'if-none-match',
  'if-unmodified-since',
  'idempotency-key',
];

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
  @Header('Cache-Control', 'no-store')
  @Describe(putLegacy)
  put(@Req() req: IncomingMessage) {
    return this.write(req);
  }

  @Post('put')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @Describe(putLegacy)
  post(@Req() req: IncomingMessage) {
    return this.write(req);
  }

  @Get('get')
  @Header('Cache-Control', 'no-store')
  @Describe(getLegacy)
  get(@Req() req: IncomingMessage) {
    refuseOptions(req);
    const key = parseQuery(req.url!, ['key']).get('key');
    if (key === undefined) throw new Problem('INVALID_QUERY', 'the key is missing: /get?key=…');
    checkKey(key);
    const { versions, context } = this.driver.read(key);
    const strings = ofType(versions, 'register');
    if (strings.length === 0) refuseAbsent(versions, typeOf(versions));
    return show(key, { versions: strings, context }, this.options.resolve);
  }

  @All('put')
  @ApiExcludeEndpoint()
  refusePut(@Req() req: IncomingMessage): never {
    return methodNotAllowed(req, 'PUT, POST');
  }

  @All('get')
  @ApiExcludeEndpoint()
  refuseGet(@Req() req: IncomingMessage): never {
    return methodNotAllowed(req, 'GET, HEAD');
  }

  private async write(req: IncomingMessage) {
    this.options.checkWritable();
    refuseOptions(req);
    refuseOtherOrigins(req);
    refuseUnsafeHeaders(req);
    const query = parseQuery(req.url!, ['key', 'value']);
    const limit = {
      bytesMax: (this.options.valueBytesMax + 1024) * ENCODED_BYTES_PER_BYTE,
      tooLarge: 'VALUE_TOO_LARGE',
      budget: this.budget,
    } as const;
    return withBody(req, limit, async (body) => this.store(await parse(query, req.headers['content-type'], body)));
  }

  private async store({ key, value }: PutDto) {
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
}

function refuseOptions(req: IncomingMessage): void {
  const name = OPTIONS.find((each) => req.headers[each] !== undefined);
  if (name !== undefined) throw new Problem('INVALID_HEADER', `${name}: /put and /get take none; see /v1/kv/{key}`);
}

/**
 * A form is what a page of any origin may have a browser send, and so is a POST without a body. Before all other writes a browser
 * asks, by an OPTIONS that nothing here lets pass.
 */
function refuseOtherOrigins({ headers: { origin, host } }: IncomingMessage): void {
  if (origin === undefined || /^https?:\/\/(.+)$/.exec(origin)?.[1] === host) return;
  throw new Problem('INVALID_HEADER', `Origin: a page of ${origin} does not write at ${host}`);
}

async function parse(query: Query, contentType: string | undefined, body: Buffer): Promise<PutDto> {
  if (body.length > 0 && query.size > 0)
    throw new Problem('INVALID_QUERY', 'key and value come in the body or behind the question mark, not both');
  const fields = body.length > 0 ? parseFields(contentType ?? '', body) : Object.fromEntries(query);
  const dto = new PutDto();
  dto.key = fields['key'] as string;
  dto.value = fields['value'] as string;
  const errors = await validate(dto);
  if (errors.length === 0) return dto;
  const details = errors.flatMap((error) => Object.values(error.constraints ?? {}));
  throw new Problem('INVALID_BODY', details.join('; '));
}

function parseFields(contentType: string, body: Buffer): Record<string, unknown> {
  if (/^application\/json\b/i.test(contentType)) return parseJson(body);
  if (/^application\/x-www-form-urlencoded\b/i.test(contentType)) {
    return Object.fromEntries(parseQuery(`?${textOf(body)}`, ['key', 'value']));
  }
  throw new Problem('UNSUPPORTED_MEDIA_TYPE', 'send application/json, application/x-www-form-urlencoded, or no body');
}

function textOf(body: Buffer): string {
  if (!isUtf8(body)) throw new Problem('INVALID_BODY', 'the body is not UTF-8');
  return body.toString();
}

function parseJson(body: Buffer): Record<string, unknown> {
  const text = textOf(body);
  if (extentOf(body).values > JSON_VALUES_MAX) throw notKeyAndValue();
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch (error) {
    throw new Problem('INVALID_BODY', `the body is not JSON: ${(error as Error).message}`);
  }
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) throw notKeyAndValue();
  const unknown = Object.keys(fields).find((name) => name !== 'key' && name !== 'value');
  if (unknown !== undefined) throw new Problem('INVALID_BODY', `"${unknown}" is not known; there are: key, value`);
  return fields as Record<string, unknown>;
}

function notKeyAndValue(): Problem {
  return new Problem('INVALID_BODY', 'the body is not a JSON object with key and value');
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
