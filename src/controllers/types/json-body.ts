// What stands in the body of an operation on a counter, a set or a map?

import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { PARTS_MAX } from '../../clock/key-limits.js';
import type { Operation } from '../../replication/engine/operation.js';
import { extentOf } from '../http/json-text.js';
import { Problem } from '../http/problem.js';

/** Largest amount of one addition: a partial sum can take very many of them before it has more digits than it may. */
const AMOUNT_DIGITS_MAX = 40;

/** An element or the name of a field is as long as a key may be: it is one, within its key. */
const PART_BYTES_MAX = 1024;

/** JSON is read and written by functions that call themselves: deeper texts could end the stack of some of them. */
const NESTING_MAX = 64;

type Fields = Readonly<Record<string, unknown>>;

/** @throws Problem UNSUPPORTED_MEDIA_TYPE */
export function requireJson(req: IncomingMessage): void {
  const type = req.headers['content-type'] ?? 'none';
  if (!/^application\/json(?:$|[\s;])/i.test(type)) {
    throw new Problem('UNSUPPORTED_MEDIA_TYPE', `send application/json, not ${type}`);
  }
}

/** `{"add": 5}`, `{"add": "-12345678901234567890"}` @throws Problem INVALID_BODY */
export function parseAddition(body: Buffer): Operation {
  const { add } = fieldsOf(body, ['add']);
  if (typeof add === 'number' && Number.isSafeInteger(add)) return { kind: 'add', amount: BigInt(add) };
  const digits = typeof add === 'string' && /^-?(\d+)$/.exec(add)?.[1];
  if (typeof digits !== 'string' || digits.length > AMOUNT_DIGITS_MAX) {
    const what = `an integer from -(2^53 - 1) to 2^53 - 1, or a string of up to ${AMOUNT_DIGITS_MAX} digits`;
    throw new Problem('INVALID_BODY', `"add" is ${what}`);
  }
  return { kind: 'add', amount: BigInt(add as string) };
}

/** `{"add": ["a", "b"], "remove": ["c"]}` @throws Problem INVALID_BODY, COLLECTION_TOO_LARGE */
export function parseSetUpdate(body: Buffer): Operation {
  const { add = [], remove = [] } = fieldsOf(body, ['add', 'remove']);
  const added = partsOf(add, 'add');
  const removed = partsOf(remove, 'remove');
  refuseOverlap(added, removed);
  return { kind: 'update-set', add: added, remove: removed };
}

/**
 * `{"set": {"name": "Ada", "age": 36}, "remove": ["email"]}`
 * @throws Problem INVALID_BODY, COLLECTION_TOO_LARGE, VALUE_TOO_LARGE
 */
export function parseMapUpdate(body: Buffer, valueBytesMax: number): Operation {
  const { set = {}, remove = [] } = fieldsOf(body, ['set', 'remove']);
  if (!isObject(set)) throw new Problem('INVALID_BODY', '"set" is an object of fields and their values');
  const fields = textsOf(set, valueBytesMax);
  for (const field of fields.keys()) checkPart(field);
  if (fields.size > PARTS_MAX) throw tooMany();
  const removed = partsOf(remove, 'remove');
  refuseOverlap(fields, removed);
  return { kind: 'update-map', set: fields, remove: removed };
}

/** Written anew, a text may be longer than it came: `1e20` has twenty-one digits then. */
function textsOf(fields: Fields, bytesMax: number): ReadonlyMap<string, Buffer> {
  let bytes = 0;
  const texts = new Map<string, Buffer>();
  for (const [field, value] of Object.entries(fields)) {
    const text = Buffer.from(textOf(value));
    bytes += text.length;
    if (bytes > bytesMax) throw new Problem('VALUE_TOO_LARGE', `the fields have more than ${bytesMax} bytes of JSON`);
    texts.set(field, text);
  }
  return texts;
}

function textOf(value: unknown): string {
  return JSON.stringify(value, (_name, part: unknown) => {
    if (part !== Infinity && part !== -Infinity) return part;
    // It would be written as null.
    throw new Problem('INVALID_BODY', 'a number is larger than a double holds; send it as a string');
  });
}

function fieldsOf(body: Buffer, known: readonly string[]): Fields {
  if (!isUtf8(body)) throw new Problem('INVALID_BODY', 'the body is not UTF-8');
  if (extentOf(body).depth > NESTING_MAX) {
    throw new Problem('INVALID_BODY', `it is nested deeper than ${NESTING_MAX}`);
  }
  let fields: unknown;
  try {
    fields = JSON.parse(body.toString());
  } catch (error) {
    throw new Problem('INVALID_BODY', `the body is not JSON: ${(error as Error).message}`);
  }
  if (!isObject(fields)) throw new Problem('INVALID_BODY', 'the body is not a JSON object');
  const names = Object.keys(fields);
  if (names.length === 0) throw new Problem('INVALID_BODY', `the body has none of: ${known.join(', ')}`);
  for (const name of names) {
    if (!known.includes(name))
      throw new Problem('INVALID_BODY', `"${name}" is not known; there are: ${known.join(', ')}`);
  }
  return fields;
}

function partsOf(json: unknown, name: string): ReadonlySet<string> {
  if (!Array.isArray(json) || !json.every((part) => typeof part === 'string')) {
    throw new Problem('INVALID_BODY', `"${name}" is a list of strings`);
  }
  for (const part of json) checkPart(part);
  const parts = new Set(json);
  if (parts.size > PARTS_MAX) throw tooMany();
  return parts;
}

function checkPart(part: string): void {
  if (!part.isWellFormed())
    throw new Problem('INVALID_BODY', 'a string has half a surrogate pair, which UTF-8 cannot hold');
  const bytes = Buffer.byteLength(part);
  if (bytes > PART_BYTES_MAX) {
    throw new Problem(
      'INVALID_BODY',
      `an element, or the name of a field, has ${bytes} bytes; at most ${PART_BYTES_MAX}`,
    );
  }
}

function tooMany(): Problem {
  return new Problem('COLLECTION_TOO_LARGE', `a key has at most ${PARTS_MAX} elements or fields`);
}

function refuseOverlap(set: { has(part: string): boolean }, removed: ReadonlySet<string>): void {
  for (const part of removed) {
    if (set.has(part)) throw new Problem('INVALID_BODY', `"${part}" can't be put and removed at once`);
  }
}

function isObject(json: unknown): json is Fields {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}
