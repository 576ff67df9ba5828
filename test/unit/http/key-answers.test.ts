// What does the context of an answer tell?

import { expect, test } from '@jest/globals';
import { EMPTY_VECTOR } from '../../../src/clock/version-vector.js';
import { Tokens } from '../../../src/controllers/http/tokens.js';
import type { Written } from '../../../src/controllers/http/accepted.js';
import { KeyAnswers } from '../../../src/controllers/kv/key-answers.js';
import type { ReplicaDriver } from '../../../src/replication/replica-driver.js';
import { blankNode } from '../../../src/store/record-codec.js';
import { ReplicaStore } from '../../../src/store/replica-store.js';
import { MemoryStore } from '../../../src/store/memory/memory-store.js';
import { vector, version } from '../../support/clock-arbitraries.js';

const tokens = new Tokens('secret');
const PAST = vector({ 'n2.b': 7 });

/** At a replica that knows of nothing that is still to come by the time it answers. */
async function answers(): Promise<KeyAnswers> {
  const { view } = await ReplicaStore.open(new MemoryStore(), blankNode('n1.a'));
  return new KeyAnswers(tokens, { view } as ReplicaDriver);
}

function written(parts: Partial<Written>): Written {
  const container = { versions: [version('n1.a', 3)], context: vector({ 'n1.a': 3 }) };
  const dot = { actor: 'n1.a', counter: 3 };
  return {
    kind: 'written',
    dot,
    container,
    seen: undefined,
    past: PAST,
    existed: true,
    acks: 1,
    isRepeated: false,
    ...parts,
  };
}

test('after a write, what its versions may depend on, as of the write: it may have come since', async () => {
  const token = (await answers()).contextAfter('key', written({}));
  expect(tokens.parseContext('key', token)).toEqual({ vector: vector({ 'n1.a': 3 }), dot: undefined, past: PAST });
});

test('of who has not seen all that lives, that and no more', async () => {
  const seen = { vector: vector({ 'n1.a': 1 }), dot: { actor: 'n1.a', counter: 3 }, past: EMPTY_VECTOR };
  const token = (await answers()).contextAfter('key', written({ seen }));
  expect(tokens.parseContext('key', token)).toEqual(seen);
});

test('of a read of several replicas, what these know besides', async () => {
  const token = (await answers()).contextOf('key', { context: vector({ 'n1.a': 3 }), past: PAST });
  expect(tokens.parseContext('key', token).past).toEqual(PAST);
});
