// What does one line of a snapshot say, and can it be true?
//
// A file may have been edited, damaged or made up. Whatever is taken from it ends in the clock and in records that peers
// rely on, so everything is checked: every property is known, every number a counter, every text what it has to be, and
// every container keeps the rules that a message between replicas must keep.

import { compareKeys, settle, type Claim, type Claims } from '../clock/claims.js';
import type { Container, Version } from '../clock/container.js';
import { isSum } from '../clock/counter.js';
import { actorName, compareDots } from '../clock/dot.js';
import { DEADLINE_MS_MAX } from '../clock/lifetime.js';
import { VALUE_TYPES, type ValueType } from '../clock/value-type.js';
import { covers, EMPTY_VECTOR, join, type VersionVector } from '../clock/version-vector.js';

/** Version 1 has registers without deadlines only, written as they are now. */
const SNAPSHOT_VERSIONS: readonly unknown[] = [1, 2];

/** As keys have it everywhere. */
const KEY_BYTES_MAX = 1024;

/** The most that a replica can be told to take. */
const VALUE_BYTES_MAX = 16 * 1024 * 1024;

const NODE_NAME = /^[a-z0-9-]{1,63}$/;
const ACTOR = /^[a-z0-9-]{1,63}\.[a-z0-9]{1,16}$/;
/** It is given out as a header: printable ASCII. */
const CONTENT_TYPE = /^[\x20-\x7e]{1,255}$/;
const SHA256 = /^[0-9a-f]{64}$/;

/** The snapshot is not one, is of another release, or has been damaged. */
export class InvalidSnapshotError extends Error {
  readonly code = 'INVALID_SNAPSHOT';
}

export interface SnapshotHeader {
  /** Who took it. */
  readonly node: string;
  readonly takenAt: string;
  readonly clock: VersionVector;
  /** In normal form. */
  readonly claims: Claims;
  /** Keys may be missing that it was about to take over from a peer. */
  readonly isPartial: boolean;
  /** With what the digest begins. */
  readonly digested: string;
}

export interface SnapshotKey {
  readonly key: string;
  /** As it was stored: stripped of what is known of the key, or of less. */
  readonly container: Container;
}

export interface SnapshotEnd {
  readonly keys: number;
  readonly sha256: string;
}

type Json = Readonly<Record<string, unknown>>;

/** What a version has beside what all of them have. */
const FIELDS: Readonly<Record<ValueType, readonly string[]>> = {
  register: ['contentType', 'value', 'base64'],
  counter: ['value'],
  set: ['part'],
  map: ['part', 'value'],
};

const NO_BYTES = new Uint8Array(0);

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @throws InvalidSnapshotError */
export function parseLine(bytes: Uint8Array): Json {
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    throw new InvalidSnapshotError('it is not UTF-8');
  }
  try {
    return object(JSON.parse(text), 'it');
  } catch (error) {
    if (error instanceof InvalidSnapshotError) throw error;
    throw new InvalidSnapshotError('it is not JSON');
  }
}

/** @throws InvalidSnapshotError */
export function readHeader(line: Json): SnapshotHeader {
  check(line['quartet'] === 'snapshot', 'a snapshot begins with {"quartet":"snapshot",…}: this is something else');
  check(
    SNAPSHOT_VERSIONS.includes(line['version']),
    `it is of version ${JSON.stringify(line['version'])}, and this release reads ${SNAPSHOT_VERSIONS.join(' and ')}: ` +
      'restore it with the release that took it, or a later one',
  );
  only(line, ['quartet', 'version', 'node', 'actor', 'clock', 'takenAt', 'claims', 'takingOver']);
  const node = text(line['node'], 'node');
  const actor = text(line['actor'], 'actor');
  check(NODE_NAME.test(node), 'node is not a node name');
  check(ACTOR.test(actor) && actorName(actor) === node, 'actor is not an actor of the node');
  const takenAt = text(line['takenAt'], 'takenAt');
  check(isTime(takenAt), 'takenAt is not a time');
  const clock = vector(line['clock'], 'clock');
  const claims = 'claims' in line ? settle(readClaims(line['claims']), clock) : [];
  const digested = JSON.stringify({ clock: line['clock'], claims: line['claims'] });
  check(!('takingOver' in line) || line['takingOver'] === true, 'takingOver is not true');
  return { node, takenAt, clock, claims, isPartial: 'takingOver' in line, digested };
}

/**
 * @param knownOf what the snapshot knows of a key
 * @throws InvalidSnapshotError
 */
export function readKey(line: Json, knownOf: (key: string) => VersionVector): SnapshotKey {
  only(line, ['key', 'versions', 'context']);
  const key = keyText(line['key'], 'key');
  const versions = list(line['versions'], 'versions').map(readVersion);
  const context = 'context' in line ? vector(line['context'], 'context') : EMPTY_VECTOR;
  check(versions.length > 0 || context.size > 0, 'the key has neither versions nor a context');
  const seen = join(knownOf(key), context);
  versions.forEach((version, place) => {
    const previous = versions[place - 1];
    check(
      previous === undefined || compareDots(previous, version) < 0,
      'the versions are not in the order of their dots',
    );
    check(covers(seen, version), `neither clock nor context covers ${version.actor}:${version.counter}`);
  });
  return { key, container: { versions, context } };
}

/** @throws InvalidSnapshotError */
export function readEnd(line: Json): SnapshotEnd {
  only(line, ['end', 'keys', 'sha256']);
  check(line['end'] === true, 'end is not true');
  const sha256 = text(line['sha256'], 'sha256');
  check(SHA256.test(sha256), 'sha256 is not a digest');
  return { keys: number(line['keys'], 'keys', 0), sha256 };
}

/** @throws InvalidSnapshotError with `complaint` unless it holds */
export function check(holds: boolean, complaint: string): asserts holds {
  if (!holds) throw new InvalidSnapshotError(complaint);
}

function readVersion(json: unknown): Version {
  const version = object(json, 'a version');
  const type = 'type' in version ? typeNamed(version['type']) : 'register';
  only(version, ['actor', 'counter', 'stamp', 'type', 'deadlineMs', ...FIELDS[type]]);
  const actor = text(version['actor'], 'actor');
  check(ACTOR.test(actor), 'actor is not an actor');
  return {
    actor,
    counter: number(version['counter'], 'counter', 1),
    stamp: number(version['stamp'], 'stamp', 0),
    type,
    part: type === 'set' || type === 'map' ? text(version['part'], 'part') : '',
    contentType: type === 'register' ? readContentType(version['contentType']) : '',
    value: readValue(version, type),
    deadlineMs: 'deadlineMs' in version ? number(version['deadlineMs'], 'deadlineMs', 0, DEADLINE_MS_MAX) : undefined,
  };
}

function typeNamed(json: unknown): ValueType {
  const type = VALUE_TYPES.find((each) => each === json);
  check(type !== undefined, `${JSON.stringify(json)} is not a type`);
  return type;
}

function readContentType(json: unknown): string {
  const contentType = text(json, 'contentType');
  check(CONTENT_TYPE.test(contentType), 'contentType is not printable ASCII of 1 to 255 characters');
  return contentType;
}

function readValue(version: Json, type: ValueType): Uint8Array {
  if (type === 'set') return NO_BYTES;
  check('value' in version !== 'base64' in version, 'a version has either a value or base64');
  const encoding = 'value' in version ? 'utf8' : 'base64';
  const encoded = text(encoding === 'utf8' ? version['value'] : version['base64'], 'the value');
  const value = Buffer.from(encoded, encoding);
  // Decoding skips what is no base64: encoded again, it would look different.
  check(encoding === 'utf8' || value.toString('base64') === encoded, 'base64 is not base64');
  check(value.length <= VALUE_BYTES_MAX, `a value is longer than ${VALUE_BYTES_MAX} bytes`);
  check(type !== 'counter' || isSum(value), 'the partial sum of a counter is not a number');
  check(type !== 'map' || isJson(encoded), 'the field of a map is not JSON');
  return value;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function readClaims(json: unknown): Claims {
  const claims = list(json, 'claims').map((each): Claim => {
    const claim = object(each, 'a claim');
    only(claim, ['through', 'clock']);
    const through = 'through' in claim ? keyText(claim['through'], 'through') : undefined;
    return { through, clock: vector(claim['clock'], 'clock') };
  });
  claims.forEach(({ through }, place) => {
    check(through !== undefined || place === claims.length - 1, 'a claim on all further keys is not the last one');
    const previous = claims[place - 1]?.through;
    const isInOrder = previous === undefined || through === undefined || compareKeys(previous, through) < 0;
    check(isInOrder, 'the claims are not in the order of keys');
  });
  return claims;
}

function vector(json: unknown, name: string): VersionVector {
  const entries = Object.entries(object(json, name)).map(([actor, counter]): [string, number] => {
    check(ACTOR.test(actor), `${name} names something that is no actor`);
    return [actor, number(counter, `${name} of ${actor}`, 1)];
  });
  return new Map(entries);
}

function keyText(json: unknown, name: string): string {
  const key = text(json, name);
  const bytes = Buffer.byteLength(key);
  check(bytes >= 1 && bytes <= KEY_BYTES_MAX, `${name} has ${bytes} bytes; a key has 1 to ${KEY_BYTES_MAX}`);
  return key;
}

function text(json: unknown, name: string): string {
  check(typeof json === 'string', `${name} is not a text`);
  check(json.isWellFormed(), `${name} has half a surrogate pair, which UTF-8 cannot hold`);
  return json;
}

function number(json: unknown, name: string, min: number, max = Number.MAX_SAFE_INTEGER): number {
  const isNumber = typeof json === 'number' && Number.isSafeInteger(json) && json >= min && json <= max;
  check(isNumber, `${name} is not an integer from ${min} to ${max}`);
  return json;
}

function list(json: unknown, name: string): readonly unknown[] {
  check(Array.isArray(json), `${name} is not a list`);
  return json as unknown[];
}

function object(json: unknown, name: string): Json {
  check(typeof json === 'object' && json !== null && !Array.isArray(json), `${name} is not an object`);
  return json as Json;
}

function only(json: Json, known: readonly string[]): void {
  for (const name of Object.keys(json)) check(known.includes(name), `${JSON.stringify(name)} is not known here`);
}

/** As a snapshot writes it. */
function isTime(text: string): boolean {
  const time = new Date(text);
  return !Number.isNaN(time.getTime()) && time.toISOString() === text;
}
