// What stands on disk? Every record is
//
//     format (1 byte) · CRC-32 (4 bytes) of the record's format, key and body · body
//
// so that a flipped bit, a torn write or a record under the wrong key is detected on read, and never taken for a value
// or for absence. A new layout gets a new format number; old ones stay readable.

import { crc32 } from 'node:zlib';
import type { Actor } from '../clock/dot.js';
import type { Version } from '../clock/container.js';
import type { Stamp } from '../clock/hybrid-clock.js';
import type { VersionVector } from '../clock/version-vector.js';
import { BinaryReader, MalformedBytesError } from '../codec/binary-reader.js';
import { BinaryWriter } from '../codec/binary-writer.js';
import { readActor, readVector, writeVector } from '../codec/vector-codec.js';

/** Format 1: a register's versions; contexts and node records as below. */
const FORMAT = 1;
const HEADER_BYTES = 5;

/** A record does not match its checksum, or was written by a later format. */
export class CorruptRecordError extends Error {
  readonly code = 'CORRUPT_RECORD';
}

/** Who this node is and what it knows: the one record that every commit rewrites. */
export interface NodeRecord {
  readonly actor: Actor;
  readonly clock: VersionVector;
  readonly stamp: Stamp;
}

const writer = new BinaryWriter(4096);

export function encodeVersions(key: Uint8Array, versions: readonly Version[]): Buffer {
  begin();
  writeVersions(writer, versions);
  return sealed(key);
}

/** @throws CorruptRecordError */
export function decodeVersions(key: Uint8Array, record: Uint8Array): readonly Version[] {
  return decode(key, record, readVersions);
}

export function encodeContext(key: Uint8Array, context: VersionVector): Buffer {
  begin();
  writeVector(writer, context);
  return sealed(key);
}

/** @throws CorruptRecordError */
export function decodeContext(key: Uint8Array, record: Uint8Array): VersionVector {
  return decode(key, record, readVector);
}

export function encodeNode(key: Uint8Array, node: NodeRecord): Buffer {
  begin();
  writer.text(node.actor).varint(node.stamp);
  writeVector(writer, node.clock);
  return sealed(key);
}

/** @throws CorruptRecordError */
export function decodeNode(key: Uint8Array, record: Uint8Array): NodeRecord {
  return decode(key, record, (reader) => {
    const actor = readActor(reader);
    const stamp = reader.varint();
    return { actor, stamp, clock: readVector(reader) };
  });
}

/** A log entry: the key that the dot wrote. */
export function encodeLogged(key: Uint8Array, written: string): Buffer {
  begin();
  writer.text(written);
  return sealed(key);
}

/** @throws CorruptRecordError */
export function decodeLogged(key: Uint8Array, record: Uint8Array): string {
  return decode(key, record, (reader) => reader.text());
}

/** Versions as they stand in records and on the wire: count, then each version's fields. */
export function writeVersions(into: BinaryWriter, versions: readonly Version[]): void {
  into.varint(versions.length);
  for (const version of versions) {
    into.text(version.actor).varint(version.counter).varint(version.stamp).text(version.contentType);
    into.bytes(version.value);
  }
}

/** @throws MalformedBytesError */
export function readVersions(reader: BinaryReader): readonly Version[] {
  const versions: Version[] = [];
  for (let left = reader.count(6); left > 0; left--) {
    const actor = readActor(reader);
    const counter = reader.varint();
    const stamp = reader.varint();
    const contentType = reader.text();
    versions.push({ actor, counter, stamp, contentType, value: ownBytes(reader.bytes()) });
  }
  return versions;
}

/** A view that is a small part of its buffer, a batch say, would keep all of it in memory: it is copied. */
function ownBytes(view: Uint8Array): Uint8Array {
  return view.length * 2 < view.buffer.byteLength ? new Uint8Array(view) : view;
}

function begin(): void {
  writer.clear();
  writer.byte(FORMAT).uint32(0);
}

function sealed(key: Uint8Array): Buffer {
  const record = writer.finish();
  record.writeUInt32BE(checksum(key, record), 1);
  return record;
}

function decode<T>(key: Uint8Array, record: Uint8Array, read: (reader: BinaryReader) => T): T {
  try {
    const reader = new BinaryReader(record);
    const format = reader.byte();
    if (format !== FORMAT) throw new MalformedBytesError(`record format ${format} is not known to this release`);
    if (reader.uint32() !== checksum(key, record)) throw new MalformedBytesError('the checksum does not match');
    const decoded = read(reader);
    reader.end();
    return decoded;
  } catch (error) {
    if (!(error instanceof MalformedBytesError)) throw error;
    throw new CorruptRecordError(`record ${Buffer.from(key).toString('hex')}: ${error.message}`, { cause: error });
  }
}

function checksum(key: Uint8Array, record: Uint8Array): number {
  return crc32(record.subarray(HEADER_BYTES), crc32(key, record[0]));
}
