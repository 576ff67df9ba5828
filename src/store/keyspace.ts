// Where does each record stand? One ordered keyspace, a letter for each kind of record:
//
//     n                              the node record
//     p                              the members ("peers")
//     k <key>                        live versions of a key
//     a <key>                        context of a key that knows more than the node clock ("ahead")
//     c                              what is claimed of ranges of keys beyond the node clock
//     l <actor> 00 <counter, 8 bytes> [<dots, 1 byte>]
//                                    the keys that so many dots wrote, the last of them with this counter; no number: one dot
//     m <number, 8 bytes>            the mark of a commit
//     d <deadline, 8 bytes> <key>    when a version of the key has its deadline, in milliseconds of wall time
//     i <key> 00 01 <id, 16 bytes>   a request that wrote the key ("idempotency")
//
// Keys stand as they are, in UTF-8, so that a scan yields them in the order of their bytes. Where something follows a key, a
// zero byte of its own is written 00 02, which keeps that order.

import type { KeySpan } from '../clock/claims.js';
import type { Actor, DotSpan } from '../clock/dot.js';
import type { RequestPlace } from '../clock/request.js';
import type { KeyRange } from './store.port.js';

export const NODE_KEY: Uint8Array = Buffer.from('n');

const DEADLINE_PREFIX_BYTES = 9;

export const MEMBERS_KEY: Uint8Array = Buffer.from('p');

export const CLAIMS_KEY: Uint8Array = Buffer.from('c');

/** All records of every kind. */
export const EVERYTHING: KeyRange = { gte: Buffer.of(0), lt: Buffer.of(0xff) };

/** The log of every actor. */
export const WHOLE_LOG: KeyRange = { gte: Buffer.from('l'), lt: Buffer.from('m') };

export const ALL_MARKS: KeyRange = { gte: Buffer.from('m'), lt: Buffer.from('n') };

export function versionsKey(key: string): Uint8Array {
  return Buffer.from(`k${key}`);
}

export function contextKey(key: string): Uint8Array {
  return Buffer.from(`a${key}`);
}

/** Entries of one log record, at most: their number is one byte. */
export const LOGGED_DOTS_MAX = 255;

/** @param dots how many the record tells of, the last of them with this counter */
export function logKey(actor: Actor, counter: number, dots = 1): Uint8Array {
  const prefix = actor.length + 2;
  const bytes = Buffer.allocUnsafe(prefix + (dots === 1 ? 8 : 9));
  bytes.write(`l${actor}\0`, 'latin1');
  writeNumber(bytes, counter, prefix);
  if (dots !== 1) bytes[prefix + 8] = dots;
  return bytes;
}

export function deadlineKey(deadlineMs: number, key: string): Uint8Array {
  const bytes = Buffer.allocUnsafe(DEADLINE_PREFIX_BYTES + Buffer.byteLength(key));
  bytes.write('d', 'latin1');
  writeNumber(bytes, deadlineMs, 1);
  bytes.write(key, DEADLINE_PREFIX_BYTES);
  return bytes;
}

/** The deadline and the key that an entry stands for. */
export function deadlineOf(recordKey: Uint8Array): { readonly deadlineMs: number; readonly key: string } {
  const bytes = Buffer.from(recordKey.buffer, recordKey.byteOffset, recordKey.length);
  return { deadlineMs: readNumber(bytes, 1), key: bytes.toString('utf8', DEADLINE_PREFIX_BYTES) };
}

/** Deadlines after `afterMs`, up to and with `throughMs`; any number will do, infinite ones too. */
export function deadlineRange(afterMs: number, throughMs: number): KeyRange {
  const from = (ms: number): Uint8Array => deadlineKey(Math.min(Math.max(0, ms), Number.MAX_SAFE_INTEGER), '');
  return { gte: from(afterMs + 1), lt: from(throughMs + 1) };
}

export function markKey(commit: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(9);
  bytes.write('m', 'latin1');
  writeNumber(bytes, commit, 1);
  return bytes;
}

const ID_BYTES = 16;

export function requestKey({ key, id }: RequestPlace): Uint8Array {
  return Buffer.concat([Buffer.from(`i${escaped(key)}\0\x01`), Buffer.from(id, 'hex')]);
}

/** Records of requests that wrote keys of the span, up to and with `through`. */
export function requestsWithin({ after, through }: KeySpan): KeyRange {
  // Everything of a key itself comes before its name with a zero byte.
  const gte = Buffer.from(after === undefined ? 'i' : `i${escaped(after)}\0\x02`);
  return { gte, lt: Buffer.from(through === undefined ? 'j' : `i${escaped(through)}\0\x02`) };
}

export function isRequestKey(recordKey: Uint8Array): boolean {
  return recordKey[0] === 0x69;
}

/** The request that a record tells of. */
export function placeOf(recordKey: Uint8Array): RequestPlace {
  const bytes = Buffer.from(recordKey.buffer, recordKey.byteOffset, recordKey.length);
  const end = bytes.length - ID_BYTES;
  return { key: bytes.toString('utf8', 1, end - 2).replaceAll('\0\x02', '\0'), id: bytes.toString('hex', end) };
}

function escaped(key: string): string {
  return key.replaceAll('\0', '\0\x02');
}

/** The number of the commit that a mark stands for. */
export function commitOf(recordKey: Uint8Array): number {
  return readNumber(Buffer.from(recordKey.buffer, recordKey.byteOffset, recordKey.length), 1);
}

export function isLogKey(recordKey: Uint8Array): boolean {
  return recordKey[0] === 0x6c;
}

export function isContextKey(recordKey: Uint8Array): boolean {
  return recordKey[0] === 0x61;
}

/** Whether the record tells of one key, its versions or its context, rather than of the node or of a dot. */
export function isOfKey(recordKey: Uint8Array): boolean {
  return recordKey[0] === 0x6b || isContextKey(recordKey);
}

/** The dots that a log record tells of. Of a key that is damaged, any: the record does not match it. */
export function dotsOf(recordKey: Uint8Array): DotSpan {
  const bytes = Buffer.from(recordKey.buffer, recordKey.byteOffset, recordKey.length);
  // What stands there is the last letter of the actor, when no number of dots follows.
  const isCounted = bytes.at(-10) === 0;
  const end = bytes.length - (isCounted ? 10 : 9);
  const to = readNumber(bytes, end + 1);
  return { actor: bytes.toString('latin1', 1, end), from: to - (isCounted ? bytes.at(-1)! : 1), to };
}

/** The key that stands behind the letter. */
export function keyOf(recordKey: Uint8Array): string {
  return Buffer.from(recordKey.buffer, recordKey.byteOffset + 1, recordKey.length - 1).toString();
}

/** Log records whose last dot is one of these: they tell of nothing that follows the span. */
export function logEndingIn({ actor, from, to }: DotSpan): KeyRange {
  return { gte: logKey(actor, from + 1), lt: logKey(actor, to + 1) };
}

/** Every log record that tells of one of these dots, and some that follow: where one begins, only its own key tells. */
export function logWith({ actor, from, to }: DotSpan): KeyRange {
  return { gte: logKey(actor, from + 1), lt: logKey(actor, Math.min(to + LOGGED_DOTS_MAX, Number.MAX_SAFE_INTEGER)) };
}

/** Records of `letter` of keys that follow `after`, up to and with `through`. */
export function spanRange(letter: 'k' | 'a', { after, through }: KeySpan): KeyRange {
  const whole = keyRange(letter, '', after);
  return through === undefined ? whole : { gte: whole.gte, lt: Buffer.from(`${letter}${through}\0`) };
}

/** The kinds of records that a scrub reads; the others are few, and checked at every start. */
export const SCRUBBED_LETTERS = ['k', 'a', 'l', 'i'] as const;

export type ScrubbedLetter = (typeof SCRUBBED_LETTERS)[number];

/** Records of one kind that follow `after`; undefined: from the first. */
export function recordsAfter(letter: ScrubbedLetter, after: Uint8Array | undefined): KeyRange {
  const start = Buffer.from(letter);
  return { gte: after === undefined ? start : Buffer.concat([after, Buffer.of(0)]), lt: successor(start) };
}

/** Version records of keys that begin with `prefix` and follow `after`. */
export function versionsRange(prefix: string, after: string | undefined): KeyRange {
  return keyRange('k', prefix, after);
}

/** Context records of keys that follow `after`. */
export function contextsRange(after: string | undefined): KeyRange {
  return keyRange('a', '', after);
}

function keyRange(letter: string, prefix: string, after: string | undefined): KeyRange {
  const start = Buffer.from(letter + prefix);
  // The least key after `after` is `after` with a zero byte behind it.
  const next = after === undefined ? start : Buffer.from(`${letter}${after}\0`);
  return { gte: Buffer.compare(next, start) > 0 ? next : start, lt: successor(start) };
}

/** The least key greater than every key that begins with `prefix`. Never empty: a letter is not 0xff. */
function successor(prefix: Buffer): Uint8Array {
  let end = prefix.length;
  while (prefix[end - 1] === 0xff) end--;
  const after = Buffer.from(prefix.subarray(0, end));
  after[end - 1]!++;
  return after;
}

function writeNumber(bytes: Buffer, number: number, place: number): void {
  bytes.writeUInt32BE(Math.floor(number / 2 ** 32), place);
  bytes.writeUInt32BE(number % 2 ** 32, place + 4);
}

function readNumber(bytes: Buffer, place: number): number {
  return bytes.readUInt32BE(place) * 2 ** 32 + bytes.readUInt32BE(place + 4);
}
