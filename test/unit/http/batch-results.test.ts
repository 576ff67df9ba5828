// What is kept of a key until a batch is answered? What the answer says, and no value that it does not show.

import { describe, expect, it } from '@jest/globals';
import { EMPTY_VECTOR } from '../../../src/clock/version-vector.js';
import { keepResult } from '../../../src/controllers/batch/batch-results.js';
import { PROBLEMS } from '../../../src/controllers/http/problem.js';
import type { BatchOperation, BatchResult } from '../../../src/replication/batches.js';
import { vector, version } from '../../support/clock-arbitraries.js';

const VERSIONS = [version('n1.a', 1, 'one'), version('n1.a', 2, 'two'), version('n2.b', 1, 'three')];
const CONTAINER = { versions: VERSIONS, context: vector({ 'n1.a': 2, 'n2.b': 1 }) };
const DELETE: BatchOperation = {
  kind: 'write',
  key: 'key',
  context: undefined,
  operation: { kind: 'delete', type: 'register' },
};

function valuesIn(kept: unknown): string[] {
  if (kept instanceof Uint8Array) return [Buffer.from(kept).toString()];
  if (kept instanceof Map) return [...kept.values()].flatMap(valuesIn);
  return typeof kept === 'object' && kept !== null ? Object.values(kept).flatMap(valuesIn) : [];
}

describe('what is kept', () => {
  it.each<[string, BatchResult]>([
    ['a write', { ...writtenWith(), kind: 'written' }],
    ['a write of another type', { kind: 'wrong-type', type: 'set', live: VERSIONS }],
    ['a write of one sibling too many', { kind: 'too-many-siblings', live: VERSIONS }],
    ['a request that was another one', { kind: 'request-reused', live: VERSIONS }],
  ])('of %s is no value', (_, result) => {
    expect(valuesIn(result)).toHaveLength(VERSIONS.length);
    const kept = keepResult(DELETE, result, 'latest');
    expect(valuesIn(kept)).toEqual([]);
  });

  it('of a read is the one value that is shown', () => {
    const result: BatchResult = { kind: 'read', container: CONTAINER, past: EMPTY_VECTOR, answers: 1 };
    const kept = keepResult({ kind: 'read', key: 'key' }, result, 'order');
    expect(kept).toMatchObject({ kind: 'read', siblings: 3 });
    expect(valuesIn(kept)).toEqual(['two']);
  });

  it('of a small value that was read with large ones is nothing of those', () => {
    const record = new Uint8Array(1_000_000);
    const small = { ...version('n1.a', 3), value: record.subarray(10, 12) };
    const container = { versions: [small], context: vector({ 'n1.a': 3 }) };
    const kept = keepResult(
      { kind: 'read', key: 'key' },
      { kind: 'read', container, past: EMPTY_VECTOR, answers: 1 },
      'order',
    );
    expect(kept.kind === 'read' && kept.best.value.buffer.byteLength).toBe(2);
  });

  it('of what is too much is a problem with a definite outcome', () => {
    const kept = keepResult(DELETE, { kind: 'too-much' }, 'order');
    expect(kept).toMatchObject({ kind: 'refused', key: 'key', problem: { code: 'BATCH_TOO_LARGE' } });
    expect(PROBLEMS.BATCH_TOO_LARGE.outcome).toBe('definite');
  });
});

function writtenWith() {
  return {
    dot: { actor: 'n1.a', counter: 2 },
    container: CONTAINER,
    seen: undefined,
    past: EMPTY_VECTOR,
    existed: true,
    acks: 1,
    isRepeated: false,
  };
}
