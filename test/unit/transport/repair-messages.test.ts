import { describe, expect, test } from '@jest/globals';
import type { PeerAnswer, PeerRequest } from '../../../src/replication/engine/messages.js';
import {
  decodeAnswer,
  decodeRequest,
  encodeAnswer,
  encodeRequest,
} from '../../../src/replication/transport/message-codec.js';
import { vector } from '../../support/clock-arbitraries.js';

const REQUESTS: PeerRequest[] = [
  { kind: 'fetch', keys: [] },
  { kind: 'fetch', keys: ['a', 'ключ'] },
  {
    kind: 'digest',
    span: { after: undefined, through: undefined },
    clock: vector({ 'n1.a': 3 }),
    digest: 2 ** 52 - 1,
  },
  { kind: 'digest', span: { after: 'a', through: 'b' }, clock: vector({}), digest: 0 },
];

const ANSWERS: PeerAnswer[] = [
  { kind: 'digests', keys: undefined, through: undefined },
  { kind: 'digests', keys: new Map(), through: 'b' },
  { kind: 'digests', keys: new Map([['a', 2 ** 52 - 1]]), through: undefined },
];

describe('messages of repair and scan', () => {
  test.each(REQUESTS)('%j is read as it was written', (message) => {
    const envelope = { from: 'n1', to: 'n2', message };
    expect(decodeRequest(encodeRequest(envelope))).toEqual(envelope);
  });

  test.each(ANSWERS)('%j is read as it was written', (message) => {
    const envelope = { from: 'n1', to: 'n2', message };
    expect(decodeAnswer(encodeAnswer(envelope))).toEqual(envelope);
  });

  test('a key that is no key is refused', () => {
    const bytes = encodeRequest({ from: 'n1', to: 'n2', message: { kind: 'fetch', keys: [''] } });
    expect(() => decodeRequest(bytes)).toThrow();
  });
});
