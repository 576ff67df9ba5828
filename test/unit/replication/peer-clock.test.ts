// What does a replica believe of a peer? What it has told, as long as it has not told less since it was asked.

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

function answer(): Input {
  return {
    kind: 'peer-answer',
    ...COMPARED,
    answer: { kind: 'clock', ...toldBy('n2', { 'n2.b': 7 }) },
    wallMs: WALL_MS,
  };
}

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

test('Dots are not given up for lost because another disk of a peer was level for long', () => {
  const ahead = new Map([['k', vector({ 'n2.a': 1 })]]);
  const engine = new Replica(identityOf(['n2']), loadedState({ ahead }));
  const step = (input: Input) => engine.step(input, NOTHING_STORED);
  for (let round = 0; round < 30; round++) {
    const { sends } = step({ kind: 'tick' });
    const { aheadDigest } = sends.find(({ kind }) => kind === 'compare') as unknown as { aheadDigest: number };
    const level = toldBy('n2', {}, { actor: 'n2.a', aheadDigest });
    step({ kind: 'peer-answer', ...COMPARED, answer: { kind: 'clock', ...level }, wallMs: WALL_MS });
  }
  const back = { kind: 'compare', ...toldBy('n2', { 'n2.a': 1 }, { actor: 'n2.b' }) } as const;
  step({ kind: 'peer-request', id: 1, from: 'n2', request: back, wallMs: WALL_MS });
  step({ kind: 'tick' });
  expect(shownVector(engine.clock)).toEqual([]);
});
