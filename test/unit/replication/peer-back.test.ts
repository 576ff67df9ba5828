// When does a replica ask a peer what it knows? At every tick, and at once when a peer is heard again that was not reachable.

import { expect, test } from '@jest/globals';
import { EMPTY_CONTAINER } from '../../../src/clock/container.js';
import type { Input } from '../../../src/replication/engine/input.js';
import { Replica } from '../../../src/replication/engine/replica.js';
import type { Stored } from '../../../src/replication/engine/state.js';
import { shownVector, vector } from '../../support/clock-arbitraries.js';
import { identityOf, loadedState, toldBy } from '../../support/engine-parts.js';

const NOTHING_STORED: Stored = { container: () => EMPTY_CONTAINER, requested: () => undefined };
const WALL_MS = 1_700_000_000_000;
const COMPARED = { from: 'n2', to: 'compare' } as const;

/** A replica with the peer n2; each step yields whom it asks to compare. */
function replica(): (input: Input) => readonly string[] {
  const engine = new Replica(identityOf(['n2']), loadedState({ clock: vector({ 'n1.a': 1 }) }));
  return (input) =>
    engine
      .step(input, NOTHING_STORED)
      .sends.filter(({ kind }) => kind === 'compare')
      .map(({ to }) => to);
}

function unasked(): Input {
  const request = { kind: 'compare', ...toldBy('n2', { 'n2.b': 7 }) } as const;
  return { kind: 'peer-request', id: 1, from: 'n2', request, wallMs: WALL_MS };
}

function answer(): Input {
  return {
    kind: 'peer-answer',
    ...COMPARED,
    answer: { kind: 'clock', ...toldBy('n2', { 'n2.b': 7 }) },
    wallMs: WALL_MS,
  };
}

test('A peer that is back is asked at once', () => {
  const step = replica();
  expect(step({ kind: 'tick' })).toEqual(['n2']);
  expect(step({ kind: 'peer-failure', ...COMPARED, wasAnswered: false })).toEqual([]);
  expect(step(unasked())).toEqual(['n2']);
});

test('A peer that was there all the time is asked at ticks only, and never twice at a time', () => {
  const step = replica();
  expect(step({ kind: 'tick' })).toEqual(['n2']);
  expect(step(unasked())).toEqual([]);
  expect(step(answer())).toEqual([]);
  expect(step(unasked())).toEqual([]);
  expect(step({ kind: 'tick' })).toEqual(['n2']);
});

test('What a peer says now holds against what its earlier disk has said, and was late', () => {
  const engine = new Replica(identityOf(['n2']), loadedState({ clock: vector({ 'n1.a': 1 }) }));
  const step = (input: Input) => engine.step(input, NOTHING_STORED);
  const known = () => shownVector(engine.peers[0]!.clock!);
  step({ kind: 'tick' });
  step(answer());
  // A pull of the life before, delivered once more: it does not tell who it was.
  const late = { kind: 'pull', since: vector({ 'n2.b': 7, 'n3.a': 9 }), wants: 'dots' } as const;
  step({ kind: 'peer-request', id: 1, from: 'n2', request: late, wallMs: WALL_MS });
  expect(known()).toEqual([
    ['n2.b', 7],
    ['n3.a', 9],
  ]);
  step({ kind: 'tick' });
  step(answer());
  expect(known()).toEqual([['n2.b', 7]]);
});
