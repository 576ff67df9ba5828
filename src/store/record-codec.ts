// What stands on disk? Every record is
//
//     format (1 byte) · CRC-32 (4 bytes) of the record's format, key and body · body
//
// so that a flipped bit, a torn write or a record under the wrong key is detected on read, and never taken for a value
// or for absence. A new layout gets a new format number; old ones stay readable.

import { crc32 } from 'node:zlib';
import type { Actor } from '../clock/dot.js';
import type { Container, Version } from '../clock/container.js';
import type { Members } from '../clock/membership.js';
import type { Stamp } from '../clock/hybrid-clock.js';
import type { Claim, Claims } from '../clock/claims.js';
import { readKeptRequest, readLoggedRequest, writeKeptRequest, writeLoggedRequest } from '../codec/request-codec.js';
import type { KeptRequest, LoggedRequest } from '../clock/request.js';
import { UnreadContainer } from '../clock/unread-container.js';
import { EMPTY_VECTOR, type VersionVector } from '../clock/version-vector.js';
import { BinaryReader, MalformedBytesError } from '../codec/binary-reader.js';
import { BinaryWriter } from '../codec/binary-writer.js';
import { readMembers, writeMembers } from '../codec/members-codec.js';
import { readActor, readVector, writeVector } from '../codec/vector-codec.js';
import { readRegisters, readVersions, versionsOf, writeVersions } from '../codec/versions-codec.js';
import { isOfKey, isRequestKey } from './keyspace.js';

/** Format 1: contexts, log entries, claims, members; and registers without a lifetime, which had no type then. */
const FORMAT = 1;

/** Format 2 of a key's versions adds their types, parts and deadlines; format 3 numbers for content types, else it is the same. */
const VERSIONS_FORMAT = 3;

/** Format 1 of a log record is of one entry, format 2 adds the request whose first dot it is, format 3 is of many entries. */
const REQUESTED_FORMAT = 2;
const LOGGED_FORMAT = 3;

/**
 * Format 2 of the node record adds floor, bootstrap and the number of the commit, format 3 the past. Format 4 is the same, beside
 * log records of many entries: an earlier release refuses it.
 */
const NODE_FORMAT = 4;

const HEADER_BYTES = 5;

/** A record does not match its checksum, or was written by a later format. */
export class CorruptRecordError extends Error {
  readonly code = 'CORRUPT_RECORD';

  constructor(
    message: string,
    /** Where the record stands, by the layout of `keyspace.ts`. */
    readonly recordKey: Uint8Array,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  /** What the record tells of; undefined: neither of a key nor of a request. */
  get subject(): 'key' | 'request' | undefined {
    if (isRequestKey(this.recordKey)) return 'request';
    return isOfKey(this.recordKey) ? 'key' : undefined;
  }
}

/** Who this node is and what it knows: the one record that every commit rewrites. */
export interface NodeRecord {
  readonly actor: Actor;
  readonly clock: VersionVector;
  readonly stamp: Stamp;
  /** By actor, the highest counter whose log entry need not be there any more. */
  readonly floor: VersionVector;
  /** What versions that are stored here may depend on and the clock does not cover. */
  readonly past: VersionVector;
  /** How far a bootstrap has come: it goes on after this key. Undefined: none is under way. */
  readonly bootstrap: { readonly through: string | undefined } | undefined;
}

/** The node record of a database that holds nothing yet. */
export function blankNode(actor: Actor): NodeRecord {
  return { actor, clock: EMPTY_VECTOR, stamp: 0, floor: EMPTY_VECTOR, past: EMPTY_VECTOR, bootstrap: undefined };
}

const writer = new BinaryWriter(4096);

export function encodeVersions(key: Uint8Array, versions: readonly Version[]): Buffer {
  begin(VERSIONS_FORMAT);
  writeVersions(writer, versions);
  return sealed(key);
}

/** @throws CorruptRecordError */
export function decodeVersions(key: Uint8Array, record: Uint8Array): readonly Version[] {
  return decode(
    key,
    record,
    (reader, format) => (format === 1 ? readRegisters(reader) : readVersions(reader)),
    VERSIONS_FORMAT,
  );
}

/**
 * The container whose versions stand in `record`; with their bytes, so that whoever keeps it need not write them anew.
 * @throws CorruptRecordError
 */
export function decodeContainer(key: Uint8Array, record: Uint8Array, context: VersionVector): Container {
  return decode(
    key,
    record,
    (reader, format) => {
      if (format === 1) return { versions: readRegisters(reader), context };
      const read = unreadContainer(reader.raw(reader.remaining), context);
      // Now, and not when somebody looks: who reads a record is told whether it can be read.
      void read.versions;
      return read;
    },
    VERSIONS_FORMAT,
  );
}

/**
 * What `readVersions` reads, checked but not read; undefined when the record is of the first format.
 * @throws CorruptRecordError
 */
export function versionsBytes(key: Uint8Array, record: Uint8Array): Uint8Array | undefined {
  return decode(
    key,
    record,
    (reader, format) => {
      const bytes = reader.raw(reader.remaining);
      return format === 1 ? undefined : bytes;
    },
    VERSIONS_FORMAT,
  );
}

/** @param bytes what `versionsBytes` has found */
export function unreadContainer(bytes: Uint8Array, context: VersionVector): UnreadContainer {
  return new UnreadContainer(bytes, context, versionsOf);
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

/** @param commit the number of the commit that the record belongs to */
export function encodeNode(key: Uint8Array, node: NodeRecord, commit: number): Buffer {
  begin(NODE_FORMAT);
  writer.text(node.actor).varint(node.stamp);
  writeVector(writer, node.clock);
  writeVector(writer, node.floor);
  writer.byte(node.bootstrap === undefined ? 0 : 1).text(node.bootstrap?.through ?? '');
  writer.varint(commit);
  writeVector(writer, node.past);
  return sealed(key);
}

/** @throws CorruptRecordError */
export function decodeNode(key: Uint8Array, record: Uint8Array): { node: NodeRecord; commit: number } {
  return decode(
    key,
    record,
    (reader, format) => {
      const actor = readActor(reader);
      const stamp = reader.varint();
      const clock = readVector(reader);
      if (format === 1) return { node: { ...blankNode(actor), clock, stamp }, commit: 0 };
      const floor = readVector(reader);
      const isBootstrapping = reader.byte() === 1;
      const through = reader.text() || undefined;
      const bootstrap = isBootstrapping ? { through } : undefined;
      const commit = reader.varint();
      const past = format === 2 ? EMPTY_VECTOR : readVector(reader);
      return { node: { actor, clock, stamp, floor, past, bootstrap }, commit };
    },
    NODE_FORMAT,
  );
}

export function encodeClaims(key: Uint8Array, claims: Claims): Buffer {
  begin();
  writeClaims(writer, claims);
  return sealed(key);
}

/** @throws CorruptRecordError */
export function decodeClaims(key: Uint8Array, record: Uint8Array): Claims {
  return decode(key, record, readClaims);
}

/** What a log record tells of its dots. */
export interface Logged {
  /** In the order of their counters. */
  readonly keys: readonly string[];
  /** Of one dot only. */
  readonly request?: LoggedRequest | undefined;
}

export function encodeLogged(key: Uint8Array, { keys, request }: Logged): Buffer {
  const format = keys.length > 1 ? LOGGED_FORMAT : FORMAT;
  begin(request === undefined ? format : REQUESTED_FORMAT);
  for (const written of keys) writer.text(written);
  if (request !== undefined) writeLoggedRequest(writer, request);
  return sealed(key);
}

/** @throws CorruptRecordError */
export function decodeLogged(key: Uint8Array, record: Uint8Array): Logged {
  return decode(key, record, readLogged, LOGGED_FORMAT);
}

function readLogged(reader: BinaryReader, format: number): Logged {
  if (format === REQUESTED_FORMAT) return { keys: [reader.text()], request: readLoggedRequest(reader) };
  const keys = [reader.text()];
  while (format === LOGGED_FORMAT && reader.remaining > 0) keys.push(reader.text());
  return { keys };
}

export function encodeRequest(key: Uint8Array, request: KeptRequest): Buffer {
  begin();
  writeKeptRequest(writer, request);
  return sealed(key);
}

/** @throws CorruptRecordError */
export function decodeRequest(key: Uint8Array, record: Uint8Array): KeptRequest {
  return decode(key, record, readKeptRequest);
}

export function encodeMembers(key: Uint8Array, members: Members): Buffer {
  begin();
  writeMembers(writer, members);
  return sealed(key);
}

/** @throws CorruptRecordError */
export function decodeMembers(key: Uint8Array, record: Uint8Array): Members {
  return decode(key, record, readMembers);
}

function writeClaims(into: BinaryWriter, claims: Claims): void {
  into.varint(claims.length);
  for (const { through, clock } of claims) {
    into.text(through ?? '');
    writeVector(into, clock);
  }
}

function readClaims(reader: BinaryReader): Claims {
  const claims: Claim[] = [];
  for (let left = reader.count(2); left > 0; left--) {
    claims.push({ through: reader.text() || undefined, clock: readVector(reader) });
  }
  return claims;
}

function begin(format = FORMAT): void {
  writer.clear();
  writer.byte(format).uint32(0);
}

function sealed(key: Uint8Array): Buffer {
  const record = writer.finish();
  record.writeUInt32BE(checksum(key, record), 1);
  return record;
}

function decode<T>(
  key: Uint8Array,
  record: Uint8Array,
  read: (reader: BinaryReader, format: number) => T,
  formatMax = FORMAT,
): T {
  try {
    const reader = new BinaryReader(record);
    const format = reader.byte();
    if (format < 1 || format > formatMax)
      throw new MalformedBytesError(`record format ${format} is not known to this release`);
    if (reader.uint32() !== checksum(key, record)) throw new MalformedBytesError('the checksum does not match');
    const decoded = read(reader, format);
    reader.end();
    return decoded;
  } catch (error) {
    if (!(error instanceof MalformedBytesError)) throw error;
    throw new CorruptRecordError(`record ${Buffer.from(key).toString('hex')}: ${error.message}`, key, { cause: error });
  }
}

function checksum(key: Uint8Array, record: Uint8Array): number {
  return crc32(record.subarray(HEADER_BYTES), crc32(key, record[0]));
}
