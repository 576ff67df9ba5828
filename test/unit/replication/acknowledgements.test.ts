// Who is told, and when, that enough replicas have a write?

import { expect, test } from '@jest/globals';
import { Acknowledgements } from '../../../src/replication/engine/acknowledgements.js';

const NOW = 'n1.b';
const BEFORE = 'n1.a';

function ids(settled: readonly { readonly id: number }[]): number[] {
  return settled.map(({ id }) => id);
}

test('A write is told of by as many peers as it needs, each counted once', () => {
  const acknowledgements = new Acknowledgements();
  acknowledgements.wait(1, { actor: NOW, counter: 1 }, 3);
  const clock = new Map([[NOW, 1]]);
  expect(acknowledgements.heard('n2', clock, NOW)).toEqual([]);
  expect(acknowledgements.heard('n2', clock, NOW)).toEqual([]);
  expect(acknowledgements.heard('n3', clock, NOW)).toEqual([{ id: 1, acks: 3, result: undefined }]);
  expect(acknowledgements.areAwaited).toBe(false);
});

test('Those that a clock covers are told of, in the order of their dots; the others go on waiting', () => {
  const acknowledgements = new Acknowledgements();
  for (const [id, acksNeeded] of [2, 3, 2, 2].entries()) {
    acknowledgements.wait(id, { actor: NOW, counter: id + 1 }, acksNeeded);
  }
  expect(ids(acknowledgements.heard('n2', new Map([[NOW, 3]]), NOW))).toEqual([0, 2]);
  expect(ids(acknowledgements.heard('n3', new Map([[NOW, 4]]), NOW))).toEqual([1, 3]);
  expect(acknowledgements.areAwaited).toBe(false);
});

test('A write that begins to wait after later ones stands in the order of its dot', () => {
  const acknowledgements = new Acknowledgements();
  for (const [id, counter] of [1, 4, 2, 3].entries()) acknowledgements.wait(id, { actor: NOW, counter }, 2);
  expect(ids(acknowledgements.heard('n2', new Map([[NOW, 3]]), NOW))).toEqual([0, 2, 3]);
  expect(ids(acknowledgements.heard('n3', new Map([[NOW, 4]]), NOW))).toEqual([1]);
});

test('A dot of an earlier incarnation that is not covered does not hold up those behind it', () => {
  const acknowledgements = new Acknowledgements();
  acknowledgements.wait(1, { actor: BEFORE, counter: 9 }, 2);
  acknowledgements.wait(2, { actor: NOW, counter: 1 }, 2);
  expect(ids(acknowledgements.heard('n2', new Map([[NOW, 1]]), NOW))).toEqual([2]);
  expect(ids(acknowledgements.heard('n2', new Map([[BEFORE, 9]]), NOW))).toEqual([1]);
});

test('A request that came again begins with the peers that are known to have it, in no order', () => {
  const acknowledgements = new Acknowledgements();
  acknowledgements.waitAgain(1, { actor: 'n2.a', counter: 5 }, 3, ['n2']);
  acknowledgements.waitAgain(2, { actor: NOW, counter: 1 }, 2, []);
  expect(ids(acknowledgements.heard('n3', new Map([[NOW, 1]]), NOW))).toEqual([2]);
  expect(ids(acknowledgements.heard('n3', new Map([['n2.a', 5]]), NOW))).toEqual([1]);
});

test('Who gives up is told how many have it, once, and is waited for no longer', () => {
  const acknowledgements = new Acknowledgements();
  acknowledgements.wait(1, { actor: NOW, counter: 1 }, 3);
  acknowledgements.waitAgain(2, { actor: NOW, counter: 1 }, 3, []);
  acknowledgements.heard('n2', new Map([[NOW, 1]]), NOW);
  for (const id of [1, 2]) {
    expect(acknowledgements.giveUp(id)).toEqual({ id, acks: 2, result: undefined });
    expect(acknowledgements.giveUp(id)).toBeUndefined();
  }
  expect(acknowledgements.areAwaited).toBe(false);
});
