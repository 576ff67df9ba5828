// A peer has found that dots of a lost disk are with nobody, and tells so. Who may take its word for it?

import { beforeEach, describe, expect, test } from '@jest/globals';
import { EMPTY_CONTAINER } from '../../../src/clock/container.js';
import { NO_MEMBERS } from '../../../src/clock/membership.js';
import type { Output } from '../../../src/replication/engine/output.js';
import { Replica } from '../../../src/replication/engine/replica.js';
import type { LoadedState } from '../../../src/replication/engine/state.js';
import { beyondDigest } from '../../../src/replication/engine/ahead.js';
import { shownVector, vector } from '../../support/clock-arbitraries.js';
import { identityOf, loadedState, toldBy } from '../../support/engine-parts.js';

const WALL_MS = 1_700_000_000_000;
const NOTHING_STORED = { container: () => EMPTY_CONTAINER, requested: () => undefined };
const DEAD = 'n4.d';
const AHEAD = new Map([['key', vector({ [DEAD]: 5 })]]);
/** Of who has known of the dead dot in this key. */
const DIGEST = beyondDigest({ ahead: AHEAD, claims: [], clock: vector({ [DEAD]: 3 }) } as never, DEAD);

/** The clock on disk after n2 has told that it has sealed n4.d from its third dot up to its fifth. */
function afterSeal(loaded: Partial<LoadedState>, actorOfN3 = 'n3.b'): [string, number][] | undefined {
  const replica = new Replica(identityOf(['n2', 'n3']), loadedState(loaded));
  // What it knows of the dead is noted before all have said who they are.
  replica.step({ kind: 'tick' }, NOTHING_STORED);
  const heard = { kind: 'compare', ...toldBy('n3', {}, { actor: actorOfN3 }) } as const;
  replica.step({ kind: 'peer-request', id: 1, from: 'n3', request: heard, wallMs: WALL_MS }, NOTHING_STORED);
  const sealed = new Map([[DEAD, { from: 3, to: 5, digest: DIGEST }]]);
  const answer = { kind: 'clock', ...toldBy('n2', { 'n2.b': 9, [DEAD]: 5 }, { sealed }) } as const;
  const output = replica.step(
    { kind: 'peer-answer', from: 'n2', to: 'compare', answer, wallMs: WALL_MS },
    NOTHING_STORED,
  );
  return output.writes.node && shownVector(output.writes.node.clock);
}

describe('the seal of a peer', () => {
  test('is followed by who knew the same of the dead dots, though clients have written meanwhile', () => {
    expect(afterSeal({ clock: vector({ 'n1.a': 7, [DEAD]: 3 }), ahead: AHEAD })).toEqual([
      ['n1.a', 7],
      [DEAD, 5],
    ]);
  });

  test('is not followed by who lacks dots that all had', () => {
    expect(afterSeal({ clock: vector({ [DEAD]: 2 }), ahead: AHEAD })).toBeUndefined();
  });

  test('is not followed by a new disk, which has the clock and not what was known of the key', () => {
    expect(afterSeal({ clock: vector({ [DEAD]: 3 }) })).toBeUndefined();
  });

  test('is not followed while a member goes by that actor: it may have an old copy of the disk', () => {
    expect(afterSeal({ clock: vector({ [DEAD]: 3 }), ahead: AHEAD }, DEAD)).toBeUndefined();
  });
});

describe('dots of a lost disk', () => {
  const CLOCK = { 'n1.a': 7, [DEAD]: 3 };
  let replica: Replica;

  beforeEach(() => {
    replica = new Replica(identityOf(['n2', 'n3']), loadedState({ clock: vector(CLOCK), ahead: AHEAD }));
    tick();
  });

  /** What is known of the dead actor's dots on disk after this tick; undefined: no more than before. */
  function tick(): number | undefined {
    return replica.step({ kind: 'tick' }, NOTHING_STORED).writes.node?.clock.get(DEAD);
  }

  /** Both peers answer so many comparisons, with writes of clients between them. */
  function compared(
    times: number,
    dead: ReadonlyMap<string, number> = new Map([[DEAD, DIGEST]]),
    actorOfN3 = 'n3.b',
  ): void {
    for (let round = 0; round < times; round++) {
      for (const [from, actor] of [
        ['n2', 'n2.b'],
        ['n3', actorOfN3],
      ] as const) {
        const answer = { kind: 'clock', ...toldBy(from, { ...CLOCK, 'n2.b': round }, { dead, actor }) } as const;
        replica.step({ kind: 'peer-answer', from, to: 'compare', answer, wallMs: WALL_MS }, NOTHING_STORED);
      }
    }
  }

  test('are given up when all have known the same of them for long, whatever clients have written meanwhile', () => {
    compared(19);
    expect(tick() ?? 3).toBe(3);
    compared(1);
    expect(tick()).toBe(5);
  });

  test('are not while a peer knows something else of them, or nothing', () => {
    compared(30, new Map([[DEAD, DIGEST + 1]]));
    expect(tick() ?? 3).toBe(3);
    compared(30, new Map());
    expect(tick() ?? 3).toBe(3);
  });

  test('are not when a peer has come to have one since it was compared with last', () => {
    compared(30);
    const batch = { clock: vector({ ...CLOCK, [DEAD]: 4 }), ranges: [], containers: new Map(), exact: undefined };
    const push = { kind: 'push', batch: { ...batch, past: vector({}) } } as const;
    replica.step({ kind: 'peer-request', id: 1, from: 'n2', request: push, wallMs: WALL_MS }, NOTHING_STORED);
    expect(tick() ?? 3).toBe(3);
  });

  test('are not when a peer has been away meanwhile, or is on another disk', () => {
    compared(30);
    const failure = { kind: 'peer-failure', from: 'n2', to: 'compare', wasAnswered: false } as const;
    replica.step(failure, NOTHING_STORED);
    compared(1);
    expect(tick() ?? 3).toBe(3);
    compared(1, undefined, 'n3.c');
    compared(18, undefined, 'n3.c');
    expect(tick() ?? 3).toBe(3);
    compared(1, undefined, 'n3.c');
    expect(tick()).toBe(5);
  });
});

describe('a replica that all others were removed from', () => {
  const REMOVED = new Map([['n4', { url: 'http://n4', version: 1 }]]);
  const LOADED = { clock: vector({ 'n1.a': 7, [DEAD]: 3 }), ahead: AHEAD, past: vector({ [DEAD]: 8, 'n3.c': 7 }) };

  function startedWith(loaded: Partial<LoadedState>, configured = NO_MEMBERS): Replica {
    return new Replica(identityOf([], { configured }), loadedState({ ...LOADED, ...loaded }));
  }

  /** What is committed of the node last. */
  function ticks(replica: Replica, times: number): NonNullable<Output['writes']['node']> | undefined {
    let node;
    for (let count = 0; count < times; count++) {
      node = replica.step({ kind: 'tick' }, NOTHING_STORED).writes.node ?? node;
    }
    return node;
  }

  function write(replica: Replica, context: { vector: Record<string, number>; past: Record<string, number> }): void {
    replica.step(
      {
        kind: 'write',
        id: 1,
        key: 'other',
        operation: { kind: 'delete', type: 'register' },
        context: { vector: vector(context.vector), dot: undefined, past: vector(context.past) },
        precondition: undefined,
        acksNeeded: 1,
        wallMs: WALL_MS,
      },
      NOTHING_STORED,
    );
  }

  test('gives up what nobody can send once it has known the same for ten seconds, whatever clients write meanwhile', () => {
    const replica = startedWith({ members: REMOVED });
    for (let count = 0; count < 19; count++) {
      write(replica, { vector: { 'n1.a': 7 }, past: {} });
      const node = ticks(replica, 1);
      expect(node?.clock.get(DEAD) ?? 3).toBe(3);
    }
    const node = ticks(replica, 1)!;
    expect(node.clock.get(DEAD)).toBe(5);
    expect(shownVector(node.past)).toEqual([]);
  });

  test('counts anew when it comes to know of more: somebody may be there that it does not list yet', () => {
    const keyAhead = startedWith({ members: REMOVED });
    ticks(keyAhead, 15);
    write(keyAhead, { vector: { [DEAD]: 6 }, past: {} });
    expect(ticks(keyAhead, 19)?.clock.get(DEAD)).toBe(3);
    expect(ticks(keyAhead, 1)?.clock.get(DEAD)).toBe(6);

    const past = startedWith({ members: REMOVED });
    ticks(past, 15);
    write(past, { vector: {}, past: { 'n3.c': 9 } });
    expect(shownVector(ticks(past, 19)!.past)).toEqual([['n3.c', 9]]);
    expect(shownVector(ticks(past, 1)!.past)).toEqual([]);
  });

  test('gives up at once what is known of several, also of the one that was removed last', () => {
    const ahead = new Map([['key', vector({ [DEAD]: 5, 'n2.b': 4 })]]);
    const claims = [{ through: 'm', clock: vector({ [DEAD]: 4, 'n2.b': 4 }) }];
    const n2 = { url: 'http://n2', version: 0 };
    const replica = startedWith({ members: REMOVED, ahead, claims }, new Map([['n2', n2]]));
    const heard = { kind: 'compare', ...toldBy('n2', {}) } as const;
    replica.step({ kind: 'peer-request', id: 1, from: 'n2', request: heard, wallMs: WALL_MS }, NOTHING_STORED);
    ticks(replica, 3);
    replica.step({ kind: 'forget', id: 1, name: 'n2' }, NOTHING_STORED);
    expect(shownVector(ticks(replica, 20)!.clock)).toEqual([
      ['n1.a', 7],
      ['n2.b', 4],
      [DEAD, 5],
    ]);
  });

  test('counts from when the last one was removed: until then that one could have sent it', () => {
    const replica = startedWith({ members: REMOVED }, new Map([['n2', { url: 'http://n2', version: 0 }]]));
    expect(ticks(replica, 100)?.clock.get(DEAD) ?? 3).toBe(3);
    replica.step({ kind: 'forget', id: 1, name: 'n2' }, NOTHING_STORED);
    expect(ticks(replica, 19)?.clock.get(DEAD)).toBe(3);
    expect(ticks(replica, 1)?.clock.get(DEAD)).toBe(5);
  });

  test('gives up nothing when it has never had any: it may have been restored from a backup', () => {
    const node = ticks(startedWith({ members: NO_MEMBERS }), 100);
    expect(node?.clock.get(DEAD) ?? 3).toBe(3);
    expect(shownVector(node?.past ?? LOADED.past)).toEqual(shownVector(LOADED.past));
  });
});
