// What stands in a context, session or cursor token?
//
//     format (1 byte) · version vector · zeros up to a multiple of 3 · kind (1) · seal (8) · check (4)      as base64url
//
// A cursor has a wall time behind its vector; a context may have a dot there (after how many: 0 or 1), and then the vector of what
// its versions may depend on. The seal is a keyed hash (the key comes from the cluster secret) over all
// before it and, for a context, the key that it is of. It binds a context to its key, on which alone it says something
// true, and keeps made-up vectors out: a context that claims dots nobody has written would swallow them when they come.
// Every replica of a cluster has the secret, so it takes every other's tokens. Without a secret the seal still finds
// confusion, if not malice. The check is a keyed hash over all before it, and not of the key: a token that is damaged, or
// another cluster's, is told from a context that belongs to another key.
//
// Every answer has two tokens, nearly always of the vector that the last one had: what depends on that alone is kept.

import { createHash } from 'node:crypto';
import type { AuthorContext } from '../../clock/dotted-vector.js';
import { EMPTY_VECTOR, type VersionVector } from '../../clock/version-vector.js';
import { BinaryReader, MalformedBytesError } from '../../codec/binary-reader.js';
import { BinaryWriter } from '../../codec/binary-writer.js';
import { readActor, readVector, writeVector } from '../../codec/vector-codec.js';
import type { Cursor } from '../../replication/cursor.js';
import { Problem } from './problem.js';
import { sipHash, sipStart, sipTake, sipText, sipWord, type SipHash, type SipState } from './siphash.js';

const FORMAT = 2;
const KIND = { context: 1, session: 2, cursor: 3 } as const;
const SEAL_BYTES = 8;
const CHECK_BYTES = 4;
const TAIL_BYTES = 1 + SEAL_BYTES + CHECK_BYTES;

/** The last byte of a word that tells uses of the hash apart. No key has it: what is hashed with a key is nothing else. */
const NOT_UTF8 = 0xff * 2 ** 24;
const SEAL_WORD = 2 ** 8;
const CHECK_WORD = 2 * 2 ** 8;

/** All headers of a request may have no more. Every disk that was lost leaves an actor: some 700 with short names fit. */
const TOKEN_LENGTH_MAX = 16 * 1024;

/** What a token says, and what all tokens that say it have in common. */
interface Content {
  /** Format and content, as base64url. */
  readonly text: string;
  readonly state: SipState;
}

/** Of the vector whose tokens were asked for last. */
interface Known extends Content {
  readonly vector: VersionVector;
  readonly contextCheck: SipState;
  session: string | undefined;
}

export class Tokens {
  private readonly writer = new BinaryWriter();
  private readonly tail = Buffer.alloc(TAIL_BYTES);
  private readonly start: SipState;
  private known: Known | undefined;

  constructor(clusterSecret: string | undefined) {
    const salt = createHash('sha256').update(`quartet token\0${clusterSecret ?? ''}`);
    this.start = sipStart(salt.digest());
  }

  context(key: string, vector: VersionVector): string {
    const { text, state, contextCheck } = this.of(vector);
    return text + this.sealed(KIND.context, sipText(state, key), contextCheck);
  }

  /** A context that a vector alone does not tell. */
  authorContext(key: string, { vector, dot, past }: AuthorContext): string {
    if (dot === undefined && past.size === 0) return this.context(key, vector);
    writeVector(this.begin(), vector);
    this.writer.byte(dot === undefined ? 0 : 1);
    if (dot !== undefined) this.writer.text(dot.actor).varint(dot.counter);
    writeVector(this.writer, past);
    const { text, state } = this.end(this.writer);
    return text + this.sealed(KIND.context, sipText(state, key), checkStart(state, KIND.context));
  }

  session(vector: VersionVector): string {
    const known = this.of(vector);
    known.session ??= this.withoutKey(KIND.session, known);
    return known.session;
  }

  cursor({ clock, ended }: Cursor): string {
    writeVector(this.begin(), clock);
    return this.withoutKey(KIND.cursor, this.end(this.writer.varint(ended.wallMs).text(ended.key)));
  }

  /** @throws Problem INVALID_TOKEN, CONTEXT_OF_ANOTHER_KEY */
  parseContext(key: string, token: string): AuthorContext {
    return this.open(KIND.context, token, {
      read: readAuthorContext,
      sealOf: (state) => sipText(state, key),
      onForeign: () => {
        const detail = 'a context says something of its own key only: read this key first';
        throw new Problem('CONTEXT_OF_ANOTHER_KEY', detail);
      },
    });
  }

  /** @throws Problem INVALID_TOKEN */
  parseSession(token: string): VersionVector {
    return this.open(KIND.session, token, {
      read: readVector,
      sealOf: (state) => sealWithoutKey(state, KIND.session),
      onForeign: notOurs,
    });
  }

  /** @throws Problem INVALID_TOKEN */
  parseCursor(token: string): Cursor {
    return this.open(KIND.cursor, token, {
      read: (reader) => ({ clock: readVector(reader), ended: { wallMs: reader.varint(), key: reader.text() } }),
      sealOf: (state) => sealWithoutKey(state, KIND.cursor),
      onForeign: notOurs,
    });
  }

  private withoutKey(kind: number, { text, state }: Content): string {
    return text + this.sealed(kind, sealWithoutKey(state, kind), checkStart(state, kind));
  }

  /** Kind, seal and check. */
  private sealed(kind: number, seal: SipHash, check: SipState): string {
    const { tail } = this;
    tail[0] = kind;
    tail.writeUInt32LE(seal.low, 1);
    tail.writeUInt32LE(seal.high, 5);
    tail.writeUInt32LE(sipHash(check, seal).low, 1 + SEAL_BYTES);
    return tail.toString('base64url');
  }

  private open<T>(
    kind: number,
    token: string,
    {
      read,
      sealOf,
      onForeign,
    }: {
      readonly read: (reader: BinaryReader) => T;
      readonly sealOf: (state: SipState) => SipHash;
      readonly onForeign: () => never;
    },
  ): T {
    const bytes = Buffer.from(token, 'base64url');
    const end = bytes.length - TAIL_BYTES;
    const isToken =
      token.length <= TOKEN_LENGTH_MAX &&
      end >= 3 &&
      end % 3 === 0 &&
      bytes.toString('base64url') === token &&
      bytes[0] === FORMAT &&
      bytes[end] === kind;
    if (!isToken) throw damaged();
    const state = sipTake(this.start, bytes.subarray(0, end));
    const seal = { low: bytes.readUInt32LE(end + 1), high: bytes.readUInt32LE(end + 5) };
    if (bytes.readUInt32LE(end + 1 + SEAL_BYTES) !== sipHash(checkStart(state, kind), seal).low) throw damaged();
    const own = sealOf(state);
    if (own.low !== seal.low || own.high !== seal.high) onForeign();
    try {
      const reader = new BinaryReader(bytes.subarray(1, end));
      const content = read(reader);
      while (reader.remaining > 0) if (reader.byte() !== 0) throw new MalformedBytesError('bytes are left over');
      return content;
    } catch (error) {
      if (!(error instanceof MalformedBytesError)) throw error;
      throw new Problem('INVALID_TOKEN', error.message);
    }
  }

  private of(vector: VersionVector): Known {
    if (this.known?.vector === vector) return this.known;
    writeVector(this.begin(), vector);
    const { text, state } = this.end(this.writer);
    this.known = { vector, text, state, contextCheck: checkStart(state, KIND.context), session: undefined };
    return this.known;
  }

  private begin(): BinaryWriter {
    return this.writer.byte(FORMAT);
  }

  private end(writer: BinaryWriter): Content {
    while (writer.size % 3 > 0) writer.byte(0);
    const bytes = writer.finish();
    return { text: bytes.toString('base64url'), state: sipTake(this.start, bytes) };
  }
}

/** No more than zeros behind the vector, which are padding or say that there is nothing: both are the same. */
function readAuthorContext(reader: BinaryReader): AuthorContext {
  const vector = readVector(reader);
  const dots = reader.remaining > 0 ? reader.byte() : 0;
  if (dots > 1) throw new MalformedBytesError('a context has one dot at most');
  const dot = dots === 0 ? undefined : { actor: readActor(reader), counter: reader.varint() };
  if (dot?.counter === 0) throw new MalformedBytesError('a dot counts from 0');
  const past = reader.remaining > 0 ? readVector(reader) : EMPTY_VECTOR;
  return { vector, dot, past };
}

function sealWithoutKey(state: SipState, kind: number): SipHash {
  return sipText(sipWord(state, NOT_UTF8 + SEAL_WORD + kind), '');
}

/** The hash of a seal from here on is the check. */
function checkStart(state: SipState, kind: number): SipState {
  return sipWord(state, NOT_UTF8 + CHECK_WORD + kind);
}

function damaged(): Problem {
  return new Problem('INVALID_TOKEN', 'the token is damaged, cut, of another kind, or of another cluster');
}

function notOurs(): never {
  throw new Problem('INVALID_TOKEN', 'the token was not given out by this cluster');
}
