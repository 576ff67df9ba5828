// How far is the log trimmed? Up to what every member has told to have, and beyond that when a member stays away too long.

import { describe, expect, test } from '@jest/globals';
import { EMPTY_CONTAINER } from '../../../src/clock/container.js';
import { EMPTY_VECTOR } from '../../../src/clock/version-vector.js';
import { Replica } from '../../../src/replication/engine/replica.js';
import type { Stored } from '../../../src/replication/engine/state.js';
import { shownVector, vector } from '../../support/clock-arbitraries.js';
import { identityOf, loadedState, toldBy } from '../../support/engine-parts.js';

const NOTHING_STORED: Stored = { container: () => EMPTY_CONTAINER, requested: () => undefined };
const WALL_MS = 1_700_000_000_000;
const LOG_MAX = 10;

/** A replica with two peers that has 8 dots of its own and 4 of another actor in its log. */
function replicaOf(parts: { readonly floor?: Record<string, number> } = {}) {
  const loaded = loadedState({ clock: vector({ 'n1.a': 8, 'n2.b': 4 }), floor: vector(parts.floor ?? {}) });
  const peers = ['n2', 'n3'];
  const replica = new Replica(identityOf(peers, { logMax: LOG_MAX }), loaded);
  // Nothing is trimmed before all peers have answered or failed.
  for (const from of peers) {
    replica.step({ kind: 'peer-failure', from, to: 'compare', wasAnswered: false }, NOTHING_STORED);
  }
  let floor = loaded.floor;
  return {
    hears(from: string, clock: Record<string, number>, awaited: Record<string, number> = {}): void {
      const answer = { kind: 'clock', ...toldBy(from, clock, { awaited: vector(awaited) }) } as const;
      replica.step({ kind: 'peer-answer', from, to: 'compare', answer, wallMs: WALL_MS }, NOTHING_STORED);
    },
    hearsUnasked(from: string, clock: Record<string, number>): void {
      const request = { kind: 'compare', ...toldBy(from, clock) } as const;
      replica.step({ kind: 'peer-request', id: 1, from, request, wallMs: WALL_MS }, NOTHING_STORED);
    },
    writes(count: number): void {
      for (let id = 1; id <= count; id++) {
        replica.step(
          {
            kind: 'write',
            id,
            key: 'key',
            operation: { kind: 'delete', type: 'register' },
            context: { vector: EMPTY_VECTOR, dot: undefined, past: EMPTY_VECTOR },
            precondition: undefined,
            acksNeeded: 1,
            wallMs: WALL_MS,
          },
          NOTHING_STORED,
        );
      }
    },
    /** The floor that is committed after a tick. */
    floorAfterTick(): [string, number][] {
      floor = replica.step({ kind: 'tick' }, NOTHING_STORED).writes.node?.floor ?? floor;
      return shownVector(floor);
    },
  };
}

describe('The log is trimmed', () => {
  test('up to what all members have told to have, actor by actor', () => {
    const replica = replicaOf();
    replica.hears('n2', { 'n1.a': 6, 'n2.b': 4 });
    replica.hears('n3', { 'n1.a': 8, 'n2.b': 3 });
    expect(replica.floorAfterTick()).toEqual([
      ['n1.a', 6],
      ['n2.b', 3],
    ]);
  });

  test('not at all while a member has not been heard, or has nothing of an actor', () => {
    const replica = replicaOf({ floor: { 'n1.a': 2 } });
    replica.hears('n2', { 'n1.a': 8, 'n2.b': 4 });
    expect(replica.floorAfterTick()).toEqual([['n1.a', 2]]);
    replica.hears('n3', { 'n1.a': 5 });
    expect(replica.floorAfterTick()).toEqual([['n1.a', 5]]);
  });

  test('not on the word of a member that has answered nothing since the start: it may have been long on its way', () => {
    const replica = replicaOf({ floor: { 'n1.a': 2 } });
    replica.hears('n2', { 'n1.a': 8, 'n2.b': 4 });
    replica.hearsUnasked('n3', { 'n1.a': 1 });
    expect(replica.floorAfterTick()).toEqual([['n1.a', 2]]);
    replica.hears('n3', { 'n1.a': 6 });
    expect(replica.floorAfterTick()).toEqual([['n1.a', 6]]);
  });

  test('never beyond what this replica knows itself, whatever its peers know', () => {
    const replica = replicaOf();
    replica.hears('n2', { 'n1.a': 8, 'n2.b': 40, 'n3.c': 7 });
    replica.hears('n3', { 'n1.a': 8, 'n2.b': 50, 'n3.c': 9 });
    expect(replica.floorAfterTick()).toEqual([
      ['n1.a', 8],
      ['n2.b', 4],
    ]);
  });

  test('never back, when a member comes with less than it told before', () => {
    const replica = replicaOf();
    for (const peer of ['n2', 'n3']) replica.hears(peer, { 'n1.a': 6 });
    expect(replica.floorAfterTick()).toEqual([['n1.a', 6]]);
    replica.hears('n3', {});
    expect(replica.floorAfterTick()).toEqual([['n1.a', 6]]);
  });

  test('without regard to a member that is below it already: it takes over all keys anyway', () => {
    const replica = replicaOf({ floor: { 'n1.a': 5 } });
    replica.hears('n2', { 'n1.a': 7, 'n2.b': 2 });
    replica.hears('n3', { 'n1.a': 4, 'n2.b': 1 });
    expect(replica.floorAfterTick()).toEqual([
      ['n1.a', 7],
      ['n2.b', 2],
    ]);
  });

  test('only up to what a member will have that takes over all keys', () => {
    const replica = replicaOf({ floor: { 'n1.a': 5 } });
    replica.hears('n2', { 'n1.a': 8, 'n2.b': 4 });
    replica.hears('n3', {}, { 'n1.a': 6, 'n2.b': 3 });
    expect(replica.floorAfterTick()).toEqual([
      ['n1.a', 6],
      ['n2.b', 3],
    ]);
  });
});

describe('A member that stays away', () => {
  test('holds the log as long as it is short', () => {
    const replica = replicaOf();
    replica.hears('n2', { 'n1.a': 8, 'n2.b': 4 });
    replica.hears('n3', { 'n1.a': 2 });
    expect(replica.floorAfterTick()).toEqual([['n1.a', 2]]);
    expect(LOG_MAX).toBe(8 - 2 + 4);
  });

  test('holds it no longer when it would be longer than it may be', () => {
    const replica = replicaOf();
    replica.hears('n2', { 'n1.a': 8, 'n2.b': 4 });
    replica.hears('n3', { 'n1.a': 2 });
    replica.writes(1);
    expect(replica.floorAfterTick()).toEqual([
      ['n1.a', 8],
      ['n2.b', 4],
    ]);
  });

  test('holds it no longer, but one that is less far behind does', () => {
    const replica = replicaOf();
    replica.hears('n2', { 'n1.a': 7, 'n2.b': 1 });
    replica.hears('n3', {});
    expect(replica.floorAfterTick()).toEqual([
      ['n1.a', 7],
      ['n2.b', 1],
    ]);
  });
});
