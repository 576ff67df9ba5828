// How does a request's name look as bytes, on disk and on the wire?

import type { KeptRequest, LoggedRequest } from '../clock/request.js';
import { MalformedBytesError, type BinaryReader } from './binary-reader.js';
import type { BinaryWriter } from './binary-writer.js';
import { readActor } from './vector-codec.js';

const ID_BYTES = 16;
const FINGERPRINT_BYTES = 8;

/** The name, and how many dots the request has written. */
export function writeLoggedRequest(writer: BinaryWriter, { id, fingerprint, dots }: LoggedRequest): void {
  writer.bytes(Buffer.from(id + fingerprint, 'hex')).varint(dots);
}

/** @throws MalformedBytesError */
export function readLoggedRequest(reader: BinaryReader): LoggedRequest {
  const request = { ...readName(reader), dots: reader.varint() };
  if (request.dots === 0) throw new MalformedBytesError('a request in the log has no dot');
  return request;
}

export function writeKeptRequest(writer: BinaryWriter, { id, fingerprint, key, dot, sinceMs }: KeptRequest): void {
  writer
    .bytes(Buffer.from(id + fingerprint, 'hex'))
    .text(key)
    .text(dot.actor)
    .varint(dot.counter)
    .varint(sinceMs);
}

/** @throws MalformedBytesError */
export function readKeptRequest(reader: BinaryReader): KeptRequest {
  const name = readName(reader);
  const key = reader.text();
  const dot = { actor: readActor(reader), counter: reader.varint() };
  return { ...name, key, dot, sinceMs: reader.varint() };
}

function readName(reader: BinaryReader): { readonly id: string; readonly fingerprint: string } {
  const bytes = reader.bytes();
  if (bytes.length !== ID_BYTES + FINGERPRINT_BYTES) throw new MalformedBytesError('a request has no valid name');
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
  return { id: text.slice(0, 2 * ID_BYTES), fingerprint: text.slice(2 * ID_BYTES) };
}
