// What does a replica do whose peers' logs do not reach back to where it stands? Step by step, and with answers that come
// late, twice or not at all.

import { beforeEach, describe, expect, test } from '@jest/globals';
import type { KeySpan } from '../../../src/clock/claims.js';
import { EMPTY_CONTAINER, type Container } from '../../../src/clock/container.js';
import type { KeptRequest } from '../../../src/clock/request.js';
import { EMPTY_VECTOR } from '../../../src/clock/version-vector.js';
import type { ClockMessage, Piece } from '../../../src/replication/engine/messages.js';
import type { Input } from '../../../src/replication/engine/input.js';
import type { Output } from '../../../src/replication/engine/output.js';
import { Replica } from '../../../src/replication/engine/replica.js';
import { container, shownVector, textsOf, utf8, vector, version } from '../../support/clock-arbitraries.js';
import { identityOf, loadedState, toldBy } from '../../support/engine-parts.js';

const WALL_MS = 1_700_000_000_000;
const PEERS = ['n2', 'n3'];

let stored: Map<string, Container>;
/** As of when the last piece was asked for: the shell may have seen nothing newer. */
let seenByShell: Map<string, Container>;
let replica: Replica;
/** What the last commit says of the node, and of claims. */
let node: NonNullable<Output['writes']['node']> | undefined;

/** A replica that knows two dots of its own, and the first of `n2.b`, whose key `old` has been deleted elsewhere. */
beforeEach(() => {
  stored = new Map([
    ['own', container([version('n1.a', 2)], EMPTY_VECTOR)],
    ['old', container([version('n2.b', 1)], EMPTY_VECTOR)],
  ]);
  replica = new Replica(identityOf(PEERS), loadedState({ clock: vector({ 'n1.a': 2, 'n2.b': 1 }) }));
  node = undefined;
  areRequestsDamaged = false;
  remembered = undefined;
});

/** Whether the records of requests can't be read. */
let areRequestsDamaged = false;
/** What is remembered of any request. */
let remembered: KeptRequest | undefined;

function step(input: Input): Output {
  const output = replica.step(input, {
    container: (key) => stored.get(key) ?? EMPTY_CONTAINER,
    requested: () => {
      if (areRequestsDamaged) throw new Error('damaged');
      return remembered;
    },
  });
  for (const [key, context] of output.writes.contexts) {
    stored.set(key, { versions: stored.get(key)?.versions ?? [], context });
  }
  for (const [key, each] of output.writes.containers) stored.set(key, each);
  node = output.writes.node ?? node;
  if (output.sends.some(({ kind }) => kind === 'pull-keys')) seenByShell = new Map(stored);
  return output;
}

/** What the step asks for, as `kind to after`. */
function asked({ sends }: Output): string[] {
  return sends.map((send) => `${send.kind} ${send.to}${send.kind === 'pull-keys' ? ` ${send.after ?? 'first'}` : ''}`);
}

/** It is heard, and with it what it knows. */
function isThere(from: string, clock: Record<string, number>): void {
  const request = { kind: 'compare', ...toldBy(from, clock) } as const;
  step({ kind: 'peer-request', id: 1, from, request, wallMs: WALL_MS });
}

function refusedBy(from: string, floor: Record<string, number> = { 'n1.a': 2, 'n2.b': 9 }): Output {
  const answer = { kind: 'below-floor', clock: vector({ 'n1.a': 2, 'n2.b': 9 }), floor: vector(floor) } as const;
  return step({ kind: 'peer-answer', from, to: 'pull', answer, wallMs: WALL_MS });
}

/** A piece of a peer that knows `clock`; `attempt` counts the pieces that were asked for. */
function pieceFrom(
  from: string,
  attempt: number,
  span: KeySpan,
  containers: Record<string, Container>,
  clock: Record<string, number> = { 'n1.a': 2, 'n2.b': 9 },
  requests: Piece['requests'] = [],
): Output {
  const piece = {
    span,
    clock: vector(clock),
    containers: new Map(Object.entries(containers)),
    past: vector({}),
    requests,
  };
  const local = { containers: seenByShell, through: span.through, attempt };
  return step({
    kind: 'peer-answer',
    from,
    to: 'pull-keys',
    answer: { kind: 'piece', piece },
    local,
    wallMs: WALL_MS,
  });
}

function writeOf(key: string): Input {
  return {
    kind: 'write',
    id: 1,
    key,
    operation: { kind: 'put', contentType: 'text/plain', value: utf8('written meanwhile'), ttlMs: undefined },
    context: undefined,
    precondition: undefined,
    acksNeeded: 1,
    wallMs: WALL_MS,
  };
}

/** A request that wrote the key `b` by this dot of n2. */
function requestOf(counter: number, sinceMs = 0): KeptRequest {
  return { key: 'b', id: '0'.repeat(32), fingerprint: 'f', dot: { actor: 'n2.b', counter }, sinceMs };
}

const ALL_KEYS: KeySpan = { after: undefined, through: undefined };
const FIRST_HALF: KeySpan = { after: undefined, through: 'm' };
const SECOND_HALF: KeySpan = { after: 'm', through: undefined };

describe('A replica whose pull is refused because the log begins later', () => {
  const MISSING = { 'n1.a': 2, 'n2.b': 9 };

  test('asks the next reachable peer that has what is missing, and takes over all keys when all have refused', () => {
    isThere('n2', MISSING);
    isThere('n3', MISSING);
    expect(asked(refusedBy('n2', { 'n2.b': 5 }))).toEqual(['pull n3']);
    expect(asked(refusedBy('n3', { 'n2.b': 4 }))).toEqual(['pull-keys n3 first']);
  });

  test('asks none that can be of no help: that has no more, or is not there', () => {
    isThere('n2', MISSING);
    isThere('n3', { 'n1.a': 2, 'n2.b': 1 });
    expect(asked(refusedBy('n2', { 'n2.b': 5 }))).toEqual(['pull-keys n2 first']);
  });

  test('asks none that has other dots only, though it is ahead all the time', () => {
    isThere('n2', MISSING);
    isThere('n3', { 'n1.a': 2, 'n2.b': 1, 'n3.c': 5 });
    expect(asked(refusedBy('n2', { 'n2.b': 5 }))).toEqual(['pull-keys n2 first']);
  });

  test('asks one that refused once, when what its log lacks has come meanwhile', () => {
    isThere('n2', MISSING);
    isThere('n3', MISSING);
    refusedBy('n3', { 'n2.b': 1 });
    expect(asked(refusedBy('n2', { 'n2.b': 5 }))).toEqual(['pull n3']);
  });

  test('asks none that failed a pull, until one has come from it', () => {
    isThere('n2', MISSING);
    isThere('n3', MISSING);
    expect(asked(refusedBy('n2', { 'n2.b': 5 }))).toEqual(['pull n3']);
    step({ kind: 'peer-failure', from: 'n3', to: 'pull', wasAnswered: true });
    expect(asked(refusedBy('n2', { 'n2.b': 5 }))).toEqual(['pull-keys n2 first']);
  });

  test('takes over all keys from another one, when one has refused to send them, and from that when nobody else has them', () => {
    isThere('n2', MISSING);
    isThere('n3', MISSING);
    expect(asked(refusedBy('n2', { 'n2.b': 5 }))).toEqual(['pull n3']);
    expect(asked(refusedBy('n3', { 'n2.b': 5 }))).toEqual(['pull-keys n3 first']);
    step({ kind: 'peer-failure', from: 'n3', to: 'pull-keys', wasAnswered: true });
    expect(asked(refusedBy('n3', { 'n2.b': 5 }))).toEqual([]);
    expect(asked(refusedBy('n2', { 'n2.b': 5 }))).toEqual(['pull-keys n2 first']);
    step({ kind: 'peer-failure', from: 'n2', to: 'pull-keys', wasAnswered: true });
    expect(asked(refusedBy('n3', { 'n2.b': 5 }))).toEqual(['pull-keys n3 first']);
  });

  test('takes over all keys again from the one that has refused to send them, when others have other dots only', () => {
    isThere('n2', MISSING);
    isThere('n3', { 'n1.a': 2, 'n2.b': 1, 'n3.c': 5 });
    const takeAll = { kind: 'take-all', clock: vector(MISSING) } as const;
    for (const answer of [
      { kind: 'below-floor', clock: vector(MISSING), floor: vector({ 'n2.b': 5 }) } as const,
      takeAll,
    ]) {
      step({ kind: 'peer-failure', from: 'n2', to: 'pull-keys', wasAnswered: true });
      const refused = step({ kind: 'peer-answer', from: 'n2', to: 'pull', answer, wallMs: WALL_MS });
      expect(asked(refused)).toEqual(['pull-keys n2 first']);
    }
  });

  test('does nothing when what it asked for has come by then', () => {
    isThere('n3', MISSING);
    expect(asked(refusedBy('n2', { 'n2.b': 1 }))).toEqual([]);
  });

  test('takes over all keys at once when told that this is the shorter way', () => {
    isThere('n3', MISSING);
    const answer = { kind: 'take-all', clock: vector(MISSING) } as const;
    expect(asked(step({ kind: 'peer-answer', from: 'n2', to: 'pull', answer, wallMs: WALL_MS }))).toEqual([
      'pull-keys n2 first',
    ]);
  });
});

describe('A replica that nobody has a long enough log for', () => {
  test('asks that peer for all keys, from the first one on, and nobody else beside it', () => {
    expect(asked(refusedBy('n2'))).toEqual(['pull-keys n2 first']);
    expect(asked(refusedBy('n3'))).toEqual([]);
    expect(node?.bootstrap).toEqual({ through: undefined });
  });

  test('goes on after each piece with the next, until there is none', () => {
    refusedBy('n2');
    expect(asked(pieceFrom('n2', 1, FIRST_HALF, {}))).toEqual(['pull-keys n2 m']);
    expect(node?.bootstrap).toEqual({ through: 'm' });
    expect(asked(pieceFrom('n2', 2, SECOND_HALF, {}))).toEqual([]);
    expect(node?.bootstrap).toBeUndefined();
  });

  test('takes over what each piece has, and drops what its peer has seen replaced', () => {
    refusedBy('n2');
    pieceFrom('n2', 1, FIRST_HALF, { b: container([version('n2.b', 5)], EMPTY_VECTOR) });
    expect(textsOf(stored.get('b')!)).toEqual(['n2.b5']);
    expect(textsOf(stored.get('old')!)).toEqual(['n2.b1']);
    pieceFrom('n2', 2, SECOND_HALF, { own: container([version('n1.a', 2)], EMPTY_VECTOR) });
    expect(textsOf(stored.get('old')!)).toEqual([]);
    expect(textsOf(stored.get('own')!)).toEqual(['n1.a2']);
  });

  test('keeps what the peer has not seen yet', () => {
    refusedBy('n2');
    pieceFrom('n2', 1, { after: undefined, through: undefined }, {}, { 'n1.a': 1, 'n2.b': 9 });
    expect(textsOf(stored.get('own')!)).toEqual(['n1.a2']);
  });

  test('keeps what is written here between question and answer', () => {
    refusedBy('n2');
    step(writeOf('new'));
    step(writeOf('old'));
    pieceFrom('n2', 1, { after: undefined, through: undefined }, {});
    expect(textsOf(stored.get('new')!)).toEqual(['written meanwhile']);
    expect(textsOf(stored.get('old')!)).toEqual(['written meanwhile']);
  });

  test('changes nothing by a piece while a record that it needs cannot be read, and takes it when it can', () => {
    refusedBy('n2');
    const b = container([version('n2.b', 5)], EMPTY_VECTOR);
    const take = (): Output => pieceFrom('n2', 1, ALL_KEYS, { b }, undefined, [requestOf(5)]);
    areRequestsDamaged = true;
    expect(take).toThrow('damaged');
    areRequestsDamaged = false;
    expect(take().writes.requests).toHaveLength(1);
    expect(textsOf(stored.get('b')!)).toEqual(['n2.b5']);
    expect(shownVector(node!.clock)).toContainEqual(['n2.b', 9]);
  });

  test('moves its clock with the last piece only, and its log begins there', () => {
    refusedBy('n2');
    pieceFrom('n2', 1, FIRST_HALF, {});
    expect(shownVector(node!.clock)).toEqual([
      ['n1.a', 2],
      ['n2.b', 1],
    ]);
    pieceFrom('n2', 2, SECOND_HALF, {});
    expect(shownVector(node!.clock)).toEqual([
      ['n1.a', 2],
      ['n2.b', 9],
    ]);
    expect(shownVector(node!.floor)).toEqual([['n2.b', 9]]);
  });

  test('knows in the end what its pieces had in common, when they were of different moments', () => {
    refusedBy('n2');
    pieceFrom('n2', 1, FIRST_HALF, {}, { 'n1.a': 2, 'n2.b': 7 });
    const { writes } = pieceFrom('n2', 2, SECOND_HALF, {}, { 'n1.a': 2, 'n2.b': 9, 'n3.c': 1 });
    expect(shownVector(node!.clock)).toEqual([
      ['n1.a', 2],
      ['n2.b', 7],
    ]);
    expect(writes.claims).toEqual([
      { through: 'm', clock: EMPTY_VECTOR },
      { through: undefined, clock: vector({ 'n2.b': 9, 'n3.c': 1 }) },
    ]);
  });
});

describe('A request that wrote a key of a piece', () => {
  const learned = (request: KeptRequest): Output['writes']['requests'] => {
    refusedBy('n2');
    return pieceFrom('n2', 1, ALL_KEYS, {}, undefined, [request]).writes.requests;
  };

  test('is remembered from now on, however long its sender has remembered it', () => {
    const request = requestOf(5);
    expect(learned(request)).toEqual([[request, { ...request, sinceMs: WALL_MS }]]);
  });

  test('takes the place of an earlier one of the same name, which its sender has forgotten', () => {
    remembered = requestOf(3, WALL_MS - 3000);
    const request = requestOf(5, WALL_MS - 2000);
    expect(learned(request)).toEqual([[request, { ...request, sinceMs: WALL_MS }]]);
  });

  test.each([
    ['a later one', requestOf(5, WALL_MS - 1000)],
    ['the same one, known for longer', requestOf(3, WALL_MS - 3000)],
  ])('leaves the place to %s', (_, here) => {
    remembered = here;
    expect(learned(requestOf(3, WALL_MS - 2000))).toEqual([]);
  });
});

describe('An answer that is not the one waited for', () => {
  test.each([
    ['is of another peer', 'n3', 1],
    ['is of an earlier question', 'n2', 0],
    ['is of a later question', 'n2', 2],
  ])('changes nothing, when it %s', (_, from, attempt) => {
    refusedBy('n2');
    const { writes, sends } = pieceFrom(from, attempt, { after: undefined, through: undefined }, {});
    expect([writes.node, writes.claims, sends]).toEqual([undefined, undefined, []]);
    expect(textsOf(stored.get('old')!)).toEqual(['n2.b1']);
  });

  test('changes nothing, when it comes a second time', () => {
    refusedBy('n2');
    pieceFrom('n2', 1, FIRST_HALF, {});
    expect(asked(pieceFrom('n2', 1, FIRST_HALF, {}))).toEqual([]);
  });
});

describe('A peer that claims more of ranges of keys', () => {
  function compareWith(parts: Partial<ClockMessage>): string[] {
    const answer = { kind: 'clock', ...toldBy('n2', { 'n1.a': 2, 'n2.b': 1 }, { claimsDigest: 7, ...parts }) } as const;
    return asked(step({ kind: 'peer-answer', from: 'n2', to: 'compare', answer, wallMs: WALL_MS }));
  }

  test('is asked for all keys when it is level for two seconds: nobody has the dots', () => {
    for (let count = 1; count < 4; count++) expect(compareWith({})).not.toContain('pull-keys n2 first');
    expect(compareWith({})).toContain('pull-keys n2 first');
  });

  test('is not asked when it is level for an instant: the dots are on their way to both', () => {
    const sends = Array.from({ length: 12 }, (_, place) =>
      compareWith(place % 4 === 0 ? { clock: vector({ 'n1.a': 2 }) } : {}),
    );
    expect(sends.flat()).not.toContain('pull-keys n2 first');
  });

  test('is not asked while it takes over all keys itself, however long that takes', () => {
    const sends = Array.from({ length: 50 }, () =>
      compareWith({ clock: vector({ 'n1.a': 1 }), awaited: vector({ 'n1.a': 2, 'n2.b': 1 }) }),
    );
    expect(sends.flat()).not.toContain('pull-keys n2 first');
  });
});

describe('A peer that fails while keys are taken over', () => {
  test('is replaced by the next that refuses a pull, which goes on where the other stopped', () => {
    refusedBy('n2');
    pieceFrom('n2', 1, FIRST_HALF, {});
    step({ kind: 'peer-failure', from: 'n2', to: 'pull-keys', wasAnswered: false });
    expect(asked(refusedBy('n3'))).toEqual(['pull-keys n3 m']);
    pieceFrom('n3', 3, SECOND_HALF, {}, { 'n1.a': 2, 'n2.b': 8 });
    expect(shownVector(node!.clock)).toContainEqual(['n2.b', 8]);
  });

  test('leaves nothing to be done when what it had has come in another way', () => {
    refusedBy('n2');
    pieceFrom('n2', 1, FIRST_HALF, {});
    step({ kind: 'peer-failure', from: 'n2', to: 'pull-keys', wasAnswered: false });
    const level = (from: string): void => {
      const { claimsDigest } = step({ kind: 'tick' }).sends.find(
        ({ kind }) => kind === 'compare',
      ) as unknown as ClockMessage;
      const answer = { kind: 'clock', ...toldBy(from, { 'n1.a': 2, 'n2.b': 1 }, { claimsDigest }) } as const;
      step({ kind: 'peer-answer', from, to: 'compare', answer, wallMs: WALL_MS });
    };
    isThere('n3', { 'n1.a': 2, 'n2.b': 9 });
    level('n2');
    expect(replica.progress.bootstrap).toBeDefined();
    step({ kind: 'peer-failure', from: 'n3', to: 'compare', wasAnswered: false });
    level('n2');
    expect(replica.progress.bootstrap).toBeUndefined();
  });

  test('leaves nothing to be done when it is removed, and nobody is left', () => {
    const configured = new Map([['n2', { url: 'http://n2', version: 0 }]]);
    replica = new Replica(identityOf([], { configured }), loadedState({ clock: vector({ 'n1.a': 2, 'n2.b': 1 }) }));
    refusedBy('n2');
    pieceFrom('n2', 1, FIRST_HALF, {});
    step({ kind: 'peer-failure', from: 'n2', to: 'pull-keys', wasAnswered: false });
    step({ kind: 'tick' });
    expect(node?.bootstrap).toEqual({ through: 'm' });
    step({ kind: 'forget', id: 1, name: 'n2' });
    step({ kind: 'tick' });
    expect(node?.bootstrap).toBeUndefined();
    expect(replica.progress.bootstrap).toBeUndefined();
  });

  test('may answer too late: its piece is not taken any more', () => {
    refusedBy('n2');
    step({ kind: 'peer-failure', from: 'n2', to: 'pull-keys', wasAnswered: false });
    expect(pieceFrom('n2', 1, FIRST_HALF, {}).writes.node).toBeUndefined();
    refusedBy('n3');
    expect(pieceFrom('n2', 1, FIRST_HALF, {}).writes.node).toBeUndefined();
  });

  test('may answer too late for this bootstrap and in time for the next: its piece is of another one', () => {
    refusedBy('n2');
    step({ kind: 'peer-failure', from: 'n2', to: 'pull-keys', wasAnswered: false });
    const batch = {
      clock: vector({ 'n1.a': 2, 'n2.b': 1 }),
      ranges: [],
      containers: new Map(),
      exact: undefined,
      past: vector({}),
    };
    const answer = { kind: 'batch', batch, next: undefined } as const;
    step({ kind: 'peer-answer', from: 'n3', to: 'pull', answer, wallMs: WALL_MS });
    expect(node?.bootstrap).toBeUndefined();
    step(writeOf('new'));
    refusedBy('n2');
    expect(pieceFrom('n2', 1, { after: undefined, through: undefined }, {}).writes.node).toBeUndefined();
    expect(textsOf(stored.get('new')!)).toEqual(['written meanwhile']);
  });

  test('is no longer waited for when it answers comparisons all the while, but not that', () => {
    refusedBy('n2');
    const answer = { kind: 'clock', ...toldBy('n2', { 'n1.a': 2, 'n2.b': 9 }) } as const;
    const compare = (times: number): void => {
      for (let round = 0; round < times; round++) {
        step({ kind: 'peer-answer', from: 'n2', to: 'compare', answer, wallMs: WALL_MS });
      }
    };
    compare(11);
    expect(replica.progress.bootstrap?.from).toBeUndefined();
    expect(asked(refusedBy('n3'))).toEqual(['pull-keys n3 first']);
    step({ kind: 'peer-failure', from: 'n3', to: 'pull-keys', wasAnswered: false });
    refusedBy('n2');
    compare(20);
    expect(replica.progress.bootstrap?.from).toBe('n2');
    compare(1);
    expect(replica.progress.bootstrap?.from).toBeUndefined();
  });
});
