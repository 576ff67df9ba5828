// What stands in a context, session or cursor token?
//
//     format (1 byte) · kind (1 byte) · version vector · seal (8 bytes) · check (4 bytes)      as base64url
//
// A cursor has a wall time behind its vector. The seal is a hash over the cluster secret, the kind, the key (for a context) and the vector. It binds a context to
// its key, on which alone it says something true, and keeps made-up vectors out: a context that claims dots nobody has
// written would swallow them when they come. Every replica of a cluster has the secret, so it takes every other's
// tokens. Without a secret the seal still finds confusion, if not malice. The check is a CRC of all of it that begins with
// the secret's: a token that is damaged, or another cluster's, is told from a context that belongs to another key.

import { createHash, hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { VersionVector } from '../../clock/version-vector.js';
import { BinaryReader, MalformedBytesError } from '../../codec/binary-reader.js';
import { BinaryWriter } from '../../codec/binary-writer.js';
import { readVector, writeVector } from '../../codec/vector-codec.js';
import type { Cursor } from '../../replication/cursor.js';
import { Problem } from './problem.js';

const FORMAT = 1;
const KIND = { context: 1, session: 2, cursor: 3 } as const;
const CHECK_BYTES = 4;
const SEAL_BYTES = 8;

/** 64 actors of the longest names fit; no cluster comes near. */
const TOKEN_LENGTH_MAX = 8192;

export class Tokens {
  private readonly writer = new BinaryWriter();
  private readonly salt: Buffer;
  private readonly checkSeed: number;
  /** The bytes of the vector encoded last: at rest every token of a replica has the same one. */
  private last: { readonly vector: VersionVector; readonly bytes: Buffer } | undefined;

  constructor(clusterSecret: string | undefined) {
    this.salt = createHash('sha256')
      .update(`quartet token\0${clusterSecret ?? ''}`)
      .digest();
    this.checkSeed = crc32(this.salt);
  }

  context(key: string, vector: VersionVector): string {
    return this.seal(KIND.context, key, this.encode(vector));
  }

  session(vector: VersionVector): string {
    return this.seal(KIND.session, '', this.encode(vector));
  }

  cursor({ clock, expiredMs }: Cursor): string {
    return this.seal(KIND.cursor, '', Buffer.concat([this.encode(clock), this.writer.varint(expiredMs).finish()]));
  }

  /** @throws Problem INVALID_TOKEN, CONTEXT_OF_ANOTHER_KEY */
  parseContext(key: string, token: string): VersionVector {
    return this.open(KIND.context, key, token, readVector, () => {
      throw new Problem('CONTEXT_OF_ANOTHER_KEY', 'a context says something of its own key only: read this key first');
    });
  }

  /** @throws Problem INVALID_TOKEN */
  parseSession(token: string): VersionVector {
    return this.open(KIND.session, '', token, readVector, notOurs);
  }

  /** @throws Problem INVALID_TOKEN */
  parseCursor(token: string): Cursor {
    const readCursor = (reader: BinaryReader): Cursor => ({ clock: readVector(reader), expiredMs: reader.varint() });
    return this.open(KIND.cursor, '', token, readCursor, notOurs);
  }

  private seal(kind: number, key: string, bytes: Buffer): string {
    const token = Buffer.allocUnsafe(2 + bytes.length + SEAL_BYTES + CHECK_BYTES);
    token[0] = FORMAT;
    token[1] = kind;
    bytes.copy(token, 2);
    const end = 2 + bytes.length;
    token.write(this.sealOf(token.subarray(0, end), key), end, 'hex');
    token.writeUInt32BE(this.checkOf(token), end + SEAL_BYTES);
    return token.toString('base64url');
  }

  private open<T>(
    kind: number,
    key: string,
    token: string,
    read: (reader: BinaryReader) => T,
    onForeign: () => never,
  ): T {
    const bytes = Buffer.from(token, 'base64url');
    const end = bytes.length - SEAL_BYTES - CHECK_BYTES;
    const isWhole =
      token.length <= TOKEN_LENGTH_MAX &&
      end >= 2 &&
      bytes.toString('base64url') === token &&
      bytes[0] === FORMAT &&
      bytes[1] === kind &&
      bytes.readUInt32BE(end + SEAL_BYTES) === this.checkOf(bytes);
    if (!isWhole) {
      throw new Problem('INVALID_TOKEN', 'the token is damaged, cut, of another kind, or of another cluster');
    }
    if (bytes.toString('hex', end, end + SEAL_BYTES) !== this.sealOf(bytes.subarray(0, end), key)) onForeign();
    try {
      const reader = new BinaryReader(bytes.subarray(2, end));
      const content = read(reader);
      reader.end();
      return content;
    } catch (error) {
      if (!(error instanceof MalformedBytesError)) throw error;
      throw new Problem('INVALID_TOKEN', error.message);
    }
  }

  /** Cut to 8 bytes, which also leaves nothing to extend: the full hash never leaves the replica. */
  private sealOf(content: Uint8Array, key: string): string {
    return hash('sha256', Buffer.concat([this.salt, content, Buffer.from(key)]), 'hex').slice(0, SEAL_BYTES * 2);
  }

  private checkOf(token: Buffer): number {
    return crc32(token.subarray(0, -CHECK_BYTES), this.checkSeed);
  }

  private encode(vector: VersionVector): Buffer {
    if (this.last?.vector !== vector) {
      writeVector(this.writer, vector);
      this.last = { vector, bytes: this.writer.finish() };
    }
    return this.last.bytes;
  }
}

function notOurs(): never {
  throw new Problem('INVALID_TOKEN', 'the token was not given out by this cluster');
}
