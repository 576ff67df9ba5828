// How do messages look on the wire?
//
//     protocol (1 byte) · kind (1 byte) · from · to · body
//
// A batch lists each key once, with its container, and ranges name keys by their place in that list. What is read is
// checked in full before the engine sees it: it may rely on every rule that `readBatch` enforces.

import { isWithin, type KeySpan } from '../../clock/claims.js';
import type { Actor } from '../../clock/dot.js';
import { BinaryReader, MalformedBytesError } from '../../codec/binary-reader.js';
import { BinaryWriter } from '../../codec/binary-writer.js';
import { readMembers, writeMembers } from '../../codec/members-codec.js';
import { readKeptRequest, writeKeptRequest } from '../../codec/request-codec.js';
import { readActor, readVector, writeVector } from '../../codec/vector-codec.js';
import type { ClockMessage, PeerAnswer, PeerRequest, Piece, Seal } from '../engine/messages.js';
import { readBatch, REQUEST_BYTES_MIN, writeBatch } from './batch-codec.js';
import { KEY_BYTES_MAX, readContainers, readKey, writeContainers } from './container-codec.js';

/** Raised by a change that an older release would misread; a replica refuses any other number, and says so. */
export const PROTOCOL = 7;

/** The sender speaks another version of the protocol. */
export class ProtocolVersionError extends Error {
  readonly code = 'PROTOCOL_VERSION';
}

export interface Envelope<Message> {
  /** The sender's node name. */
  readonly from: string;
  /** The name under which the sender knows the receiver; empty when it knows only an address. */
  readonly to: string;
  readonly message: Message;
}

type Digests = Pick<Extract<PeerAnswer, { kind: 'digests' }>, 'keys' | 'through'>;

const NAME = /^[a-z0-9-]{1,63}$/;

const REQUESTS = ['push', 'compare', 'pull', 'pull-ahead', 'pull-keys', 'members', 'fetch', 'digest'] as const;
const ANSWERS = ['clock', 'batch', 'below-floor', 'take-all', 'piece', 'members', 'digests'] as const;

export function encodeRequest({ from, to, message }: Envelope<PeerRequest>): Buffer {
  const writer = new BinaryWriter(message.kind === 'push' ? 64 * 1024 : 256);
  writer.byte(PROTOCOL).byte(REQUESTS.indexOf(message.kind)).text(from).text(to);
  switch (message.kind) {
    case 'push':
      writeBatch(writer, message.batch);
      break;
    case 'compare':
      writeClockMessage(writer, message);
      break;
    case 'pull':
      writer.byte(message.wants === 'way' ? 1 : 0);
      writeVector(writer, message.since);
      break;
    case 'pull-ahead':
    case 'pull-keys':
      writer.text(message.after ?? '');
      break;
    case 'members':
      writeMembers(writer, message.members);
      break;
    case 'fetch':
      writer.varint(message.keys.length);
      for (const key of message.keys) writer.text(key);
      break;
    case 'digest':
      writeSpan(writer, message.span);
      writeVector(writer, message.clock);
      writer.varint(message.digest);
      break;
  }
  return writer.finish();
}

/** @throws MalformedBytesError, ProtocolVersionError */
export function decodeRequest(bytes: Uint8Array): Envelope<PeerRequest> {
  return decode(bytes, REQUESTS, (reader, kind): PeerRequest => {
    switch (kind) {
      case 'push':
        return { kind, batch: readBatch(reader) };
      case 'compare':
        return { kind, ...readClockMessage(reader) };
      case 'pull':
        return { kind, wants: reader.byte() === 1 ? 'way' : 'dots', since: readVector(reader) };
      case 'pull-ahead':
      case 'pull-keys':
        return { kind, after: reader.text() || undefined };
      case 'members':
        return { kind, members: readMembers(reader) };
      case 'fetch':
        return { kind, keys: Array.from({ length: reader.count(2) }, () => readKey(reader)) };
      case 'digest':
        return { kind, span: readSpan(reader), clock: readVector(reader), digest: reader.varint() };
    }
  });
}

export function encodeAnswer({ from, to, message }: Envelope<PeerAnswer>): Buffer {
  const writer = new BinaryWriter(message.kind === 'batch' || message.kind === 'piece' ? 64 * 1024 : 256);
  writer.byte(PROTOCOL).byte(ANSWERS.indexOf(message.kind)).text(from).text(to);
  switch (message.kind) {
    case 'clock':
      writeClockMessage(writer, message);
      break;
    case 'batch':
      writeBatch(writer, message.batch);
      writer.text(message.next ?? '');
      break;
    case 'below-floor':
      writeVector(writer, message.clock);
      writeVector(writer, message.floor);
      break;
    case 'take-all':
      writeVector(writer, message.clock);
      break;
    case 'piece':
      writePiece(writer, message.piece);
      break;
    case 'members':
      writeMembers(writer, message.members);
      break;
    case 'digests':
      writeDigests(writer, message);
      break;
  }
  return writer.finish();
}

/** @throws MalformedBytesError, ProtocolVersionError */
export function decodeAnswer(bytes: Uint8Array): Envelope<PeerAnswer> {
  return decode(bytes, ANSWERS, (reader, kind): PeerAnswer => {
    switch (kind) {
      case 'clock':
        return { kind, ...readClockMessage(reader) };
      case 'batch':
        return { kind, batch: readBatch(reader), next: reader.text() || undefined };
      case 'below-floor':
        return { kind, clock: readVector(reader), floor: readVector(reader) };
      case 'take-all':
        return { kind, clock: readVector(reader) };
      case 'piece':
        return { kind, piece: readPiece(reader) };
      case 'members':
        return { kind, members: readMembers(reader) };
      case 'digests':
        return { kind, ...readDigests(reader) };
    }
  });
}

function decode<Kind extends string, Message>(
  bytes: Uint8Array,
  kinds: readonly Kind[],
  read: (reader: BinaryReader, kind: Kind) => Message,
): Envelope<Message> {
  const reader = new BinaryReader(bytes);
  const protocol = reader.byte();
  if (protocol !== PROTOCOL) {
    throw new ProtocolVersionError(
      `this replica speaks version ${PROTOCOL} of the protocol, the other ${protocol}: bring both to the same release`,
    );
  }
  const kind = kinds[reader.byte()];
  if (kind === undefined) throw new MalformedBytesError('the kind of message is not known');
  const from = reader.text();
  const to = reader.text();
  if (!NAME.test(from) || (to !== '' && !NAME.test(to))) throw new MalformedBytesError('a node name is not valid');
  const message = read(reader, kind);
  reader.end();
  return { from, to, message };
}

function writeClockMessage(writer: BinaryWriter, message: ClockMessage): void {
  writeVector(writer, message.clock);
  writer.text(message.actor);
  writer.varint(message.aheadDigest).varint(message.claimsDigest).varint(message.membersDigest);
  writer.varint(message.dead.size);
  for (const [actor, digest] of message.dead) writer.text(actor).varint(digest);
  writer.varint(message.sealed.size);
  for (const [actor, { from, to, digest }] of message.sealed) {
    writer.text(actor).varint(from).varint(to).varint(digest);
  }
  writeVector(writer, message.yours);
  writeVector(writer, message.awaited);
}

function readClockMessage(reader: BinaryReader): ClockMessage {
  return {
    clock: readVector(reader),
    actor: readActor(reader),
    aheadDigest: reader.varint(),
    claimsDigest: reader.varint(),
    membersDigest: reader.varint(),
    dead: readDead(reader),
    sealed: readSeals(reader),
    yours: readVector(reader),
    awaited: readVector(reader),
  };
}

function readDead(reader: BinaryReader): ReadonlyMap<Actor, number> {
  const dead = new Map<Actor, number>();
  for (let left = reader.count(2); left > 0; left--) {
    const actor = readActor(reader);
    if (dead.has(actor)) throw new MalformedBytesError(`${actor} is dead twice`);
    dead.set(actor, reader.varint());
  }
  return dead;
}

function readSeals(reader: BinaryReader): ReadonlyMap<Actor, Seal> {
  const seals = new Map<Actor, Seal>();
  for (let left = reader.count(4); left > 0; left--) {
    const actor = readActor(reader);
    const seal = { from: reader.varint(), to: reader.varint(), digest: reader.varint() };
    if (seal.to <= seal.from || seals.has(actor)) throw new MalformedBytesError(`the seal of ${actor} is not valid`);
    seals.set(actor, seal);
  }
  return seals;
}

function writeSpan(writer: BinaryWriter, { after, through }: KeySpan): void {
  writer.text(after ?? '').text(through ?? '');
}

function readSpan(reader: BinaryReader): KeySpan {
  const span = { after: readSpanEnd(reader), through: readSpanEnd(reader) };
  if (span.through !== undefined && !isWithin({ after: span.after, through: undefined }, span.through)) {
    throw new MalformedBytesError('a span ends before it begins');
  }
  return span;
}

function writeDigests(writer: BinaryWriter, { keys, through }: Digests): void {
  writer.byte(keys === undefined ? 0 : 1).varint(keys?.size ?? 0);
  for (const [key, digest] of keys ?? []) writer.text(key).varint(digest);
  writer.text(through ?? '');
}

function readDigests(reader: BinaryReader): Digests {
  const isDifferent = reader.byte() === 1;
  const keys = new Map<string, number>();
  for (let left = reader.count(3); left > 0; left--) keys.set(readKey(reader), reader.varint());
  return { keys: isDifferent ? keys : undefined, through: reader.text() || undefined };
}

function writePiece(writer: BinaryWriter, { span, clock, containers, past, requests }: Piece): void {
  writeSpan(writer, span);
  writeVector(writer, clock);
  writeContainers(writer, containers);
  writeVector(writer, past);
  writer.varint(requests.length);
  for (const request of requests) writeKeptRequest(writer, request);
}

function readPiece(reader: BinaryReader): Piece {
  const span = readSpan(reader);
  const clock = readVector(reader);
  const containers = readContainers(reader, clock);
  for (const key of containers.keys()) {
    if (!isWithin(span, key)) throw new MalformedBytesError('a key lies outside of the span of its piece');
  }
  const past = readVector(reader);
  const requests = Array.from({ length: reader.count(REQUEST_BYTES_MIN) }, () => readKeptRequest(reader));
  if (requests.some(({ key }) => !isWithin(span, key))) {
    throw new MalformedBytesError('a request lies outside of the span of its piece');
  }
  return { span, clock, containers, past, requests };
}

function readSpanEnd(reader: BinaryReader): string | undefined {
  const key = reader.text();
  if (Buffer.byteLength(key) > KEY_BYTES_MAX) throw new MalformedBytesError('a span ends at what can be no key');
  return key === '' ? undefined : key;
}
