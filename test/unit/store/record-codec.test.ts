// What is read from a disk is what was written, or an error: no flipped bit, no torn write and no record in the wrong
// place is ever taken for a value.

import { describe, expect, test } from '@jest/globals';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { compareDots } from '../../../src/clock/dot.js';
import { EMPTY_VECTOR } from '../../../src/clock/version-vector.js';
import { CLAIMS_KEY, contextKey, logKey, NODE_KEY, requestKey, versionsKey } from '../../../src/store/keyspace.js';
import {
  blankNode,
  CorruptRecordError,
  decodeClaims,
  decodeContainer,
  decodeContext,
  decodeLogged,
  decodeNode,
  decodeRequest,
  decodeVersions,
  encodeClaims,
  encodeContext,
  encodeLogged,
  encodeNode,
  encodeRequest,
  encodeVersions,
  unreadContainer,
  versionsBytes,
} from '../../../src/store/record-codec.js';
import { vector, version } from '../../support/clock-arbitraries.js';
import { anyVersionOf } from '../../support/version-arbitraries.js';

const MAX = Number.MAX_SAFE_INTEGER;

/** The versions "hello" of text/plain and "" of a/b. */
const VERSIONS_OF_FORMAT_1 = Buffer.from(
  '0192ef8fd302046e312e61018080f9c0c1c482030a746578742f706c61696e0568656c6c6f046e322e62ac028180f9c0c1c4820303612f6200',
  'hex',
);

const NODE_OF_FORMAT_3 = Buffer.from(
  '033b11cf40046e312e61ffffffffffffff0f01046e312e610701046e312e61050102c3a9ac0201046e322e6203',
  'hex',
);

/** Before versions were said to depend on anything. */
const NODE_OF_FORMAT_2 = Buffer.from(
  '02' + '57b96044' + '046e312e61' + 'ffffffffffffff0f' + '01046e312e6107' + '01046e312e6105' + '0102c3a9' + 'ac02',
  'hex',
);

/** Before content types had numbers; of the types register with and without a deadline, counter, set and map. */
const VERSIONS_OF_FORMAT_2 = Buffer.from(
  '02' +
    'cb94cd55' +
    '05' +
    ('046e312e61' + '01' + '8080f9c0c1c48203' + '00' + '0a746578742f706c61696e' + '0568656c6c6f') +
    ('046e322e62' + 'ac02' + '8180f9c0c1c48203' + '04' + 'ac02' + '03612f62' + '00') +
    ('046e332e63' + '01' + '01' + '01' + '032d3132') +
    ('046e332e63' + '02' + '02' + '02' + '02c3a9') +
    ('046e332e63' + '03' + '03' + '03' + '00' + '027b7d'),
  'hex',
);

const NODE_OF_FORMAT_1 = Buffer.from('017b20dc68046e312e61ffffffffffffff0f01046e312e6107', 'hex');

const NAME = { id: '0123456789abcdef'.repeat(2), fingerprint: 'fedcba9876543210' };

/** One of each kind, with its key, how it is read, and the bytes that it has on disk. */
const RECORDS = [
  {
    kind: 'the versions of a key',
    key: versionsKey('é'),
    record: encodeVersions(versionsKey('é'), [
      { ...version('n1.a', 1, 'hello', 1_700_000_000_000_000), contentType: 'text/plain' },
      { ...version('n2.b', 300, '', 1_700_000_000_000_001), contentType: 'a/b', deadlineMs: 300 },
      { ...version('n3.c', 1, '-12', 1), type: 'counter', contentType: '' },
      { ...version('n3.c', 2, '', 2), type: 'set', part: 'é', contentType: '' },
      { ...version('n3.c', 3, '{}', 3), type: 'map', part: '', contentType: '' },
    ]),
    decode: decodeVersions,
    lastFormat: 3,
    layout:
      '03' +
      '598a8712' +
      '05' +
      '046e312e61' +
      '01' +
      '8080f9c0c1c48203' +
      '10' +
      '0568656c6c6f' +
      '046e322e62' +
      'ac02' +
      '8180f9c0c1c48203' +
      '04' +
      'ac02' +
      '03612f62' +
      '00' +
      ('046e332e63' + '01' + '01' + '01' + '032d3132') +
      ('046e332e63' + '02' + '02' + '02' + '02c3a9') +
      ('046e332e63' + '03' + '03' + '03' + '00' + '027b7d'),
  },
  {
    kind: 'the versions of a key, as they were written before content types had numbers',
    key: versionsKey('é'),
    record: VERSIONS_OF_FORMAT_2,
    decode: decodeVersions,
    lastFormat: 3,
    layout: VERSIONS_OF_FORMAT_2.toString('hex'),
  },
  {
    kind: 'the versions of a key, as the first release wrote it',
    key: versionsKey('é'),
    record: VERSIONS_OF_FORMAT_1,
    decode: decodeVersions,
    lastFormat: 3,
    layout:
      '01' +
      '92ef8fd3' +
      '02' +
      ('046e312e61' + '01' + '8080f9c0c1c48203' + '0a746578742f706c61696e' + '0568656c6c6f') +
      ('046e322e62' + 'ac02' + '8180f9c0c1c48203' + '03612f62' + '00'),
  },
  {
    kind: 'the context of a key',
    key: contextKey('é'),
    record: encodeContext(contextKey('é'), vector({ 'n1.a': 1, 'n2.b': 2 ** 32 })),
    decode: decodeContext,
    lastFormat: 1,
    layout: '01' + 'e66ad431' + '02' + '046e312e61' + '01' + '046e322e62' + '8080808010',
  },
  {
    kind: 'the node',
    key: NODE_KEY,
    record: encodeNode(
      NODE_KEY,
      {
        actor: 'n1.a',
        stamp: MAX,
        clock: vector({ 'n1.a': 7 }),
        floor: vector({ 'n1.a': 5 }),
        past: vector({ 'n2.b': 3 }),
        bootstrap: { through: 'é' },
      },
      300,
    ),
    decode: decodeNode,
    lastFormat: 4,
    layout:
      '04' +
      'cee436e4' +
      '046e312e61' +
      'ffffffffffffff0f' +
      ('01' + '046e312e61' + '07') +
      ('01' + '046e312e61' + '05') +
      ('01' + '02c3a9') +
      'ac02' +
      ('01' + '046e322e62' + '03'),
  },
  {
    kind: 'the node, as it was before log entries shared records',
    key: NODE_KEY,
    record: NODE_OF_FORMAT_3,
    decode: decodeNode,
    lastFormat: 4,
    layout: NODE_OF_FORMAT_3.toString('hex'),
  },
  {
    kind: 'the node, as the second release wrote it',
    key: NODE_KEY,
    record: NODE_OF_FORMAT_2,
    decode: decodeNode,
    lastFormat: 4,
    layout: NODE_OF_FORMAT_2.toString('hex'),
  },
  {
    kind: 'the node, as the first release wrote it',
    key: NODE_KEY,
    record: NODE_OF_FORMAT_1,
    decode: decodeNode,
    lastFormat: 4,
    layout: '01' + '7b20dc68' + '046e312e61' + 'ffffffffffffff0f' + '01' + '046e312e61' + '07',
  },
  {
    kind: 'the claims',
    key: CLAIMS_KEY,
    record: encodeClaims(CLAIMS_KEY, [
      { through: 'é', clock: vector({ 'n1.a': 7 }) },
      { through: undefined, clock: vector({}) },
    ]),
    decode: decodeClaims,
    lastFormat: 1,
    layout: '01' + '22d39c72' + '02' + ('02c3a9' + '01' + '046e312e61' + '07') + ('00' + '00'),
  },
  {
    kind: 'a log entry',
    key: logKey('n1.a', 7),
    record: encodeLogged(logKey('n1.a', 7), { keys: ['\u{1f600}'] }),
    decode: decodeLogged,
    lastFormat: 3,
    layout: '01' + 'c6e9968c' + '04f09f9880',
  },
  {
    kind: 'a log entry of a request with a name',
    key: logKey('n1.a', 7),
    record: encodeLogged(logKey('n1.a', 7), { keys: ['\u{1f600}'], request: { ...NAME, dots: 300 } }),
    decode: decodeLogged,
    lastFormat: 3,
    layout: '02' + 'f4ddc195' + '04f09f9880' + ('18' + NAME.id + NAME.fingerprint) + 'ac02',
  },
  {
    kind: 'a log record of three entries',
    key: logKey('n1.a', 7, 3),
    record: encodeLogged(logKey('n1.a', 7, 3), { keys: ['\u{1f600}', '', 'a'] }),
    decode: decodeLogged,
    lastFormat: 3,
    layout: '03' + '8ea49f2e' + '04f09f9880' + '00' + '0161',
  },
  {
    kind: 'a request',
    key: requestKey({ key: 'é', id: NAME.id }),
    record: encodeRequest(requestKey({ key: 'é', id: NAME.id }), {
      ...NAME,
      key: 'é',
      dot: { actor: 'n1.a', counter: 7 },
      sinceMs: 300,
    }),
    decode: decodeRequest,
    lastFormat: 1,
    layout: '01' + 'b0c70b08' + ('18' + NAME.id + NAME.fingerprint) + '02c3a9' + '046e312e61' + '07' + 'ac02',
  },
] as const;

describe.each(RECORDS)('The record of $kind', ({ key, record, decode, lastFormat, layout }) => {
  test('has the bytes that data folders have', () => {
    expect(record.toString('hex')).toBe(layout);
  });

  test('is refused whichever one of its bits is flipped', () => {
    const accepted: string[] = [];
    for (let place = 0; place < record.length; place++) {
      for (let bit = 1; bit < 256; bit *= 2) {
        const flipped = Buffer.from(record);
        flipped[place]! ^= bit;
        if (!isRefused(() => decode(key, flipped))) accepted.push(`bit ${bit} of byte ${place}`);
      }
    }
    expect(accepted).toEqual([]);
  });

  test('is refused at every length but its own', () => {
    for (let length = 0; length < record.length; length++) {
      expect(isRefused(() => decode(key, record.subarray(0, length)))).toBe(true);
    }
    expect(isRefused(() => decode(key, Buffer.concat([record, Buffer.of(0)])))).toBe(true);
    expect(isRefused(() => decode(key, Buffer.concat([record, record])))).toBe(true);
  });

  test('is refused under every other key, and the error names the key', () => {
    for (const other of [versionsKey('e'), versionsKey(''), contextKey('e'), logKey('n1.a', 8), Buffer.of(0)]) {
      expect(() => decode(other, record)).toThrow(CorruptRecordError);
      expect(() => decode(other, record)).toThrow(
        `record ${Buffer.from(other).toString('hex')}: the checksum does not match`,
      );
    }
  });

  test('of a format that is not known is refused for that, not as damaged', () => {
    for (const format of [0, lastFormat + 1, 255]) {
      const later = Buffer.from(record);
      later[0] = format;
      expect(() => decode(key, later)).toThrow(CorruptRecordError);
      expect(() => decode(key, later)).toThrow(`record format ${format} is not known to this release`);
    }
  });

  test('is refused when a disk answers with zeroes, or with nothing', () => {
    expect(isRefused(() => decode(key, Buffer.alloc(record.length)))).toBe(true);
    expect(isRefused(() => decode(key, Buffer.alloc(0)))).toBe(true);
  });
});

describe('A record reads back as it was written', () => {
  const anyActor = fc.stringMatching(/^[a-z0-9-]{1,8}\.[a-z0-9]{1,4}$/);
  const anyCounter = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: MAX }));
  const anyText = fc.string({ unit: 'binary', maxLength: 20 }).filter((text) => text.isWellFormed());
  const anyVector = fc
    .uniqueArray(fc.tuple(anyActor, anyCounter), { selector: ([actor]) => actor, maxLength: 5 })
    .map((entries) => new Map(entries));
  const anyVersions = fc
    .uniqueArray(anyVersionOf(fc.record({ actor: anyActor, counter: anyCounter })), {
      selector: ({ actor, counter }) => `${actor}:${counter}`,
      maxLength: 4,
    })
    .map((versions) => versions.sort(compareDots));

  test('when it holds versions', () => {
    fc.assert(
      fc.property(anyText, anyVersions, (text, versions) => {
        const key = versionsKey(text);
        const read = decodeVersions(key, encodeVersions(key, versions));
        expect(read.map((each) => ({ ...each, value: [...each.value] }))).toEqual(
          versions.map((each) => ({ ...each, value: [...each.value] })),
        );
      }),
    );
  });

  test('when it holds versions and an earlier release wrote it: content types stand by their names', () => {
    expect(decodeVersions(versionsKey('é'), VERSIONS_OF_FORMAT_2)).toEqual(
      decodeVersions(versionsKey('é'), RECORDS[0]!.record),
    );
  });

  test('when its versions are read later, from what has been checked at once', () => {
    fc.assert(
      fc.property(anyText, anyVersions, anyVector, (text, versions, context) => {
        const key = versionsKey(text);
        const unread = unreadContainer(versionsBytes(key, encodeVersions(key, versions))!, context);
        expect(unread.versions).toEqual(decodeVersions(key, encodeVersions(key, versions)));
        expect(unread.context).toBe(context);
      }),
    );
    expect(versionsBytes(versionsKey('é'), VERSIONS_OF_FORMAT_2)).toEqual(VERSIONS_OF_FORMAT_2.subarray(5));
    expect(versionsBytes(versionsKey('é'), VERSIONS_OF_FORMAT_1)).toBeUndefined();
    expect(() => versionsBytes(versionsKey('e'), VERSIONS_OF_FORMAT_2)).toThrow(CorruptRecordError);
  });

  test('when its versions are read as a container, with the bytes that they had', () => {
    fc.assert(
      fc.property(anyText, anyVersions, anyVector, (text, versions, context) => {
        const key = versionsKey(text);
        const record = encodeVersions(key, versions);
        const container = decodeContainer(key, record, context);
        expect(container.versions).toEqual(decodeVersions(key, record));
        expect(container.context).toBe(context);
        expect(container).toHaveProperty('encodedVersions', versionsBytes(key, record));
      }),
    );
    for (const record of [VERSIONS_OF_FORMAT_1, VERSIONS_OF_FORMAT_2]) {
      const { versions } = decodeContainer(versionsKey('é'), record, EMPTY_VECTOR);
      expect(versions).toEqual(decodeVersions(versionsKey('é'), record));
    }
  });

  test('or is refused at once, when its checksum is right and a version in it is of a later release', () => {
    const key = versionsKey('e');
    const record = encodeVersions(key, [{ ...version('n1.a', 1, '', 1), contentType: 'text/plain' }]);
    const later = resealed(key, record, (body) => (body[body.indexOf(0x10)] = 0xf8));
    const longer = resealed(key, Buffer.concat([record, Buffer.of(0)]));
    for (const [bytes, reason] of [
      [later, 'the content type is not known'],
      [longer, '1 bytes are left over'],
    ] as const) {
      expect(() => decodeContainer(key, bytes, EMPTY_VECTOR)).toThrow(CorruptRecordError);
      expect(() => decodeContainer(key, bytes, EMPTY_VECTOR)).toThrow(reason);
      expect(() => decodeVersions(key, bytes)).toThrow(reason);
    }
    expect(resealed(key, record)).toEqual(record);
  });

  test('when it holds a context', () => {
    fc.assert(
      fc.property(anyText, anyVector, (text, context) => {
        const key = contextKey(text);
        expect([...decodeContext(key, encodeContext(key, context))]).toEqual([...context]);
      }),
    );
  });

  test('when it holds the node', () => {
    const anyKey = fc.option(
      anyText.filter((text) => text !== ''),
      { nil: undefined },
    );
    const anyNode = fc.record({
      actor: anyActor,
      stamp: fc.maxSafeNat(),
      clock: anyVector,
      floor: anyVector,
      past: anyVector,
      bootstrap: fc.option(fc.record({ through: anyKey }), { nil: undefined }),
    });
    fc.assert(
      fc.property(anyNode, anyCounter, (node, commit) => {
        expect(decodeNode(NODE_KEY, encodeNode(NODE_KEY, node, commit))).toEqual({ node, commit });
      }),
    );
  });

  test('when it holds the node and the first release wrote it: nothing is trimmed, and no commit has a mark', () => {
    expect(decodeNode(NODE_KEY, NODE_OF_FORMAT_1)).toEqual({
      node: { ...blankNode('n1.a'), stamp: MAX, clock: vector({ 'n1.a': 7 }) },
      commit: 0,
    });
  });

  test('when it holds the node and the second release wrote it: nothing depends on what has not come', () => {
    expect(decodeNode(NODE_KEY, NODE_OF_FORMAT_2).node.past).toEqual(vector({}));
    expect(decodeNode(NODE_KEY, NODE_OF_FORMAT_3).node.past).toEqual(vector({ 'n2.b': 3 }));
  });

  test('when it holds claims', () => {
    const anyThrough = anyText.filter((text) => text !== '');
    const anyClaims = fc
      .tuple(fc.array(fc.record({ through: anyThrough, clock: anyVector })), fc.option(anyVector, { nil: undefined }))
      .map(([claims, last]) => [...claims, ...(last === undefined ? [] : [{ through: undefined, clock: last }])]);
    fc.assert(
      fc.property(anyClaims, (claims) => {
        expect(decodeClaims(CLAIMS_KEY, encodeClaims(CLAIMS_KEY, claims))).toEqual(claims);
      }),
    );
  });

  test('when it holds a log entry', () => {
    fc.assert(
      fc.property(anyActor, anyCounter, fc.array(anyText, { minLength: 1, maxLength: 5 }), (actor, counter, keys) => {
        const key = logKey(actor, counter, keys.length);
        expect(decodeLogged(key, encodeLogged(key, { keys }))).toEqual({ keys });
      }),
    );
  });

  test('after another one that could not be written', () => {
    const key = versionsKey('a');
    expect(() => encodeVersions(key, [version('n1.a', 1), version('n1.a', NaN)])).toThrow(RangeError);
    const whole = decodeVersions(key, encodeVersions(key, [version('n1.a', 2)]));
    expect(whole.map(({ counter }) => counter)).toEqual([2]);
  });
});

/** With other bytes behind its checksum, which is made anew. */
function resealed(key: Uint8Array, record: Buffer, change: (body: Buffer) => void = () => {}): Buffer {
  const bytes = Buffer.from(record);
  change(bytes.subarray(5));
  bytes.writeUInt32BE(crc32(bytes.subarray(5), crc32(key, bytes[0])), 1);
  return bytes;
}

function isRefused(decode: () => unknown): boolean {
  try {
    decode();
    return false;
  } catch (error) {
    if (!(error instanceof CorruptRecordError)) throw error;
    expect(error.code).toBe('CORRUPT_RECORD');
    return true;
  }
}
