// Is this the same request again? A client that names its write with `Idempotency-Key` may send it again when its answer was
// lost. The name is bound to the key, and comes with a fingerprint of all that the write demands, so that a name that is used
// for something else is noticed.

import { createHash, hash } from 'node:crypto';
import type { RequestName } from '../../clock/request.js';
import type { ValueType } from '../../clock/value-type.js';
import type { Answer } from './answer.js';
import type { Request } from './exchange.js';
import { Problem } from './problem.js';

const ID_BYTES = 16;
const FINGERPRINT_BYTES = 8;

/** Visible ASCII; a limit that random names and most others fit in. */
const NAME = /^[\x21-\x7e]{1,255}$/;
const IS_NO_NAME = 'is not one name of 1 to 255 visible ASCII characters';

/**
 * @param demands all that makes two requests different: what is done, by which route, with what
 * @returns undefined when the client gives no name
 * @throws Problem INVALID_HEADER
 */
export function requestNameOf(
  req: Request,
  key: string,
  demands: readonly (string | Uint8Array)[],
): RequestName | undefined {
  const name = req.headers['idempotency-key'];
  if (name === undefined) return undefined;
  if (typeof name !== 'string' || !NAME.test(name))
    throw new Problem('INVALID_HEADER', `Idempotency-Key ${IS_NO_NAME}`);
  return requestName(name, key, demands);
}

/** As `requestNameOf`, of one operation of a batch. @throws Problem INVALID_OPERATION */
export function operationNameOf(
  name: string | undefined,
  key: string,
  demands: readonly (string | Uint8Array)[],
): RequestName | undefined {
  if (name === undefined) return undefined;
  if (!NAME.test(name)) throw new Problem('INVALID_OPERATION', `idempotencyKey ${IS_NO_NAME}`);
  return requestName(name, key, demands);
}

function requestName(name: string, key: string, demands: readonly (string | Uint8Array)[]): RequestName {
  return {
    // The name has no zero byte: no other pair of name and key looks the same.
    id: hash('sha256', `quartet request\0${name}\0${key}`, 'hex').slice(0, 2 * ID_BYTES),
    fingerprint: fingerprintOf(demands),
  };
}

/** What a put demands, alone or in a batch. */
export function putDemands(
  contentType: string,
  ttlMs: number | undefined,
  value: Uint8Array,
): readonly (string | Uint8Array)[] {
  return ['PUT', contentType, String(ttlMs ?? ''), value];
}

export function deleteDemands(type: ValueType): readonly string[] {
  return ['DELETE', type];
}

/** Tells that the answer is that of an earlier request. */
export function tellRepeated(res: Answer, isRepeated: boolean): void {
  if (isRepeated) res.setHeader('Idempotency-Replayed', 'true');
}

function fingerprintOf(demands: readonly (string | Uint8Array)[]): string {
  const digest = createHash('sha256');
  for (const demand of demands) digest.update(`${demand.length}\0`).update(demand);
  return digest.digest('hex').slice(0, 2 * FINGERPRINT_BYTES);
}
