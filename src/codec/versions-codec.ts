// How do the versions of a key look, in records and on the wire?

import type { Container, Version } from '../clock/container.js';
import { isSum } from '../clock/counter.js';
import { DEADLINE_MS_MAX } from '../clock/lifetime.js';
import { UnreadContainer } from '../clock/unread-container.js';
import { VALUE_TYPES, type ValueType } from '../clock/value-type.js';
import { BinaryReader, MalformedBytesError } from './binary-reader.js';
import type { BinaryWriter } from './binary-writer.js';
import { CONTENT_TYPES, contentTypeOf, numberOf } from './content-types.js';
import { readActor } from './vector-codec.js';

/** Beside the place of its type, a version says in the same byte whether it has a deadline, and the number of its content type. */
const HAS_DEADLINE = 4;
const CONTENT_TYPE_NUMBER = 8;

const NO_BYTES = new Uint8Array(0);

/**
 * Count, then of each version its dot, its stamp, a byte that tells its type, whether a deadline follows and the number of its
 * content type, and the fields that its type has. A content type without a number has 0 and follows.
 */
export function writeVersions(into: BinaryWriter, versions: readonly Version[]): void {
  into.varint(versions.length);
  for (const { actor, counter, stamp, type, part, contentType, value, deadlineMs } of versions) {
    into.text(actor).varint(counter).varint(stamp);
    const number = type === 'register' ? numberOf(contentType) : 0;
    into.byte(VALUE_TYPES.indexOf(type) + (deadlineMs === undefined ? 0 : HAS_DEADLINE) + CONTENT_TYPE_NUMBER * number);
    if (deadlineMs !== undefined) into.varint(deadlineMs);
    if (type === 'register' && number === 0) into.text(contentType);
    if (type === 'set' || type === 'map') into.text(part);
    if (type !== 'set') into.bytes(value);
  }
}

/** As `writeVersions`; of a container that is only passed on, the bytes as they are. */
export function writeVersionsOf(into: BinaryWriter, container: Container): void {
  if (container instanceof UnreadContainer) into.raw(container.encodedVersions);
  else writeVersions(into, container.versions);
}

/**
 * The values are views of the bytes that are read: who keeps one for long copies it.
 * @throws MalformedBytesError
 */
export function readVersions(reader: BinaryReader): readonly Version[] {
  // Nearly all keys have one version, and an array that grows keeps room for sixteen more. No count of a stranger makes it large.
  const count = reader.count(6);
  const versions = new Array<Version>(count === 1 ? 1 : 0);
  for (let place = 0; place < count; place++) {
    const actor = readActor(reader);
    const counter = reader.varint();
    const stamp = reader.varint();
    const tag = reader.byte();
    const type = VALUE_TYPES[tag % HAS_DEADLINE]!;
    const deadlineMs = tag % CONTENT_TYPE_NUMBER < HAS_DEADLINE ? undefined : readDeadline(reader);
    const contentType = readContentType(reader, type, Math.floor(tag / CONTENT_TYPE_NUMBER));
    const part = type === 'set' || type === 'map' ? reader.text() : '';
    const value = type === 'set' ? NO_BYTES : reader.bytes();
    if (type === 'counter' && !isSum(value)) throw new MalformedBytesError('a partial sum is not a number');
    versions[place] = { actor, counter, stamp, type, part, contentType, value, deadlineMs };
  }
  return versions;
}

/** As `readVersions`, of bytes that hold nothing else. */
export function versionsOf(bytes: Uint8Array): readonly Version[] {
  const reader = new BinaryReader(bytes);
  const versions = readVersions(reader);
  reader.end();
  return versions;
}

function readDeadline(reader: BinaryReader): number {
  const deadlineMs = reader.varint();
  if (deadlineMs > DEADLINE_MS_MAX) throw new MalformedBytesError('a deadline is no date');
  return deadlineMs;
}

function readContentType(reader: BinaryReader, type: ValueType, number: number): string {
  if (number === 0) return type === 'register' ? reader.knownText(CONTENT_TYPES) : '';
  const contentType = type === 'register' ? contentTypeOf(number) : undefined;
  if (contentType === undefined) throw new MalformedBytesError('the content type is not known');
  return contentType;
}

/** As `readVersions`, of records of the first format. */
export function readRegisters(reader: BinaryReader): readonly Version[] {
  const versions: Version[] = [];
  for (let left = reader.count(6); left > 0; left--) {
    const actor = readActor(reader);
    const counter = reader.varint();
    const stamp = reader.varint();
    const contentType = reader.knownText(CONTENT_TYPES);
    const value = reader.bytes();
    versions.push({ actor, counter, stamp, type: 'register', part: '', contentType, value, deadlineMs: undefined });
  }
  return versions;
}
