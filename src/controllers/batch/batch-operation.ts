// What does one operation of a batch want? Checked as strictly as a request of its own: a field that is unknown or does not
// fit is an error of this operation, and of no other.

import type { BatchOperation } from '../../replication/batches.js';
import { deleteDemands, operationNameOf, putDemands } from '../http/idempotency.js';
import { Problem } from '../http/problem.js';
import { checkKey } from '../http/target.js';
import type { Tokens } from '../http/tokens.js';
import { TTL_SECONDS_MAX } from '../kv/kv-handler.js';
import { checkContentType } from '../kv/write-headers.js';

type Fields = Readonly<Record<string, unknown>>;

const FIELDS: Readonly<Record<string, readonly string[]>> = {
  get: ['op', 'key'],
  put: ['op', 'key', 'value', 'base64', 'contentType', 'ttl', 'context', 'idempotencyKey'],
  delete: ['op', 'key', 'context', 'idempotencyKey'],
};

export interface OperationLimits {
  readonly tokens: Tokens;
  readonly valueBytesMax: number;
}

/** @throws Problem */
export function parseOperation(json: unknown, { tokens, valueBytesMax }: OperationLimits): BatchOperation {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw invalid('it is not a JSON object');
  const fields = json as Fields;
  const kind = fields['op'];
  const allowed = typeof kind === 'string' && Object.hasOwn(FIELDS, kind) ? FIELDS[kind] : undefined;
  if (typeof kind !== 'string' || allowed === undefined)
    throw invalid(`op is not one of: ${Object.keys(FIELDS).join(', ')}`);
  const unknown = Object.keys(fields).find((name) => !allowed.includes(name));
  if (unknown !== undefined)
    throw invalid(`${shown(unknown)} is no field of ${kind}; there are: ${allowed.join(', ')}`);
  const key = text(fields, 'key') ?? '';
  checkKey(key);
  if (kind === 'get') return { kind: 'read', key };
  const token = text(fields, 'context');
  const context = token === undefined ? undefined : tokens.parseContext(key, token);
  const name = text(fields, 'idempotencyKey');
  if (kind === 'delete') {
    const operation = { kind, type: 'register' } as const;
    return {
      kind: 'write',
      key,
      context,
      operation,
      requestName: operationNameOf(name, key, deleteDemands('register')),
    };
  }
  const value = valueOf(fields);
  if (value.length > valueBytesMax) {
    throw new Problem('VALUE_TOO_LARGE', `the value has ${value.length} bytes; at most ${valueBytesMax}`);
  }
  const contentType = text(fields, 'contentType') ?? 'application/octet-stream';
  checkContentType(contentType, 'INVALID_OPERATION', 'contentType');
  const ttlMs = ttlMsOf(fields);
  const requestName = operationNameOf(name, key, putDemands(contentType, ttlMs, value));
  return { kind: 'write', key, context, operation: { kind: 'put', contentType, value, ttlMs }, requestName };
}

function ttlMsOf(fields: Fields): number | undefined {
  const ttl = fields['ttl'];
  if (ttl === undefined) return undefined;
  if (typeof ttl !== 'number' || !Number.isInteger(ttl) || ttl < 1 || ttl > TTL_SECONDS_MAX) {
    throw invalid(`ttl is not an integer of seconds from 1 to ${TTL_SECONDS_MAX}`);
  }
  return ttl * 1000;
}

function valueOf(fields: Fields): Buffer {
  const value = text(fields, 'value');
  const base64 = text(fields, 'base64');
  if ((value === undefined) === (base64 === undefined)) throw invalid('a put has either value or base64');
  if (value !== undefined) {
    if (!value.isWellFormed()) throw invalid('value has half a surrogate pair, which UTF-8 cannot hold');
    return Buffer.from(value);
  }
  const bytes = Buffer.from(base64!, 'base64');
  if (bytes.toString('base64') !== base64) throw invalid('base64 is not the standard form, with padding');
  return bytes;
}

function text(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  if (value === undefined || typeof value === 'string') return value;
  throw invalid(`${name} is not a string`);
}

function invalid(detail: string): Problem {
  return new Problem('INVALID_OPERATION', detail);
}

function shown(name: string): string {
  return JSON.stringify(name.length > 40 ? `${name.slice(0, 40)}…` : name);
}
