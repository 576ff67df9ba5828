// How much does one answer of the change feed hold? All that stands in its keys counts, of whatever type they are.

import { describe, expect, test } from '@jest/globals';
import type { Container, Version } from '../../../src/clock/container.js';
import { EMPTY_VECTOR } from '../../../src/clock/version-vector.js';
import { readChanges } from '../../../src/replication/change-reader.js';
import { firstCursor } from '../../../src/replication/cursor.js';
import { MemoryStore } from '../../../src/store/memory/memory-store.js';
import { blankNode } from '../../../src/store/record-codec.js';
import { ReplicaStore } from '../../../src/store/replica-store.js';
import { versionOf } from '../../support/clock-arbitraries.js';
import { commitOf, node, SELF } from '../../support/replica-commits.js';

const WALL_MS = 1_700_000_000_000;
const PARTS_BYTES = 200 * 1000;
const NO_BYTES = new Uint8Array(0);

/** A key with one long part: the element of a set, or the field of a map. */
function collection(type: 'set' | 'map', counter: number): Container {
  const version: Version = { ...versionOf({ actor: SELF, counter }, NO_BYTES), type, part: 'e'.repeat(PARTS_BYTES) };
  return { versions: [version], context: EMPTY_VECTOR };
}

describe('An answer of the change feed ends past its bytes', () => {
  test.each(['set', 'map'] as const)('of the parts of a %s', async (type) => {
    const store = await ReplicaStore.open(new MemoryStore(), blankNode(SELF));
    const keys = ['a', 'b', 'c'];
    const containers = Object.fromEntries(keys.map((key, place) => [key, collection(type, place + 1)]));
    await store.commit(commitOf({ containers, log: { [SELF]: keys }, node: node({ [SELF]: keys.length }) }));

    const filter = { prefix: '', keysMax: 100, bytesMax: 256 * 1024, dotsMax: 10_000, wallMs: WALL_MS };
    const { changes, pending, cursor } = await readChanges(store.view, firstCursor(WALL_MS), filter);
    expect(changes.map(({ key }) => key)).toEqual(['a', 'b']);
    expect(pending).toBe(1);
    const rest = await readChanges(store.view, cursor, filter);
    expect([rest.changes.map(({ key }) => key), rest.pending]).toEqual([['c'], 0]);
    await store.close();
  });
});
