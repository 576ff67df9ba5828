// Does a message come out as it went in, and is everything else refused before the engine sees it?

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Container, Version } from '../../../src/clock/container.js';
import { compareDots } from '../../../src/clock/dot.js';
import type { VersionVector } from '../../../src/clock/version-vector.js';
import { MalformedBytesError } from '../../../src/codec/binary-reader.js';
import type { Batch, PeerAnswer, PeerRequest, Piece } from '../../../src/replication/engine/messages.js';
import {
  decodeAnswer,
  decodeRequest,
  encodeAnswer,
  encodeRequest,
  PROTOCOL,
  ProtocolVersionError,
  type Envelope,
} from '../../../src/replication/transport/message-codec.js';
import { versionsKey } from '../../../src/store/keyspace.js';
import { encodeVersions, unreadContainer, versionsBytes } from '../../../src/store/record-codec.js';
import { container, shownVector, utf8, vector, version } from '../../support/clock-arbitraries.js';
import { anyVersionOf } from '../../support/version-arbitraries.js';

/** Of one request. */
const DOTS_MAX = 10_000;

const anyName = fc.stringMatching(/^[a-z0-9-]{1,63}$/);
const anyActor = fc.constantFrom('n1.a', 'n2.b', 'n3.c', 'n1.zzzzzzzzzzzzzzzz');
const anyCounter = fc.oneof(
  fc.integer({ min: 1, max: 200 }),
  fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER - DOTS_MAX }),
);
const anyVector: fc.Arbitrary<VersionVector> = fc
  .uniqueArray(fc.tuple(anyActor, anyCounter), { selector: ([actor]) => actor })
  .map((entries) => new Map(entries));
const anyDigest = fc.integer({ min: 0, max: 2 ** 52 - 1 });
const anyKey = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
  .filter((key) => key.isWellFormed() && Buffer.byteLength(key) <= 1024);

/** Versions that the clock covers, as every container of a batch has them. */
function versionsWithin(clock: VersionVector): fc.Arbitrary<Version[]> {
  const actors = [...clock.keys()];
  if (actors.length === 0) return fc.constant([]);
  const anyDot = fc.record({ actor: fc.constantFrom(...actors), counter: fc.integer({ min: 1, max: 200 }) });
  return fc
    .uniqueArray(anyVersionOf(anyDot), { selector: ({ actor, counter }) => `${actor} ${counter}`, maxLength: 3 })
    .map((versions) => versions.filter((each) => each.counter <= clock.get(each.actor)!).sort(compareDots));
}

const anyRequestName = {
  id: fc.stringMatching(/^[0-9a-f]{32}$/),
  fingerprint: fc.stringMatching(/^[0-9a-f]{16}$/),
};
const anyLoggedRequest = fc.record({ ...anyRequestName, dots: fc.integer({ min: 1, max: DOTS_MAX }) });

const anyBatch: fc.Arbitrary<Batch> = anyVector.chain((clock) =>
  fc
    .uniqueArray(fc.tuple(anyKey, versionsWithin(clock), anyVector), { selector: ([key]) => key, maxLength: 5 })
    .chain((entries) => {
      const containers = new Map(
        entries.map(([key, versions, context]): [string, Container] => [key, { versions, context }]),
      );
      const keys = entries.length > 0 ? fc.constantFrom(...containers.keys()) : undefined;
      const ranges = [...clock].map(([actor, counter]) =>
        fc
          .tuple(
            keys === undefined ? fc.constant([]) : fc.array(keys, { maxLength: Math.min(4, counter) }),
            fc.option(anyLoggedRequest, { nil: undefined }),
          )
          .map(([named, request]) => ({
            actor,
            from: counter - named.length,
            keys: named,
            // Of the last dot.
            ...(request && named.length > 0 ? { requests: new Map([[counter, request]]) } : {}),
          })),
      );
      const exact = fc.option(
        fc.subarray([...containers.keys()]).map((exactly) => ({ clock, keys: new Set(exactly) })),
        { nil: undefined },
      );
      return fc
        .tuple(anyVector, exact, ...ranges)
        .map(([past, of, ...all]) => ({ clock, ranges: all, containers, exact: of, past }));
    }),
);

const anyEnd = fc.option(anyKey, { nil: undefined });

/** Spans of the keys that are drawn, with some of them. */
const anyPiece: fc.Arbitrary<Piece> = fc
  .tuple(
    anyBatch,
    fc.boolean(),
    fc.boolean(),
    fc.array(fc.record({ ...anyRequestName, sinceMs: fc.nat() }), { maxLength: 3 }),
  )
  .map(([{ clock, containers, past }, isFirst, isLast, names]) => {
    const [after, ...inside] = [...containers].sort(([left], [right]) => Buffer.compare(utf8(left), utf8(right)));
    const span = {
      after: isFirst ? undefined : after?.[0],
      through: isLast ? undefined : inside.at(-1)?.[0],
    };
    const key = inside.at(0)?.[0];
    const dot = { actor: 'n1.a', counter: 7 };
    const requests = key === undefined ? [] : names.map((name) => ({ ...name, key, dot }));
    return { span, clock, containers: new Map(inside), past, requests };
  });

const anyClockMessage = {
  clock: anyVector,
  actor: fc.constantFrom('n1.a', 'n-2.0zz'),
  aheadDigest: anyDigest,
  claimsDigest: anyDigest,
  membersDigest: anyDigest,
  dead: fc.dictionary(fc.constantFrom('n1.a', 'n2.0zz'), anyDigest).map((dead) => new Map(Object.entries(dead))),
  sealed: fc
    .dictionary(
      fc.constantFrom('n1.a', 'n2.0zz'),
      fc.record({ from: fc.nat(100), more: fc.integer({ min: 1, max: 9 }), digest: anyDigest }),
    )
    .map((seals) => {
      const sealOf = ({ from, more, digest }: (typeof seals)[string]) => ({ from, to: from + more, digest });
      return new Map(Object.entries(seals).map(([actor, seal]) => [actor, sealOf(seal)]));
    }),
  yours: anyVector,
  awaited: anyVector,
};
const anyMembers = fc
  .dictionary(
    fc.constantFrom('n1', 'n2', 'node-3'),
    fc.record({ url: fc.constantFrom('http://n1:5000', 'https://[::1]'), version: fc.nat() }),
  )
  .map((members) => new Map(Object.entries(members)));
const anyRequest: fc.Arbitrary<PeerRequest> = fc.oneof(
  anyBatch.map((batch) => ({ kind: 'push' as const, batch })),
  fc.record({ kind: fc.constant('compare' as const), ...anyClockMessage }),
  fc.record({
    kind: fc.constant('pull' as const),
    since: anyVector,
    wants: fc.constantFrom('dots' as const, 'way' as const),
  }),
  fc.record({ kind: fc.constantFrom('pull-ahead' as const, 'pull-keys' as const), after: anyEnd }),
  fc.record({ kind: fc.constant('members' as const), members: anyMembers }),
);
const anyAnswer: fc.Arbitrary<PeerAnswer> = fc.oneof(
  fc.record({ kind: fc.constant('clock' as const), ...anyClockMessage }),
  fc.record({ kind: fc.constant('batch' as const), batch: anyBatch, next: anyEnd }),
  fc.record({ kind: fc.constant('below-floor' as const), clock: anyVector, floor: anyVector }),
  fc.record({ kind: fc.constant('take-all' as const), clock: anyVector }),
  fc.record({ kind: fc.constant('piece' as const), piece: anyPiece }),
  fc.record({ kind: fc.constant('members' as const), members: anyMembers }),
);

/** As plain data, in which equal messages are equal. */
function shown(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, part: unknown) => {
      if (part instanceof Map) return { map: [...(part as Map<unknown, unknown>)] };
      if (part instanceof Set) return { set: [...(part as Set<unknown>)].sort() };
      if (part instanceof Uint8Array) return { bytes: [...part] };
      // A view of the message: JSON has made it its own form by now.
      if ((part as { type?: unknown } | null)?.type === 'Buffer') return { bytes: (part as { data: number[] }).data };
      return part;
    }),
  );
}

/** A batch with one key, one version and one range, for tests that spoil it. */
function batchOf(changes: Partial<Batch> = {}): Batch {
  return {
    clock: vector({ 'n1.a': 2 }),
    ranges: [{ actor: 'n1.a', from: 1, keys: ['key'] }],
    containers: new Map([['key', container([version('n1.a', 2)], vector({}))]]),
    exact: undefined,
    past: vector({}),
    ...changes,
  };
}

function pushed(batch: Batch): Buffer {
  return encodeRequest({ from: 'n1', to: 'n2', message: { kind: 'push', batch } });
}

/** Decodes, or refuses as decoding may refuse. */
function tryBoth(bytes: Uint8Array): void {
  for (const decode of [decodeRequest, decodeAnswer] as const) {
    try {
      decode(bytes);
    } catch (error) {
      if (!(error instanceof MalformedBytesError) && !(error instanceof ProtocolVersionError)) throw error;
    }
  }
}

/** The lengths to which `bytes` may be cut and still be taken. */
function lengthsTaken(bytes: Buffer, decode: (bytes: Uint8Array) => unknown): number[] {
  const taken: number[] = [];
  for (let length = 0; length <= bytes.length; length++) {
    try {
      decode(bytes.subarray(0, length));
      taken.push(length);
    } catch (error) {
      if (!(error instanceof MalformedBytesError)) throw error;
    }
  }
  return taken;
}

describe('a message', () => {
  it('comes out as it went in', () => {
    fc.assert(
      fc.property(anyName, fc.oneof(anyName, fc.constant('')), anyRequest, (from, to, message) => {
        const envelope: Envelope<PeerRequest> = { from, to, message };
        expect(shown(decodeRequest(encodeRequest(envelope)))).toEqual(shown(envelope));
      }),
    );
    fc.assert(
      fc.property(anyName, anyName, anyAnswer, (from, to, message) => {
        const envelope: Envelope<PeerAnswer> = { from, to, message };
        expect(shown(decodeAnswer(encodeAnswer(envelope)))).toEqual(shown(envelope));
      }),
    );
  });

  it('is refused at every shorter length, and with anything behind it', () => {
    fc.assert(
      fc.property(anyRequest, anyAnswer, (request, answer) => {
        const asked = encodeRequest({ from: 'n1', to: 'n2', message: request });
        const answered = encodeAnswer({ from: 'n1', to: 'n2', message: answer });
        expect(lengthsTaken(asked, decodeRequest)).toEqual([asked.length]);
        expect(lengthsTaken(answered, decodeAnswer)).toEqual([answered.length]);
        expect(() => decodeRequest(Buffer.concat([asked, Buffer.of(0)]))).toThrow(MalformedBytesError);
        expect(() => decodeAnswer(Buffer.concat([answered, Buffer.of(0)]))).toThrow(MalformedBytesError);
      }),
      { numRuns: 30 },
    );
  });

  it('is refused in one of two ways whatever its bytes are', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), tryBoth), { numRuns: 2000 });
    // Most random bytes fail at the first; behind a good head they come further.
    const head = encodeRequest({
      from: 'n1',
      to: 'n2',
      message: { kind: 'pull', since: vector({}), wants: 'dots' },
    }).subarray(2, -1);
    const behindHead = fc
      .tuple(fc.nat({ max: 5 }), fc.uint8Array({ maxLength: 100 }))
      .map(([kind, tail]) => Buffer.concat([Buffer.of(PROTOCOL, kind), head, tail]));
    fc.assert(fc.property(behindHead, tryBoth), { numRuns: 2000 });
  });

  it('is refused or read, and nothing else, when some of its bytes are others', () => {
    const mutation = fc.tuple(fc.nat(), fc.nat({ max: 255 }));
    fc.assert(
      fc.property(
        anyRequest,
        anyAnswer,
        fc.array(mutation, { minLength: 1, maxLength: 4 }),
        (request, answer, mutations) => {
          for (const bytes of [
            encodeRequest({ from: 'n1', to: 'n2', message: request }),
            encodeAnswer({ from: 'n1', to: 'n2', message: answer }),
          ]) {
            for (const [place, byte] of mutations) bytes[place % bytes.length] = byte;
            tryBoth(bytes);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('of another version of the protocol is refused as such, before anything else of it is read', () => {
    for (const protocol of [0, PROTOCOL - 1, PROTOCOL + 1, 255]) {
      expect(() => decodeRequest(Uint8Array.of(protocol, 99, 99))).toThrow(ProtocolVersionError);
      expect(() => decodeAnswer(Uint8Array.of(protocol))).toThrow(ProtocolVersionError);
    }
  });

  it.each(['', 'N1', 'a.b', 'a'.repeat(64), 'é'])('from a node that cannot be named %j is refused', (from) => {
    const message = { kind: 'pull', since: vector({}), wants: 'dots' } as const;
    expect(() => decodeRequest(encodeRequest({ from, to: 'n2', message }))).toThrow(MalformedBytesError);
    if (from !== '')
      expect(() => decodeRequest(encodeRequest({ from: 'n2', to: from, message }))).toThrow(MalformedBytesError);
  });
});

describe('a batch', () => {
  it('is read when it keeps the rules', () => {
    const { message } = decodeRequest(pushed(batchOf()));
    expect(message.kind === 'push' && shownVector(message.batch.clock)).toEqual([['n1.a', 2]]);
  });

  const broken: [why: string, batch: Batch][] = [
    [
      'its range goes beyond its clock',
      batchOf({ clock: vector({ 'n1.a': 2 }), ranges: [{ actor: 'n1.a', from: 2, keys: ['key'] }] }),
    ],
    [
      'its exact clock goes beyond its clock',
      batchOf({ exact: { clock: vector({ 'n1.a': 3 }), keys: new Set(['key']) } }),
    ],
    [
      'an exact key has a version beyond the exact clock',
      batchOf({ exact: { clock: vector({ 'n1.a': 1 }), keys: new Set(['key']) } }),
    ],
    [
      'its range is of an actor that its clock does not know',
      batchOf({ ranges: [{ actor: 'n9.z', from: 0, keys: ['key'] }] }),
    ],
    [
      'two ranges have one actor',
      batchOf({
        ranges: [
          { actor: 'n1.a', from: 0, keys: ['key'] },
          { actor: 'n1.a', from: 1, keys: ['key'] },
        ],
      }),
    ],
    [
      'it has more dots than any replica sends',
      batchOf({
        clock: vector({ 'n1.a': 10_001 }),
        ranges: [{ actor: 'n1.a', from: 0, keys: Array.from({ length: 10_001 }, () => 'key') }],
      }),
    ],
    [
      'no header could hold a content type',
      batchOf({
        containers: new Map([['key', container([{ ...version('n1.a', 1), contentType: 'text/\u20ac' }], vector({}))]]),
      }),
    ],
    [
      'its range has a text for an actor',
      batchOf({ clock: vector({ 'n1.a': 2 }), ranges: [{ actor: 'n1', from: 0, keys: [] }] }),
    ],
    ['its clock counts from zero', batchOf({ clock: vector({ 'n1.a': 2, 'n2.b': 0 }) })],
    ['a key is empty', batchOf({ containers: new Map([['', container([], vector({}))]]), ranges: [] })],
    [
      'a key is too long',
      batchOf({ containers: new Map([['k'.repeat(1025), container([], vector({}))]]), ranges: [] }),
    ],
    [
      'a version is beyond clock and context',
      batchOf({ containers: new Map([['key', container([version('n1.a', 3)], vector({}))]]) }),
    ],
    [
      'a version is the zeroth',
      batchOf({ containers: new Map([['key', container([version('n1.a', 0)], vector({}))]]) }),
    ],
    [
      'versions are out of order',
      batchOf({ containers: new Map([['key', container([version('n1.a', 2), version('n1.a', 1)], vector({}))]]) }),
    ],
    [
      'a version stands twice',
      batchOf({ containers: new Map([['key', container([version('n1.a', 1), version('n1.a', 1)], vector({}))]]) }),
    ],
  ];
  it.each(broken)('is refused when %s', (_, batch) => {
    expect(() => decodeRequest(pushed(batch))).toThrow(MalformedBytesError);
  });

  it('is refused when a request of it has more dots than counters can name', () => {
    const last = Number.MAX_SAFE_INTEGER;
    const clock = vector({ 'n1.a': last - 1 });
    const name = { id: '0a'.repeat(16), fingerprint: '0b'.repeat(8) };
    const withDots = (dots: number): Buffer => {
      const requests = new Map([[last - 1, { ...name, dots }]]);
      return pushed(batchOf({ clock, ranges: [{ actor: 'n1.a', from: last - 2, keys: ['key'], requests }] }));
    };
    expect(() => decodeRequest(withDots(2))).not.toThrow();
    for (const dots of [3, last]) expect(() => decodeRequest(withDots(dots))).toThrow(MalformedBytesError);
  });

  it('may have a version that only its own context covers: a key ahead', () => {
    const ahead = container([version('n3.c', 7)], vector({ 'n3.c': 7 }));
    expect(() => decodeRequest(pushed(batchOf({ containers: new Map([['key', ahead]]) })))).not.toThrow();
  });

  it('cannot announce more than it has: a short message makes no large list', () => {
    const bytes = pushed({ clock: vector({}), ranges: [], containers: new Map(), exact: undefined, past: vector({}) });
    const announcing = Buffer.concat([bytes.subarray(0, -3), Buffer.of(0xff, 0xff, 0xff, 0xff, 0x0f)]);
    expect(() => decodeRequest(announcing)).toThrow(MalformedBytesError);
  });
});

describe('a piece', () => {
  const PIECE: Piece = {
    span: { after: 'b', through: '\u{1f600}' },
    clock: vector({ 'n1.a': 2 }),
    containers: new Map([['c', container([version('n1.a', 2)], vector({}))]]),
    past: vector({}),
    requests: [],
  };

  function answered(changes: Partial<Piece>): Buffer {
    return encodeAnswer({ from: 'n1', to: 'n2', message: { kind: 'piece', piece: { ...PIECE, ...changes } } });
  }

  function pieceWith(key: string): Buffer {
    return answered({ containers: new Map([[key, container([version('n1.a', 1)], vector({}))]]) });
  }

  it('is read when it keeps the rules', () => {
    const { message } = decodeAnswer(answered({}));
    expect(message.kind === 'piece' && shown(message.piece)).toEqual(shown(PIECE));
  });

  it('has the same bytes when its containers are passed on as their records have them', () => {
    const versions = [version('n1.a', 1), { ...version('n1.a', 2), contentType: 'a/b', deadlineMs: 300 }];
    const key = versionsKey('c');
    const record = versionsBytes(key, encodeVersions(key, versions))!;
    const unread = unreadContainer(record, vector({}));
    const whole = answered({ containers: new Map([['c', container(versions, vector({}))]]) });
    expect(answered({ containers: new Map([['c', unread]]) })).toEqual(whole);
  });

  it('may have no key at all: every key of its span is known to have no live version', () => {
    const { message } = decodeAnswer(answered({ containers: new Map() }));
    expect(message.kind === 'piece' && message.piece.containers.size).toBe(0);
  });

  it.each(['b\0', 'ba', 'c', '\uffff', '\u{1f5ff}', '\u{1f600}'])('may have %j: it lies in the span', (key) => {
    expect(() => decodeAnswer(pieceWith(key))).not.toThrow();
  });

  it.each(['a', 'b', '\u{1f600}\0', '\u{1f601}', '\u{10ffff}'])(
    'is refused with %j, which lies outside of the span',
    (key) => {
      expect(() => decodeAnswer(pieceWith(key))).toThrow('a key lies outside of the span of its piece');
    },
  );

  it('has no bounds that it does not name', () => {
    const containers = new Map(['\0', '\u{10ffff}'].map((key) => [key, container([], vector({ 'n1.a': 9 }))]));
    expect(() => decodeAnswer(answered({ span: { after: undefined, through: undefined }, containers }))).not.toThrow();
  });

  const broken: [why: string, changes: Partial<Piece>][] = [
    ['a version is beyond clock and context', { clock: vector({ 'n1.a': 1 }) }],
    ['its clock counts from zero', { clock: vector({ 'n1.a': 2, 'n2.b': 0 }) }],
    [
      'a key is too long',
      {
        span: { after: undefined, through: undefined },
        containers: new Map([['k'.repeat(1025), container([], vector({}))]]),
      },
    ],
    [
      'a key is empty',
      { span: { after: undefined, through: undefined }, containers: new Map([['', container([], vector({}))]]) },
    ],
    [
      'versions are out of order',
      { containers: new Map([['c', container([version('n1.a', 2), version('n1.a', 1)], vector({}))]]) },
    ],
  ];
  it.each(broken)('is refused when %s', (_, changes) => {
    expect(() => decodeAnswer(answered(changes))).toThrow(MalformedBytesError);
  });

  it('is no request', () => {
    expect(() => decodeRequest(answered({}))).toThrow(MalformedBytesError);
  });
});
