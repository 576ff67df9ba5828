// A peer has found that dots of a lost disk are with nobody, and tells so. Who may take its word for it?

import { beforeEach, describe, expect, test } from '@jest/globals';
import { EMPTY_CONTAINER } from '../../../src/clock/container.js';
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
