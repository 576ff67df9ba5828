// What does a client hear when the engine refuses its write?

import type { Version } from '../../clock/container.js';
import { SIBLING_BYTES_MAX, SIBLINGS_MAX } from '../../clock/key-limits.js';
import { siblingCount } from '../../clock/siblings.js';
import type { ValueType } from '../../clock/value-type.js';
import type { WriteResult } from '../../replication/engine/output.js';
import { entityTag } from './etag.js';
import { Problem } from './problem.js';

export type Written = Extract<WriteResult, { kind: 'written' }>;

/** @throws Problem when the engine refused the write */
export function accepted(result: WriteResult): Written {
  if (result.kind === 'written') return result;
  throw refusalOf(result);
}

/** Why the engine has refused the write. */
export function refusalOf(result: Exclude<WriteResult, Written>): Problem {
  const { live } = result;
  const siblings = siblingCount(live);
  const headers: Record<string, string> = { 'Quartet-Siblings': String(siblings) };
  if (live.length > 0) headers['ETag'] = entityTag(live);
  switch (result.kind) {
    case 'too-many-siblings': {
      const bytes = live.reduce((sum, { value }) => sum + value.length, 0);
      const detail =
        `${siblings} siblings of ${bytes} bytes together live, and any past their lifetime count until they are dropped; ` +
        `beyond ${SIBLINGS_MAX}, or ${SIBLING_BYTES_MAX} bytes, no write adds to them, or to those that this replica has ` +
        'written: read the key, and write with that context to replace them all';
      return new Problem('TOO_MANY_SIBLINGS', detail, headers);
    }
    case 'too-large':
      return new Problem(
        'COLLECTION_TOO_LARGE',
        `it has ${live.length} parts: remove some, or use several keys`,
        headers,
      );
    case 'request-reused':
      return new Problem(
        'IDEMPOTENCY_KEY_REUSED',
        'it named a write of this key by another method or route, or with another body, Content-Type or ttl',
      );
    case 'wrong-type':
      return wrongType(result.type, headers);
    case 'precondition-failed': {
      const state = live.length > 0 ? `it has ${headers['ETag']}` : 'it has no value';
      return new Problem('PRECONDITION_FAILED', `the key is in another state at this replica: ${state}`, headers);
    }
  }
}

const ROUTES: Readonly<Record<ValueType, string>> = {
  register: '/v1/kv/',
  counter: '/v1/counters/',
  set: '/v1/sets/',
  map: '/v1/maps/',
};

export function wrongType(type: ValueType, headers: Readonly<Record<string, string>> = {}): Problem {
  return new Problem('WRONG_TYPE', `the key is a ${type}: use ${ROUTES[type]}`, headers);
}

/** @throws Problem: the key has no value of the type that was asked for */
export function refuseAbsent(live: readonly Version[], type: ValueType | undefined): never {
  throw absence(live, type);
}

/** Why there is no value of the type that was asked for. */
export function absence(live: readonly Version[], type: ValueType | undefined): Problem {
  if (live.length > 0 && type !== undefined) return wrongType(type);
  return new Problem('KEY_NOT_FOUND', 'the key was never written, was deleted, or its lifetime has ended');
}
