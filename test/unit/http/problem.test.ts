// Which problem does a client see for an error of any layer, and does it give nothing else away?

import { describe, expect, it } from '@jest/globals';
import { MalformedBytesError } from '../../../src/codec/binary-reader.js';
import { Problem, problemBody, PROBLEMS, type ProblemCode } from '../../../src/controllers/http/problem.js';
import { problemOf } from '../../../src/controllers/http/send-problem.js';
import { NearlyFullError, ReplicaStoppedError } from '../../../src/replication/errors.js';
import { ProtocolVersionError } from '../../../src/replication/transport/message-codec.js';
import { MisdirectedError } from '../../../src/replication/transport/peer-endpoint.js';
import { requestKey, versionsKey } from '../../../src/store/keyspace.js';
import { CorruptRecordError } from '../../../src/store/record-codec.js';

describe('an error of any layer', () => {
  it.each([
    [new CorruptRecordError('x', Buffer.of(1)), 'CORRUPT_RECORD'],
    [new ReplicaStoppedError('x'), 'REPLICA_STOPPED'],
    [new ProtocolVersionError('x'), 'PROTOCOL_VERSION'],
    [new MisdirectedError('x'), 'MISDIRECTED'],
    [new MalformedBytesError('x'), 'INVALID_MESSAGE'],
    [new Problem('STORE_FULL', 'x'), 'STORE_FULL'],
    [new NearlyFullError('x'), 'STORE_FULL'],
  ] as const)('%s is the problem %s', (error, code) => {
    expect(problemOf(error)).toMatchObject({ code, message: 'x' });
  });

  it.each([new Error('at /secret/path'), new TypeError('x is not a function'), 'a text', undefined, null, {}])(
    'that nobody expected is INTERNAL, and nothing of it reaches the client: %s',
    (error) => {
      const body = JSON.parse(problemBody(problemOf(error))) as Record<string, unknown>;
      expect(body).toMatchObject({
        code: 'INTERNAL',
        status: 500,
        outcome: 'unknown',
        detail: 'see the log of the replica',
      });
    },
  );
});

describe('a damaged record', () => {
  it('of a key is being fetched from the other replicas', () => {
    const { message } = problemOf(new CorruptRecordError('x', versionsKey('key')));
    expect(message).toBe('x; the key is being fetched from the other replicas');
  });

  it('of a request is not: another replica may remember it, and this one will forget it', () => {
    const { message } = problemOf(new CorruptRecordError('x', requestKey({ key: 'key', id: '00'.repeat(16) })));
    expect(message).not.toContain('fetched');
    expect(message).toMatch(/can't be read: send it to another replica, .* or here again later/);
  });
});

describe('a problem', () => {
  it('has no stack, which costs more than the rest of an answer, and other errors keep theirs', () => {
    expect(new Problem('KEY_NOT_FOUND', 'x').stack).toBe('Error: x');
    expect(new Error('x').stack).toContain('problem.test');
  });
});

describe('the registry', () => {
  it.each(Object.entries(PROBLEMS))('has for %s a status of an error, an outcome, and a sentence', (code, kind) => {
    expect(code).toMatch(/^[A-Z_]+$/);
    expect(kind.status).toBeGreaterThanOrEqual(400);
    expect(kind.status).toBeLessThan(600);
    expect(['definite', 'unknown']).toContain(kind.outcome);
    expect(kind.title).toMatch(/^[A-Z].*\.$/);
  });

  it('calls every fault of the client definite: nothing has happened', () => {
    const unknown = Object.entries(PROBLEMS).filter(([, { outcome }]) => outcome === 'unknown');
    expect(unknown.map(([code]) => code as ProblemCode).sort()).toEqual(['INTERNAL', 'REPLICA_STOPPED']);
  });
});
