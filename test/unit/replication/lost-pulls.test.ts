// Whom does a replica ask that lacks dots, or all keys, when one peer answers comparisons, and first of all, but sends nothing
// else? Others have their turn.

import { beforeEach, describe, expect, test } from '@jest/globals';
import { EMPTY_CONTAINER } from '../../../src/clock/container.js';
import type { Input } from '../../../src/replication/engine/input.js';
import type { ClockMessage } from '../../../src/replication/engine/messages.js';
import type { Send } from '../../../src/replication/engine/output.js';
import { Replica } from '../../../src/replication/engine/replica.js';
import { vector } from '../../support/clock-arbitraries.js';
import { identityOf, loadedState, toldBy } from '../../support/engine-parts.js';

const WALL_MS = 1_700_000_000_000;

/** Both peers have dots of a node that is down. */
const MISSING = { 'n4.d': 5 };

type Told = readonly [clock: Record<string, number>, parts?: Partial<ClockMessage>];

/** What comes of a request, half a second later; undefined: nothing ever does. */
type Outcome = (send: Send) => Input | undefined;

let replica: Replica;
let asked: string[];
let toCome: Input[];

beforeEach(() => {
  replica = new Replica(identityOf(['n2', 'n3']), loadedState());
  asked = [];
  toCome = [];
});

function step(input: Input): readonly Send[] {
  return replica.step(input, { container: () => EMPTY_CONTAINER, requested: () => undefined }).sends;
}

/** Notes what the replica asks for. */
function follow(sends: readonly Send[], outcome: Outcome): void {
  for (const send of sends) {
    if (send.kind !== 'pull' && send.kind !== 'pull-keys') continue;
    asked.push(`${send.kind} ${send.to}`);
    const input = outcome(send);
    if (input !== undefined) toCome.push(input);
  }
}

/** Half a second: the peers answer comparisons, always in this order. */
function round(told: Record<string, Told>, outcome: Outcome): void {
  for (const input of toCome.splice(0)) follow(step(input), outcome);
  step({ kind: 'tick' });
  for (const [from, [clock, parts]] of Object.entries(told)) {
    const answer = { kind: 'clock', ...toldBy(from, clock, parts) } as const;
    follow(step({ kind: 'peer-answer', from, to: 'compare', answer, wallMs: WALL_MS }), outcome);
  }
}

function rounds(count: number, told: Record<string, Told>, outcome: Outcome): void {
  for (let each = 0; each < count; each++) round(told, outcome);
}

const lost: Outcome = () => undefined;

function failed(wasAnswered: boolean): Outcome {
  return (send) => ({ kind: 'peer-failure', from: send.to, to: send.kind, wasAnswered });
}

/** All keys are the shorter way, and of those this comes. */
function takeAll(ofKeys: Outcome): Outcome {
  return (send) => {
    if (send.kind === 'pull-keys') return ofKeys(send);
    const answer = { kind: 'take-all', clock: vector(MISSING) } as const;
    return { kind: 'peer-answer', from: send.to, to: 'pull', answer, wallMs: WALL_MS };
  };
}

function refusedBelow(from: string): readonly Send[] {
  const answer = { kind: 'below-floor', clock: vector(MISSING), floor: vector(MISSING) } as const;
  return step({ kind: 'peer-answer', from, to: 'pull', answer, wallMs: WALL_MS });
}

describe('A peer that answers comparisons, and first of all, but sends nothing else', () => {
  const both: Record<string, Told> = { n2: [MISSING], n3: [MISSING] };

  test.each<[string, Outcome, string]>([
    ['loses pulls', lost, 'pull n3'],
    ['refuses pulls', failed(true), 'pull n3'],
    ['breaks off at pulls', failed(false), 'pull n3'],
    ['loses pieces of keys', takeAll(lost), 'pull-keys n3'],
    ['refuses pieces of keys', takeAll(failed(true)), 'pull-keys n3'],
    ['breaks off at pieces of keys', takeAll(failed(false)), 'pull-keys n3'],
  ])('does not keep the next one from being asked: it %s', (_, outcome, expected) => {
    rounds(30, both, outcome);
    expect(asked).toContain(expected);
  });

  test('takes turns with one that has failed once', () => {
    rounds(30, both, lost);
    expect(asked).toEqual(['pull n2', 'pull n3', 'pull n2']);
  });

  test('takes turns with one that knows the same of ranges of keys, and has no more dots either', () => {
    const claiming: Record<string, Told> = { n2: [{}, { claimsDigest: 7 }], n3: [{}, { claimsDigest: 7 }] };
    rounds(30, claiming, lost);
    expect(asked).toEqual(['pull-keys n2', 'pull-keys n3']);
  });
});

test('A peer that has failed, and knows more of ranges of keys, is not asked for all keys while another one has its turn', () => {
  const n2: Told = [MISSING, { claimsDigest: 7 }];
  rounds(17, { n2 }, failed(true));
  asked = [];
  rounds(5, { n2, n3: [MISSING] }, (send) => (send.to === 'n2' ? failed(true)(send) : undefined));
  expect(asked).toEqual(['pull n2', 'pull n3']);
});

describe('A peer that has failed is asked again', () => {
  test('while the others have other dots only, and ever new ones', () => {
    for (let counter = 1; counter <= 30; counter++) {
      const others = { 'n3.b': counter };
      // What it pushes comes a moment after it has told of it.
      const batch = { clock: vector(others), containers: new Map(), exact: undefined, past: vector({}) };
      const ranges = [{ actor: 'n3.b', from: counter - 1, keys: ['key'] }];
      round({ n3: [others], n2: [{ ...MISSING, ...others }] }, takeAll(failed(true)));
      const request = { kind: 'push', batch: { ...batch, ranges } } as const;
      step({ kind: 'peer-request', id: counter, from: 'n3', request, wallMs: WALL_MS });
    }
    expect(asked.filter((each) => each === 'pull-keys n2').length).toBeGreaterThan(5);
  });

  test('while another one that has it speaks, but leaves comparisons without an answer', () => {
    for (let each = 0; each < 10; each++) {
      const request = { kind: 'compare', ...toldBy('n3', MISSING) } as const;
      step({ kind: 'peer-failure', from: 'n3', to: 'compare', wasAnswered: false });
      step({ kind: 'peer-request', id: each, from: 'n3', request, wallMs: WALL_MS });
      round({ n2: [MISSING] }, failed(true));
    }
    expect(asked.length).toBeGreaterThan(5);
    expect(new Set(asked)).toEqual(new Set(['pull n2']));
  });

  test('when all that was missing has come, and another one has no log of what is missing then', () => {
    const n3: Told = [MISSING];
    rounds(2, { n2: [MISSING] }, failed(true));
    round({ n2: [{}], n3 }, lost);
    rounds(2, { n3 }, lost);
    round({ n2: [MISSING] }, lost);
    expect(refusedBelow('n3')).toMatchObject([{ kind: 'pull', to: 'n2' }]);
  });
});
