// What does the protocol do in single steps that faults rarely reach in a simulation?

import { describe, expect, test } from '@jest/globals';
import { EMPTY_CONTAINER, type Container } from '../../../src/clock/container.js';
import type { VersionVector } from '../../../src/clock/version-vector.js';
import type { Input, WriteInput } from '../../../src/replication/engine/input.js';
import type { Output } from '../../../src/replication/engine/output.js';
import { Replica } from '../../../src/replication/engine/replica.js';
import type { ClockMessage, PeerRequest } from '../../../src/replication/engine/messages.js';
import type { LoadedState, Stored } from '../../../src/replication/engine/state.js';
import { container, utf8, vector, version } from '../../support/clock-arbitraries.js';
import { identityOf, loadedState, toldBy } from '../../support/engine-parts.js';

const NOTHING_STORED: Stored = { container: () => EMPTY_CONTAINER, requested: () => undefined };
const WALL_MS = 1_700_000_000_000;
const NOTHING_SEEN = { vector: vector({}), dot: undefined, past: vector({}) };

function replicaOf(...peers: string[]): { replica: Replica; step: (input: Input) => Output } {
  const replica = new Replica(identityOf(peers), loadedState());
  return { replica, step: (input) => replica.step(input, NOTHING_STORED) };
}

function writeOf(id: number, parts: Partial<WriteInput> = {}): WriteInput {
  return {
    kind: 'write',
    id,
    key: 'key',
    operation: { kind: 'put', contentType: 'text/plain', value: utf8('value'), ttlMs: undefined },
    context: undefined,
    precondition: undefined,
    acksNeeded: 1,
    wallMs: WALL_MS,
    ...parts,
  };
}

function comparedWith(from: string, clock: Record<string, number>, parts: Partial<ClockMessage> = {}): Input {
  const answer = { kind: 'clock', ...toldBy(from, clock, parts) } as const;
  return { kind: 'peer-answer', from, to: 'compare', answer, wallMs: WALL_MS };
}

function requested(request: PeerRequest): Input {
  return { kind: 'peer-request', id: 9, from: 'n2', request, wallMs: WALL_MS };
}

describe('what is written while a push is under way', () => {
  const batch = { clock: vector({ 'n1.a': 1 }), ranges: [], containers: new Map(), exact: undefined, past: vector({}) };
  test.each<[string, Input[]]>([
    ['it answers', []],
    ['a push of its own has told that it took the first', [requested({ kind: 'push', batch })]],
    ['a comparison has', [comparedWith('n2', { 'n1.a': 1 })]],
  ])('is pushed when %s', (_, words) => {
    const { step } = replicaOf('n2');
    step(comparedWith('n2', {}));
    expect(step(writeOf(1)).sends).toMatchObject([{ kind: 'push', since: vector({}) }]);
    for (const input of [writeOf(2), ...words]) {
      expect(step(input).sends.filter(({ kind }) => kind === 'push')).toEqual([]);
    }
    const answer = { kind: 'clock', ...toldBy('n2', { 'n1.a': 1 }) } as const;
    const { sends } = step({ kind: 'peer-answer', from: 'n2', to: 'push', answer, wallMs: WALL_MS });
    expect(sends).toMatchObject([{ kind: 'push', since: vector({ 'n1.a': 1 }) }]);
  });

  test('waits for the next comparison when the peer has taken nothing', () => {
    const { step } = replicaOf('n2');
    step(comparedWith('n2', {}));
    for (const id of [1, 2]) step(writeOf(id));
    const answer = { kind: 'clock', ...toldBy('n2', {}) } as const;
    expect(step({ kind: 'peer-answer', from: 'n2', to: 'push', answer, wallMs: WALL_MS }).sends).toEqual([]);
    expect(step(comparedWith('n2', {})).sends.map(({ kind }) => kind)).toContain('push');
  });
});

describe('a peer that refuses a push', () => {
  test('stays reachable, and is pushed to again after the next comparison', () => {
    const { replica, step } = replicaOf('n2');
    step({ kind: 'tick' });
    step(comparedWith('n2', {}));
    expect(step(writeOf(1)).sends.map((send) => send.kind)).toEqual(['push']);
    const { observations } = step({ kind: 'peer-failure', from: 'n2', to: 'push', wasAnswered: true });
    expect(observations).toEqual([]);
    expect(replica.peers[0]!.isReachable).toBe(true);
    expect(step(writeOf(2)).sends).toEqual([]);
    expect(step(comparedWith('n2', {})).sends.map((send) => send.kind)).toContain('push');
  });

  test('is pushed to again after twice as many comparisons each time, until it takes something', () => {
    const { step } = replicaOf('n2');
    step(comparedWith('n2', {}));
    step(writeOf(1));
    const untilPush: number[] = [];
    for (let refusal = 0; refusal < 7; refusal++) {
      step({ kind: 'peer-failure', from: 'n2', to: 'push', wasAnswered: true });
      let comparisons = 1;
      while (!step(comparedWith('n2', {})).sends.some(({ kind }) => kind === 'push')) comparisons++;
      untilPush.push(comparisons);
    }
    expect(untilPush).toEqual([1, 2, 4, 8, 16, 32, 32]);
    const answer = { kind: 'clock', ...toldBy('n2', { 'n1.a': 1 }) } as const;
    step(writeOf(2));
    step({ kind: 'peer-answer', from: 'n2', to: 'push', answer, wallMs: WALL_MS });
    step({ kind: 'peer-failure', from: 'n2', to: 'push', wasAnswered: true });
    expect(step(comparedWith('n2', { 'n1.a': 1 })).sends.map((send) => send.kind)).toContain('push');
    for (let refusal = 0; refusal < 3; refusal++) {
      step({ kind: 'peer-failure', from: 'n2', to: 'push', wasAnswered: true });
    }
    // It has asked by itself.
    expect(step(comparedWith('n2', { 'n1.a': 2 })).sends).toEqual([]);
    expect(step(writeOf(3)).sends.map((send) => send.kind)).toEqual(['push']);
  });

  test('is unreachable when it did not answer at all', () => {
    const { replica, step } = replicaOf('n2');
    step(comparedWith('n2', {}));
    step(writeOf(1));
    step({ kind: 'peer-failure', from: 'n2', to: 'push', wasAnswered: false });
    expect(replica.peers[0]!.isReachable).toBe(false);
  });
});

test('a peer that is heard from and never answers is no peer that comes and goes', () => {
  const { step } = replicaOf('n2');
  const seen: string[] = step(comparedWith('n2', {})).observations.map(({ kind }) => kind);
  for (let round = 0; round < 20; round++) {
    const request = { kind: 'compare', ...toldBy('n2', {}) } as const;
    for (const input of [
      { kind: 'peer-failure', from: 'n2', to: 'compare', wasAnswered: false },
      { kind: 'peer-request', id: round, from: 'n2', request, wallMs: WALL_MS },
    ] as const) {
      seen.push(...step(input).observations.map(({ kind }) => kind));
    }
  }
  expect(seen).toEqual(['peer-up', 'peer-unreachable']);
});

test('keys ahead are fetched by one exchange at a time, however often the digests differ', () => {
  const { step } = replicaOf('n2', 'n3');
  const sends = [];
  for (let round = 0; round < 10; round++) {
    for (const peer of ['n2', 'n3']) sends.push(...step(comparedWith(peer, {}, { aheadDigest: 1 })).sends);
  }
  expect(sends.map(({ kind, to }) => `${kind} ${to}`)).toEqual(['pull-ahead n2']);
  const answer = {
    kind: 'batch',
    batch: { clock: vector({}), ranges: [], containers: new Map(), exact: undefined, past: vector({}) },
    next: undefined,
  } as const;
  step({ kind: 'peer-answer', from: 'n2', to: 'pull-ahead', answer, wallMs: WALL_MS });
  const { sends: later } = step(comparedWith('n3', {}, { aheadDigest: 1 }));
  expect(later.map(({ kind, to }) => `${kind} ${to}`)).toEqual(['pull-ahead n3']);
});

describe('a replica that is told more of its own writes than it knows', () => {
  const span = { after: undefined, through: undefined };
  const past = vector({ 'n1.a': 7 });
  const batch = { clock: vector({}), ranges: [], containers: new Map(), exact: undefined, past };
  const piece = { span, clock: vector({}), containers: new Map(), past, requests: [] };

  test.each<[string, Input]>([
    ['by the clock of a peer', comparedWith('n2', { 'n1.a': 7 })],
    ['by what a peer has heard of them', comparedWith('n2', {}, { yours: vector({ 'n1.a': 7 }) })],
    [
      'by what a peer has heard of them, unasked',
      requested({ kind: 'compare', ...toldBy('n2', {}, { yours: vector({ 'n1.a': 7 }) }) }),
    ],
    ['by what versions that are pushed may depend on', requested({ kind: 'push', batch })],
    [
      'by what those in a piece of keys may depend on',
      {
        kind: 'peer-answer',
        from: 'n2',
        to: 'pull-keys',
        answer: { kind: 'piece', piece },
        local: { containers: new Map(), through: undefined, attempt: 1 },
        wallMs: WALL_MS,
      },
    ],
    ['by a peer that asks for the way', requested({ kind: 'pull', since: vector({ 'n1.a': 7 }), wants: 'way' })],
    ['by a peer that compares keys', requested({ kind: 'digest', span, clock: vector({ 'n1.a': 7 }), digest: 0 })],
    ['by the context of a client', writeOf(1, { context: { ...NOTHING_SEEN, vector: vector({ 'n1.a': 7 }) } })],
    ['by what that may depend on', writeOf(1, { context: { ...NOTHING_SEEN, past: vector({ 'n1.a': 7 }) } })],
    [
      'by the write that it has seen besides',
      writeOf(1, { context: { ...NOTHING_SEEN, dot: { actor: 'n1.a', counter: 7 } } }),
    ],
  ])('%s gives no dot a second time: it goes on as another actor', (_, input) => {
    const { replica, step } = replicaOf('n2');
    const { observations } = step(input);
    expect(observations).toContainEqual({ kind: 'new-incarnation', actor: 'n1.b', retired: 'n1.a' });
    const { writes } = step(writeOf(2));
    expect(writes.node?.actor).toBe('n1.b');
    expect(writes.log[0]!.actor).toBe('n1.b');
    expect(replica.actor).toBe('n1.b');
  });
});

test('a stamp of more than a minute ahead is reported and not followed: the next write has the stamp of now', () => {
  const { step } = replicaOf('n2');
  const stamp = (WALL_MS + 61_000) * 1000;
  const batch = {
    clock: vector({ 'n2.b': 1 }),
    ranges: [{ actor: 'n2.b', from: 0, keys: ['theirs'] }],
    containers: new Map([['theirs', container([version('n2.b', 1, 'value', stamp)], vector({}))]]),
    exact: undefined,
    past: vector({}),
  };
  const pushed = step({
    kind: 'peer-request',
    id: 9,
    from: 'n2',
    request: { kind: 'push', batch },
    wallMs: WALL_MS,
  });
  expect(pushed.observations).toContainEqual({ kind: 'stamp-too-far-ahead', from: 'n2', key: 'theirs', stamp });
  const [[, { versions }]] = step(writeOf(1)).writes.containers as [[string, Container]];
  expect(versions.map((each) => each.stamp)).toEqual([WALL_MS * 1000]);
});

describe('a peer is told what this replica has heard of its writes beyond its clock', () => {
  const clock = vector({ 'n2.b': 3 });
  const compareOf = (actor: string, loaded: Partial<LoadedState>): VersionVector => {
    const replica = new Replica(identityOf(['n2']), loadedState({ clock, ...loaded }));
    const request = { kind: 'compare', ...toldBy('n2', {}, { actor }) } as const;
    const { replies } = replica.step(
      { kind: 'peer-request', id: 9, from: 'n2', request, wallMs: WALL_MS },
      NOTHING_STORED,
    );
    const [answer] = replies;
    if (answer?.kind !== 'clock') throw new Error('it must answer with its clock');
    const { sends } = replica.step({ kind: 'tick' }, NOTHING_STORED);
    expect(sends).toEqual([expect.objectContaining({ kind: 'compare', yours: answer.yours })]);
    return answer.yours;
  };
  const heard = vector({ 'n2.b': 5, 'n3.c': 9 });

  test.each<[string, Partial<LoadedState>]>([
    [
      'by keys ahead',
      {
        ahead: new Map([
          ['key', vector({ 'n2.b': 4 })],
          ['other', heard],
        ]),
      },
    ],
    ['by claims of keys', { claims: [{ through: 'key', clock: heard }] }],
    ['by what versions that are shown may depend on', { past: heard }],
  ])('%s', (_, loaded) => expect(compareOf('n2.b', loaded)).toEqual(vector({ 'n2.b': 5 })));

  test.each<[string, string, Partial<LoadedState>]>([
    ['what its clock covers', 'n2.b', { ahead: new Map([['key', vector({ 'n2.b': 3 })]]) }],
    ['the writes of an earlier disk', 'n2.later', { past: heard }],
  ])('but not of %s', (_, actor, loaded) => expect(compareOf(actor, loaded)).toEqual(vector({})));
});

test('a write of the new incarnation is acknowledged though one of the old still waits', () => {
  const { step } = replicaOf('n2');
  step(writeOf(1, { acksNeeded: 2 }));
  step({
    kind: 'peer-request',
    id: 9,
    from: 'n3',
    request: { kind: 'pull', since: vector({ 'n1.a': 5 }), wants: 'dots' },
    wallMs: WALL_MS,
  });
  step(writeOf(2, { acksNeeded: 2 }));
  const { replies } = step(comparedWith('n2', { 'n1.b': 1 }));
  expect(replies.map((reply) => reply.id)).toEqual([2]);
});

test('the author of a batch that came again waits for no acknowledgement that is known already', () => {
  const { step } = replicaOf('n2', 'n3');
  step(comparedWith('n2', { 'n3.b': 5 }));
  const awaited = (id: number, acksNeeded: number): Input => {
    const dot = { actor: 'n3.b', counter: 5 };
    return { kind: 'await-acks', id, dot, isRepeated: true, acksNeeded };
  };
  expect(step(awaited(1, 2)).replies).toEqual([{ id: 1, kind: 'acks', acks: 2 }]);
  expect(step(awaited(2, 3)).replies).toEqual([]);
  expect(step(comparedWith('n3', { 'n3.b': 5 })).replies).toEqual([{ id: 2, kind: 'acks', acks: 3 }]);
});

describe('a peer that is far behind when it is back', () => {
  const far = { kind: 'clock', ...toldBy('n2', {}) } as const;

  test('is pushed nothing before its ninth word, two seconds later: it may take over all keys', () => {
    const replica = new Replica(identityOf(['n2']), loadedState({ clock: vector({ 'n1.a': 10_001 }) }));
    const step = (input: Input): Output => replica.step(input, NOTHING_STORED);
    const word = { kind: 'peer-answer', from: 'n2', to: 'compare', answer: far, wallMs: WALL_MS } as const;
    for (let count = 1; count <= 8; count++) expect(step(word).sends).toEqual([]);
    expect(step(word).sends.map(({ kind }) => kind)).toEqual(['push']);
  });

  test('is not pushed to any more, once it answers a push by saying that it takes over all keys', () => {
    const replica = new Replica(identityOf(['n2']), loadedState({ clock: vector({ 'n1.a': 9000 }) }));
    const step = (input: Input): Output => replica.step(input, NOTHING_STORED);
    const word = { kind: 'peer-answer', from: 'n2', to: 'compare', answer: far, wallMs: WALL_MS } as const;
    expect(step(word).sends.map(({ kind }) => kind)).toEqual(['push']);
    const awaiting = { kind: 'clock', ...toldBy('n2', { 'n1.a': 10 }, { awaited: vector({ 'n1.a': 9000 }) }) } as const;
    expect(step({ kind: 'peer-answer', from: 'n2', to: 'push', answer: awaiting, wallMs: WALL_MS }).sends).toEqual([]);
  });
});
