// How does a replica become a member? It tells its address to those it lists, also when it can tell them nothing else that is new.
// What is it to the others until then, and after?

import { describe, expect, test } from '@jest/globals';
import { EMPTY_CONTAINER } from '../../../src/clock/container.js';
import type { Members } from '../../../src/clock/membership.js';
import type { PeerAnswer, PeerRequest } from '../../../src/replication/engine/messages.js';
import { Replica } from '../../../src/replication/engine/replica.js';
import type { Stored } from '../../../src/replication/engine/state.js';
import { identityOf, loadedState, toldBy } from '../../support/engine-parts.js';

const NOTHING_STORED: Stored = { container: () => EMPTY_CONTAINER, requested: () => undefined };
const WALL_MS = 1_700_000_000_000;

function memberOf(name: string): Members {
  return new Map([[name, { url: urlOf(name), version: 0 }]]);
}

function urlOf(name: string): string {
  return `http://${name}:5000`;
}

function replicaOf(name: string, configured: Members, known: Members, url: string | undefined): Replica {
  return new Replica(identityOf([], { name, configured, url }), loadedState({ actor: `${name}.a`, members: known }));
}

/** All that one tick makes `asker` ask the other, with the answers. @returns what was asked */
function talk(asker: Replica, from: string, asked: Replica, to: string): readonly string[] {
  const kinds = [];
  const sends = [...asker.step({ kind: 'tick' }, NOTHING_STORED).sends];
  for (let send = sends.shift(); send !== undefined; send = sends.shift()) {
    kinds.push(send.kind);
    // Comparisons and lists of members travel as the engine says them.
    const request = send as unknown as PeerRequest;
    const { replies } = asked.step({ kind: 'peer-request', id: 1, from, request, wallMs: WALL_MS }, NOTHING_STORED);
    const answer = replies[0] as unknown as PeerAnswer;
    const answered = { kind: 'peer-answer', from: to, to: send.kind, answer, wallMs: WALL_MS } as const;
    sends.push(...asker.step(answered, NOTHING_STORED).sends);
  }
  return kinds;
}

describe('a node whose list names just the members that there are', () => {
  test('becomes one of them at its second word, and tells them its members no more', () => {
    const n1 = replicaOf('n1', new Map(), memberOf('n1'), urlOf('n1'));
    const n2 = replicaOf('n2', memberOf('n1'), new Map(), urlOf('n2'));
    expect(talk(n2, 'n2', n1, 'n1')).toEqual(['compare', 'members']);
    expect(talk(n2, 'n2', n1, 'n1')).toEqual(['compare', 'members']);
    expect(n1.members.get('n2')).toEqual({ url: urlOf('n2'), version: 0 });
    expect(n1.members).toEqual(n2.members);
    expect(talk(n2, 'n2', n1, 'n1')).toEqual(['compare']);
  });

  test('tells them its members once when it has no address: it can be none', () => {
    const n1 = replicaOf('n1', new Map(), memberOf('n1'), urlOf('n1'));
    const reader = replicaOf('n2', memberOf('n1'), new Map(), undefined);
    expect(talk(reader, 'n2', n1, 'n1')).toEqual(['compare', 'members']);
    for (let round = 0; round < 3; round++) expect(talk(reader, 'n2', n1, 'n1')).toEqual(['compare']);
    expect([...n1.members.keys()]).toEqual(['n1']);
  });
});

describe('the address of a member', () => {
  const moved = 'http://moved:6000';

  test('is told anew by one that has moved with its disk, to those that do not list it', () => {
    const members = new Map([...memberOf('n1'), ...memberOf('n2')]);
    const n1 = replicaOf('n1', new Map(), members, urlOf('n1'));
    const n2 = replicaOf('n2', memberOf('n1'), members, moved);
    expect(n2.members.get('n2')).toEqual({ url: moved, version: 0 });
    expect(talk(n2, 'n2', n1, 'n1')).toEqual(['compare', 'members']);
    expect(n1.members.get('n2')).toEqual({ url: moved, version: 0 });
    expect(talk(n2, 'n2', n1, 'n1')).toEqual(['compare']);
  });

  test('is told anew by one that comes back with an empty disk', () => {
    const members = new Map([...memberOf('n1'), ...memberOf('n2')]);
    const n1 = replicaOf('n1', new Map(), members, urlOf('n1'));
    const n2 = replicaOf('n2', memberOf('n1'), new Map(), moved);
    for (let round = 0; round < 2; round++) talk(n2, 'n2', n1, 'n1');
    expect(n1.members.get('n2')).toEqual({ url: moved, version: 0 });
    expect(n1.members).toEqual(n2.members);
  });

  test('is taken from a member itself, not from where it was when it joined', () => {
    const before = new Map([...memberOf('n1'), ...memberOf('n2')]);
    const n1 = replicaOf('n1', before, before, moved);
    const n3 = replicaOf('n3', memberOf('n2'), new Map([['n1', { url: moved, version: 0 }]]), urlOf('n3'));
    for (let round = 0; round < 2; round++) talk(n3, 'n3', n1, 'n1');
    expect(n3.members.get('n1')).toEqual({ url: moved, version: 0 });
  });

  test('stays as it was of one that does not know its own', () => {
    const members = new Map([...memberOf('n1'), ...memberOf('n2')]);
    expect(replicaOf('n2', memberOf('n1'), members, undefined).members.get('n2')).toEqual({
      url: urlOf('n2'),
      version: 0,
    });
  });

  test('changes nothing of one that was forgotten', () => {
    const members = new Map([...memberOf('n1'), ['n2', { url: urlOf('n2'), version: 1 }] as const]);
    const n1 = replicaOf('n1', new Map(), members, urlOf('n1'));
    const n2 = replicaOf('n2', memberOf('n1'), new Map([...memberOf('n1'), ...memberOf('n2')]), moved);
    for (let round = 0; round < 2; round++) talk(n2, 'n2', n1, 'n1');
    expect([n1.members.get('n2')!.version, n2.standing]).toEqual([1, 'forgotten']);
  });
});

describe('a node whose peer knows other members than it does', () => {
  const all = new Map([...memberOf('n1'), ...memberOf('n2'), ...memberOf('n3')]);

  test('is introduced when it has heard who they are, and they have answered: one of them may know more of its writes', () => {
    const n1 = replicaOf('n1', new Map(), new Map([...memberOf('n1'), ...memberOf('n2')]), urlOf('n1'));
    const n2 = replicaOf('n2', new Map(), all, urlOf('n2'));
    const n3 = replicaOf('n3', new Map(), all, urlOf('n3'));
    const [compare] = n1.step({ kind: 'tick' }, NOTHING_STORED).sends;
    const { replies } = n2.step(
      { kind: 'peer-request', id: 1, from: 'n1', request: compare as unknown as PeerRequest, wallMs: WALL_MS },
      NOTHING_STORED,
    );
    const answer = replies[0] as unknown as PeerAnswer;
    n1.step({ kind: 'peer-answer', from: 'n2', to: 'compare', answer, wallMs: WALL_MS }, NOTHING_STORED);
    expect(n1.progress.isIntroduced).toBe(false);
    const members = { kind: 'members', members: all } as const;
    n1.step({ kind: 'peer-answer', from: 'n2', to: 'members', answer: members, wallMs: WALL_MS }, NOTHING_STORED);
    expect(n1.progress.isIntroduced).toBe(false);
    talk(n1, 'n1', n3, 'n3');
    expect(n1.progress.isIntroduced).toBe(true);
  });

  test('is introduced without that when the list does not come', () => {
    const n1 = replicaOf('n1', new Map(), new Map([...memberOf('n1'), ...memberOf('n2')]), urlOf('n1'));
    const answer = { kind: 'clock', ...toldBy('n2', {}, { membersDigest: 7 }) } as const;
    n1.step({ kind: 'peer-answer', from: 'n2', to: 'compare', answer, wallMs: WALL_MS }, NOTHING_STORED);
    expect(n1.progress.isIntroduced).toBe(false);
    n1.step({ kind: 'peer-failure', from: 'n2', to: 'members', wasAnswered: false }, NOTHING_STORED);
    expect(n1.progress.isIntroduced).toBe(true);
  });
});

describe('what a node says that it is to the others', () => {
  test('joining until one of them has told it who the members are, then a member', () => {
    const n1 = replicaOf('n1', new Map(), memberOf('n1'), urlOf('n1'));
    const n2 = replicaOf('n2', memberOf('n1'), new Map(), urlOf('n2'));
    expect([n1.standing, n2.standing]).toEqual(['member', 'joining']);
    talk(n2, 'n2', n1, 'n1');
    expect([n1.standing, n2.standing]).toEqual(['member', 'member']);
  });

  test('unfound as long as a name service is to tell of the first member, and has told of none', () => {
    const identity = identityOf([], { name: 'n2', url: urlOf('n2'), awaitsMembers: true });
    const n2 = new Replica(identity, loadedState({ actor: 'n2.a' }));
    n2.step({ kind: 'found', members: new Map() }, NOTHING_STORED);
    expect(n2.standing).toBe('unfound');
    // Whom it is told of then may have what it has to catch up with.
    n2.step({ kind: 'found', members: memberOf('n1') }, NOTHING_STORED);
    expect([n2.standing, n2.progress.isIntroduced]).toEqual(['joining', false]);
    const n1 = replicaOf('n1', new Map(), memberOf('n1'), urlOf('n1'));
    talk(n2, 'n2', n1, 'n1');
    expect([n2.standing, n2.progress.isIntroduced]).toEqual(['member', true]);
  });

  test('a member when the name service tells of nobody but itself', () => {
    const identity = identityOf([], { name: 'n2', url: urlOf('n2'), awaitsMembers: true });
    const n2 = new Replica(identity, loadedState({ actor: 'n2.a' }));
    n2.step({ kind: 'found', members: memberOf('n2') }, NOTHING_STORED);
    expect([n2.standing, n2.progress.isIntroduced]).toEqual(['member', true]);
  });

  test('a member when it is alone', () => {
    expect(replicaOf('n1', new Map(), new Map(), undefined).standing).toBe('member');
  });

  test('unlisted when it has no address to join with, and nobody tells of it', () => {
    const n1 = replicaOf('n1', new Map(), memberOf('n1'), urlOf('n1'));
    const reader = replicaOf('n2', memberOf('n1'), new Map(), undefined);
    talk(reader, 'n2', n1, 'n1');
    expect(reader.standing).toBe('unlisted');
  });

  test('a member without an address when the others list it', () => {
    const n1 = replicaOf('n1', memberOf('n2'), memberOf('n1'), urlOf('n1'));
    const n2 = replicaOf('n2', memberOf('n1'), new Map(), undefined);
    expect(n2.standing).toBe('unlisted');
    talk(n2, 'n2', n1, 'n1');
    expect(n2.standing).toBe('member');
  });

  test('unnamed when its peers are addresses only', () => {
    const identity = identityOf(['127.0.0.1:5001'], { name: 'n1', url: urlOf('n1') });
    expect(new Replica(identity, loadedState()).standing).toBe('unnamed');
  });

  test('asks each of them once, also when its disk knows them by their names', () => {
    const known = new Map([...memberOf('n1'), ...memberOf('n2')]);
    const identity = identityOf(['127-0-0-1-5001'], { name: 'n1', url: urlOf('n1') });
    const { sends } = new Replica(identity, loadedState({ members: known })).step({ kind: 'tick' }, NOTHING_STORED);
    expect(sends.map(({ kind, to }) => [kind, to])).toEqual([['compare', '127-0-0-1-5001']]);
  });

  test('forgotten once one of them has told it that it was removed', () => {
    const n1 = replicaOf('n1', new Map(), memberOf('n1'), urlOf('n1'));
    const n2 = replicaOf('n2', memberOf('n1'), new Map(), urlOf('n2'));
    for (let round = 0; round < 2; round++) talk(n2, 'n2', n1, 'n1');
    n1.step({ kind: 'forget', id: 1, name: 'n2' }, NOTHING_STORED);
    expect(n2.standing).toBe('member');
    talk(n2, 'n2', n1, 'n1');
    expect(n2.standing).toBe('forgotten');
  });
});
