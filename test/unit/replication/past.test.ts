// What does a replica remember of what its versions may depend on?

import { beforeEach, describe, expect, test } from '@jest/globals';
import { EMPTY_CONTAINER, type Container } from '../../../src/clock/container.js';
import type { AuthorContext } from '../../../src/clock/dotted-vector.js';
import type { Batch, ClockMessage } from '../../../src/replication/engine/messages.js';
import type { Input } from '../../../src/replication/engine/input.js';
import type { Output } from '../../../src/replication/engine/output.js';
import { Replica } from '../../../src/replication/engine/replica.js';
import type { LoadedState } from '../../../src/replication/engine/state.js';
import { container, shownVector, vector, version } from '../../support/clock-arbitraries.js';
import { identityOf, loadedState, toldBy } from '../../support/engine-parts.js';

const WALL_MS = 1_700_000_000_000;
const NOTHING_STORED = { container: () => EMPTY_CONTAINER, requested: () => undefined };
const CLOCK = { 'n1.a': 2, 'n2.b': 4 };

let replica: Replica;
let stored: Map<string, Container>;
let loaded: LoadedState;

beforeEach(() => {
  stored = new Map();
  loaded = loadedState({ clock: vector(CLOCK) });
  replica = new Replica(identityOf(['n2', 'n3']), loaded);
});

/** The past on disk after a push of n2. */
function pushed(changes: Partial<Batch>): [string, number][] {
  const batch: Batch = {
    clock: vector({ 'n1.a': 2, 'n2.b': 6, 'n3.c': 7 }),
    ranges: [{ actor: 'n2.b', from: 4, keys: ['key'] }],
    containers: new Map([['key', container([version('n2.b', 5)], vector({}))]]),
    exact: { clock: vector({ 'n1.a': 2, 'n2.b': 5 }), keys: new Set(['key']) },
    past: vector({}),
    ...changes,
  };
  return pastOf(take({ kind: 'push', batch }));
}

function take(request: { readonly kind: 'push'; readonly batch: Batch }): Output {
  const stateOf = (key: string): Container => stored.get(key) ?? EMPTY_CONTAINER;
  const output = replica.step(
    { kind: 'peer-request', id: 1, from: 'n2', request, wallMs: WALL_MS },
    { container: stateOf, requested: () => undefined },
  );
  for (const [key, each] of output.writes.containers) stored.set(key, each);
  loaded = { ...loaded, ...output.writes.node! };
  return output;
}

function pastOf({ writes }: Output): [string, number][] {
  return shownVector(writes.node!.past);
}

describe('versions that came in an exact container', () => {
  test('may depend on what its sender knew and this replica does not, but on none of the sender’s later writes', () => {
    expect(pushed({})).toEqual([['n3.c', 7]]);
  });

  test('may depend on anything of their sender’s clock when several actors’ writes came together', () => {
    const ranges = [
      { actor: 'n2.b', from: 4, keys: ['key'] },
      { actor: 'n3.c', from: 0, keys: ['other'] },
    ];
    const containers = new Map([
      ['key', container([version('n2.b', 5)], vector({}))],
      ['other', container([version('n3.c', 1)], vector({}))],
    ]);
    const exact = { clock: vector({ 'n1.a': 2, 'n2.b': 5, 'n3.c': 1 }), keys: new Set(['key', 'other']) };
    expect(pushed({ ranges, containers, exact })).toEqual([
      ['n2.b', 6],
      ['n3.c', 7],
    ]);
  });

  test('may depend on anything of their sender’s clock when they were sent to an earlier disk, which knew more', () => {
    const exact = { clock: vector({ 'n1.a': 2, 'n2.b': 5, 'n3.c': 7 }), keys: new Set(['key']) };
    expect(pushed({ exact })).toEqual([
      ['n2.b', 6],
      ['n3.c', 7],
    ]);
  });

  test('depend on nothing when this replica knows what their sender did', () => {
    expect(pushed({ clock: vector({ 'n1.a': 2, 'n2.b': 5 }) })).toEqual([]);
  });

  test('may depend on what those of their sender may depend on', () => {
    expect(pushed({ past: vector({ 'n4.d': 3 }) })).toEqual([
      ['n3.c', 7],
      ['n4.d', 3],
    ]);
  });
});

test('a version that came with its whole context says for itself what it depends on', () => {
  expect(pushed({ exact: undefined })).toEqual([]);
});

test('what has come is depended on no more', () => {
  pushed({});
  const others = container([version('n3.c', 7)], vector({}));
  const ranges = [{ actor: 'n3.c', from: 0, keys: Array.from({ length: 7 }, () => 'other') }];
  const clock = vector({ 'n1.a': 2, 'n2.b': 5, 'n3.c': 7 });
  expect(pushed({ clock, ranges, containers: new Map([['other', others]]), exact: undefined })).toEqual([]);
});

test('it is remembered over a restart', () => {
  pushed({});
  replica = new Replica(identityOf(['n2', 'n3']), loaded);
  const ranges = [{ actor: 'n2.b', from: 5, keys: ['key'] }];
  const containers = new Map([['key', container([version('n2.b', 6)], vector({}))]]);
  expect(pushed({ ranges, containers, exact: undefined })).toEqual([['n3.c', 7]]);
});

function step(input: Input): Output {
  return replica.step(input, NOTHING_STORED);
}

/** Both peers answer so many comparisons: they know just this. */
function compared(times: number, clock: Record<string, number>, parts: Partial<ClockMessage> = {}): void {
  for (let round = 0; round < times; round++) {
    for (const from of ['n2', 'n3']) {
      const answer = { kind: 'clock', ...toldBy(from, clock, parts) } as const;
      step({ kind: 'peer-answer', from, to: 'compare', answer, wallMs: WALL_MS });
    }
  }
}

describe('what no member can send', () => {
  /** The past after the next tick; undefined: it has not changed. */
  const afterTick = (): [string, number][] | undefined => {
    const { node } = step({ kind: 'tick' }).writes;
    return node && shownVector(node.past);
  };

  test('is given up once all have had the same of it for long, whatever living actors write meanwhile', () => {
    pushed({});
    for (let round = 0; round < 19; round++) compared(1, { 'n1.a': 2, 'n2.b': 5 + round });
    expect(afterTick() ?? [['n3.c', 7]]).toEqual([['n3.c', 7]]);
    compared(2, { 'n1.a': 2, 'n2.b': 30 });
    expect(afterTick()).toEqual([]);
  });

  test('is not given up while a member has it, or is away', () => {
    pushed({});
    compared(30, { 'n1.a': 2, 'n3.c': 7 });
    expect(afterTick() ?? [['n3.c', 7]]).toEqual([['n3.c', 7]]);
    compared(30, { 'n1.a': 2 });
    step({ kind: 'peer-failure', from: 'n2', to: 'compare', wasAnswered: false });
    expect(afterTick() ?? [['n3.c', 7]]).toEqual([['n3.c', 7]]);
  });

  test('is not given up while a peer knows more of ranges of keys: it may take the actor for living, and says nothing of it then', () => {
    pushed({});
    compared(30, { 'n1.a': 2 }, { claimsDigest: 1 });
    expect(afterTick() ?? [['n3.c', 7]]).toEqual([['n3.c', 7]]);
  });

  test('is not brought back by who has not given it up yet, but by who has it after all', () => {
    pushed({});
    compared(30, { 'n1.a': 2 });
    expect(afterTick()).toEqual([]);
    const late = { ranges: [{ actor: 'n2.b', from: 5, keys: ['key'] }], past: vector({ 'n3.c': 7 }) };
    const containers = new Map([['key', container([version('n2.b', 6)], vector({}))]]);
    const exact = { clock: vector({ 'n1.a': 2, 'n2.b': 6 }), keys: new Set(['key']) };
    const batch = { clock: vector({ 'n1.a': 2, 'n2.b': 6 }), containers, exact };
    expect(pushed({ ...late, ...batch })).toEqual([]);
    compared(1, { 'n1.a': 2, 'n3.c': 7 });
    const next = { ...batch, ...late, ranges: [{ actor: 'n2.b', from: 6, keys: ['key'] }] };
    expect(pushed({ ...next, exact: undefined })).toEqual([['n3.c', 7]]);
  });
});

test('how long all were equal before it came says nothing of it', () => {
  compared(30, CLOCK);
  pushed({});
  const { node } = step({ kind: 'tick' }).writes;
  expect(shownVector(node?.past ?? loaded.past)).toEqual([['n3.c', 7]]);
});

describe('a write with a context', () => {
  function write(context: AuthorContext): Output {
    const operation = { kind: 'put', contentType: 'text/plain', value: new Uint8Array(), ttlMs: undefined } as const;
    const input: Input = {
      kind: 'write',
      id: 1,
      key: 'key',
      operation,
      context,
      precondition: undefined,
      acksNeeded: 1,
      requestName: undefined,
      wallMs: WALL_MS,
    };
    return replica.step(input, NOTHING_STORED);
  }

  test('may depend on what its author’s reading did, and its answer says so, whatever comes before it is given', () => {
    const output = write({ vector: vector(CLOCK), dot: undefined, past: vector({ 'n3.c': 7 }) });
    expect(pastOf(output)).toEqual([['n3.c', 7]]);
    expect(output.replies[0]).toMatchObject({ result: { past: vector({ 'n3.c': 7 }) } });
  });

  test('does not depend on its author’s former write of the key, which it is to replace, and no other key waits for that', () => {
    const output = write({ vector: vector(CLOCK), dot: { actor: 'n3.c', counter: 7 }, past: vector({}) });
    expect(pastOf(output)).toEqual([]);
  });

  test('is remembered for the origin of that former write, which may be an old copy of its disk and give its dot anew', () => {
    write({ vector: vector(CLOCK), dot: { actor: 'n3.c', counter: 7 }, past: vector({}) });
    const told = toldBy('n3', { 'n3.c': 5 }, { actor: 'n3.c' });
    const compare: Input = {
      kind: 'peer-request',
      id: 2,
      from: 'n3',
      request: { kind: 'compare', ...told },
      wallMs: WALL_MS,
    };
    const [reply] = replica.step(compare, NOTHING_STORED).replies;
    expect(reply).toMatchObject({ kind: 'clock', yours: vector({ 'n3.c': 7 }) });
  });
});
