import { describe, expect, test } from '@jest/globals';
import { type Container, EMPTY_CONTAINER, fill, isEmpty, strip, sync, update } from '../../../src/clock/container.js';
import { registerReplaces } from '../../../src/clock/register.js';
import { counterOf, covers, EMPTY_VECTOR, join, type VersionVector } from '../../../src/clock/version-vector.js';
import {
  container,
  dot,
  shownContainer,
  shownVector,
  textOf,
  textsOf,
  vector,
  version,
} from '../../support/clock-arbitraries.js';

/** A put of a register at `actor`, whose next dot follows all that the container knows of it. */
function put(held: Container, actor: string, text: string, seen: VersionVector = held.context): Container {
  const made = version(actor, counterOf(held.context, actor) + 1, text);
  return update(held, made, seen, made, registerReplaces);
}

function remove(held: Container, actor: string, seen: VersionVector = held.context): Container {
  return update(held, dot(actor, counterOf(held.context, actor) + 1), seen, undefined, registerReplaces);
}

describe('At rest', () => {
  test('a key that was never written needs no storing', () => {
    expect(isEmpty(EMPTY_CONTAINER)).toBe(true);
  });

  test('a key costs its versions and nothing else, once the node clock covers its context', () => {
    const written = put(fill(EMPTY_CONTAINER, vector({ n1: 4, n2: 9 })), 'n1', 'kept');
    const stored = strip(written, vector({ n1: 5, n2: 9 }));
    expect(shownContainer(stored)).toEqual({ versions: ['n1:5 kept'], context: [] });
    expect(isEmpty(stored)).toBe(false);
  });

  test('a deleted key costs nothing at all, once the node clock covers the delete', () => {
    const deleted = remove(put(EMPTY_CONTAINER, 'n1', 'gone'), 'n1');
    expect(isEmpty(strip(deleted, vector({ n1: 2 })))).toBe(true);
  });

  test('a delete that the node clock does not cover yet is still stored, as a context', () => {
    const deleted = remove(put(EMPTY_CONTAINER, 'n1', 'gone'), 'n1');
    expect(isEmpty(strip(deleted, vector({ n1: 1 })))).toBe(false);
    expect(shownContainer(strip(deleted, vector({ n1: 1 })))).toEqual({ versions: [], context: [['n1', 2]] });
  });
});

describe('Syncing two replicas of a key', () => {
  const base = put(EMPTY_CONTAINER, 'n1', 'base');

  test('keeps a version that both hold', () => {
    expect(textsOf(sync(base, base))).toEqual(['base']);
  });

  test('lets a write replace what its author had seen', () => {
    expect(textsOf(sync(base, put(base, 'n2', 'newer')))).toEqual(['newer']);
  });

  test('keeps both of two writes that raced', () => {
    expect(textsOf(sync(put(base, 'n1', 'left'), put(base, 'n2', 'right')))).toEqual(['left', 'right']);
  });

  test('lets a delete take away what its author had seen', () => {
    expect(textsOf(sync(base, remove(base, 'n2')))).toEqual([]);
  });

  test('keeps a write that raced with a delete', () => {
    expect(textsOf(sync(put(base, 'n1', 'raced'), remove(base, 'n2')))).toEqual(['raced']);
  });

  test('never brings back a version that one side has already replaced, however late it comes', () => {
    const replaced = put(put(base, 'n2', 'second'), 'n3', 'third');
    expect(textsOf(sync(replaced, base))).toEqual(['third']);
    expect(textsOf(sync(remove(replaced, 'n1'), base))).toEqual([]);
  });

  test('lists versions by their dots, wherever they come from', () => {
    const held = [put(base, 'n3', 'c'), put(base, 'n1', 'a'), put(base, 'n2', 'b')];
    const merged = held.reduce((left, right) => sync(left, right));
    expect(merged.versions.map(({ actor, counter }) => `${actor}:${counter}`)).toEqual(['n1:2', 'n2:1', 'n3:1']);
  });
});

describe('Filling before a sync', () => {
  test('tells a key that was deleted here from one that has not arrived yet', () => {
    const arriving = container([version('n1', 3, 'old')], vector({ n1: 3 }));
    const neverSeen = fill(EMPTY_CONTAINER, vector({ n1: 2 }));
    const deletedHere = fill(EMPTY_CONTAINER, vector({ n1: 3 }));
    expect(textsOf(sync(neverSeen, arriving))).toEqual(['old']);
    expect(textsOf(sync(deletedHere, arriving))).toEqual([]);
  });

  test('must use the clock from before the arriving dots, since a later one takes them for replaced', () => {
    const arriving = container([version('n1', 3, 'new')], vector({ n1: 3 }));
    const [before, after] = [vector({ n1: 2 }), vector({ n1: 3 })];
    expect(textsOf(sync(fill(EMPTY_CONTAINER, before), arriving))).toEqual(['new']);
    expect(textsOf(sync(fill(EMPTY_CONTAINER, after), arriving))).toEqual([]);
  });

  test('left out, makes a sibling of a version that was replaced', () => {
    const replaced = put(put(EMPTY_CONTAINER, 'n1', 'old'), 'n1', 'new');
    const stored = strip(replaced, vector({ n1: 2 }));
    const late = put(EMPTY_CONTAINER, 'n1', 'old');
    expect(textsOf(sync(fill(stored, vector({ n1: 2 })), late))).toEqual(['new']);
    expect(textsOf(sync(stored, late))).toEqual(['old', 'new']);
  });
});

describe('Writing', () => {
  const siblings = sync(put(EMPTY_CONTAINER, 'n1', 'left'), put(EMPTY_CONTAINER, 'n2', 'right'));

  test('with the view of the replica replaces all that it shows', () => {
    expect(textsOf(put(siblings, 'n1', 'merged'))).toEqual(['merged']);
  });

  test('with a context replaces what that context covers and keeps the rest', () => {
    expect(textsOf(put(siblings, 'n1', 'mine', vector({ n1: 1 })))).toEqual(['mine', 'right']);
  });

  test('with the context of an author who has seen nothing replaces nothing', () => {
    expect(textsOf(put(siblings, 'n1', 'blind', EMPTY_VECTOR))).toEqual(['left', 'blind', 'right']);
  });

  test('with a context from elsewhere makes this replica refuse what that context has seen, before it arrives', () => {
    const elsewhere = put(EMPTY_CONTAINER, 'n9', 'read elsewhere');
    const written = put(EMPTY_CONTAINER, 'n1', 'answer', elsewhere.context);
    expect(textsOf(sync(written, elsewhere))).toEqual(['answer']);
  });

  test('puts its own dot into the context, so that a reader of the result can replace it', () => {
    const written = put(siblings, 'n3', 'mine');
    expect(covers(written.context, dot('n3', 1))).toBe(true);
    expect(textsOf(put(written, 'n1', 'next', written.context))).toEqual(['next']);
  });

  test('a delete leaves no version, but its dot in the context', () => {
    const deleted = remove(siblings, 'n3');
    expect(shownContainer(deleted)).toEqual({
      versions: [],
      context: [
        ['n1', 1],
        ['n2', 1],
        ['n3', 1],
      ],
    });
  });

  test('replaces only the versions that the operation is about, also among those that its author has seen', () => {
    const held = container([version('n1', 1, 'red'), version('n1', 2, 'blue')], vector({ n1: 2 }));
    const made = version('n1', 3, 'red again');
    const after = update(held, made, held.context, made, (old) => textOf(old).startsWith('red'));
    expect(textsOf(after)).toEqual(['blue', 'red again']);
  });

  test('puts the new version at its place among the dots, not at the end', () => {
    const held = container([version('n1', 1), version('n3', 1)], vector({ n1: 1, n3: 1 }));
    expect(textsOf(put(held, 'n2', 'between', EMPTY_VECTOR))).toEqual(['n11', 'between', 'n31']);
    expect(textsOf(put(held, 'n0', 'first', EMPTY_VECTOR))).toEqual(['first', 'n11', 'n31']);
    expect(textsOf(put(held, 'n1', 'tenth', EMPTY_VECTOR))).toEqual(['n11', 'tenth', 'n31']);
  });

  test('leaves the container it started from as it was', () => {
    const before = shownContainer(siblings);
    put(siblings, 'n1', 'merged');
    remove(siblings, 'n1');
    expect(shownContainer(siblings)).toEqual(before);
  });
});

describe('As the papers define it', () => {
  // Gonçalves, Almeida, Baquero, Fonte: Concise Server-Wide Causality Management (DAIS 2015) gives these functions; the
  // sentences are those of the reference implementation, Gonçalves: ServerWideClocks, src/swc_kv.erl.
  const left = container([version('a', 2, 'both'), version('a', 4, 'only left')], vector({ a: 4, b: 2 }));
  const right = container([version('a', 2, 'both'), version('b', 3, 'only right')], vector({ a: 3, b: 3 }));

  // context/1: "Returns the causal context of a DCC, which is representable as a Version Vector."
  test('the context is a version vector that covers every version', () => {
    for (const holder of [left, right]) {
      expect(holder.versions.every((each) => covers(holder.context, each))).toBe(true);
    }
  });

  // sync/2: "preserving the versions that are present in both"
  test('sync preserves the versions that are present in both, though both contexts cover them', () => {
    expect(covers(left.context, dot('a', 2)) && covers(right.context, dot('a', 2))).toBe(true);
    expect(textsOf(sync(left, right))).toContain('both');
  });

  // sync/2: "the versions in either of them that are not covered by the relevant entry in the other's causal context"
  test('sync preserves the versions of either that the context of the other does not cover', () => {
    expect(textsOf(sync(left, right))).toEqual(['both', 'only left', 'only right']);
    const rightHasSeen = container(right.versions, vector({ a: 4, b: 3 }));
    expect(textsOf(sync(left, rightHasSeen))).toEqual(['both', 'only right']);
  });

  // sync/2: "the causal context is obtained by a standard version vector merge function (performing the pointwise
  // maximum)."
  test('sync takes the pointwise maximum of the contexts', () => {
    expect(shownVector(sync(left, right).context)).toEqual([
      ['a', 4],
      ['b', 3],
    ]);
  });

  // discard/2: "It discards versions in DCC {D,V} which are made obsolete by a causal context (a version vector) C, and
  // also merges C into DCC causal context V." Our `update` is discard, then add.
  test('update discards the versions that the context of the author covers, and merges it into the context', () => {
    const after = update(left, dot('c', 1), vector({ a: 3, d: 7 }), undefined, registerReplaces);
    expect(textsOf(after)).toEqual(['only left']);
    expect(shownVector(after.context)).toEqual([
      ['a', 4],
      ['b', 2],
      ['c', 1],
      ['d', 7],
    ]);
  });

  // add/3: "adds a mapping, from the Dot (I, N) […] to the Value, to the DCC, and also advances the i component of the VV
  // in the DCC to N."
  test('update adds the value under its dot, and advances the entry of its actor to that dot', () => {
    const made = version('a', 5, 'new');
    const after = update(left, made, EMPTY_VECTOR, made, registerReplaces);
    expect(after.versions).toContain(made);
    expect(counterOf(after.context, 'a')).toBe(5);
  });

  // strip/2: "only entries with greater sequence numbers are kept."
  test('strip keeps only the entries that are greater than those of the node clock', () => {
    const held = container(left.versions, vector({ a: 4, b: 2, c: 1 }));
    expect(shownVector(strip(held, vector({ a: 3, b: 2 })).context)).toEqual([
      ['a', 4],
      ['c', 1],
    ]);
    expect(textsOf(strip(held, vector({ a: 9, b: 9, c: 9 })))).toEqual(['both', 'only left']);
  });

  // fill/2: "Function fill adds back causality information to a stripped DCC, before any operation is performed."
  test('fill adds back what strip took away', () => {
    const clock = vector({ a: 4, b: 9 });
    expect(shownContainer(fill(strip(left, clock), clock))).toEqual({
      ...shownContainer(left),
      context: [
        ['a', 4],
        ['b', 9],
      ],
    });
  });

  // "when *v3* arrives with the context `(A,1)`, we know that it already read *v1*, thus it can be safely discarded. We
  // keep *v2* because it has events (updates) that *v3* does not know."
  // Gonçalves: Dotted-Version-Vectors, README.md. It tells the definition of Preguiça, Almeida, Baquero, Fonte,
  // Gonçalves: Dotted Version Vectors (arXiv:1011.5808), whose own wording was not at hand; in ours: a version is
  // obsolete exactly when its dot is in the context of the write.
  test('a version is obsolete exactly when its dot is in the context of the writer', () => {
    const v1 = put(EMPTY_CONTAINER, 'A', 'v1', EMPTY_VECTOR);
    const v1v2 = put(v1, 'A', 'v2', EMPTY_VECTOR);
    expect(textsOf(v1v2)).toEqual(['v1', 'v2']);
    expect(textsOf(put(v1v2, 'A', 'v3', vector({ A: 1 })))).toEqual(['v2', 'v3']);
    expect(textsOf(put(v1v2, 'A', 'v3', vector({ A: 2 })))).toEqual(['v3']);
    expect(textsOf(put(v1v2, 'A', 'v3', vector({ B: 9 })))).toEqual(['v1', 'v2', 'v3']);
  });

  // "it doesn't matter which sibling obsoletes another one, the end result is the same"
  // Gonçalves: Dotted-Version-Vectors, README.md, "The Optimization: Dotted Version Vector Sets (DVVSet)".
  test('it does not matter which of two siblings made a third one obsolete', () => {
    const start = sync(
      put(EMPTY_CONTAINER, 'A', 'old', EMPTY_VECTOR),
      put(EMPTY_CONTAINER, 'B', 'other', EMPTY_VECTOR),
    );
    const byFirst = put(put(start, 'A', 'first', vector({ A: 1 })), 'B', 'second', EMPTY_VECTOR);
    const bySecond = put(put(start, 'A', 'first', EMPTY_VECTOR), 'B', 'second', vector({ A: 1 }));
    expect(shownContainer(byFirst)).toEqual(shownContainer(bySecond));
  });

  // "it maintains information that grows linearly only with the number of servers that register updates for a given data
  // element" Preguiça et al.: Dotted Version Vectors (arXiv:1011.5808), abstract.
  test('the context grows with the servers that took writes, not with the clients or the writes', () => {
    let held = EMPTY_CONTAINER;
    const contexts: VersionVector[] = [EMPTY_VECTOR];
    for (let client = 0; client < 200; client++) {
      held = put(held, `server ${client % 3}`, `by client ${client}`, contexts[client % contexts.length]!);
      if (client % 7 === 0) contexts.push(held.context);
    }
    expect(held.context.size).toBe(3);
  });
});

describe('Without an explosion of siblings', () => {
  // "When a PUT is received, any siblings whose events are dominated by the PUT vclock are removed. Only siblings that the
  // writer has not seen are genuinely concurrent." Brown: basho/riak_kv#746, description.
  test('a put removes the siblings that its context dominates and keeps those that its author has not seen', () => {
    const siblings = sync(put(EMPTY_CONTAINER, 'x', 'seen'), put(EMPTY_CONTAINER, 'y', 'unseen'));
    expect(textsOf(put(siblings, 'x', 'new', vector({ x: 1 })))).toEqual(['new', 'unseen']);
  });

  // "In order not to drop ALL the values during other merge types, when any two merging objects both have the same event,
  // that sibling stays." Brown: basho/riak_kv#746, description.
  test('a sibling whose event both sides have stays when they merge', () => {
    const siblings = sync(put(EMPTY_CONTAINER, 'x', 'one'), put(EMPTY_CONTAINER, 'y', 'two'));
    expect(textsOf(sync(siblings, siblings))).toEqual(['one', 'two']);
    expect(textsOf(sync(siblings, put(siblings, 'z', 'three', vector({ x: 1 }))))).toEqual(['two', 'three']);
  });

  // "Each PUT sees all but one write that Riak as [sic] seen, meaning there is a perpetual race / sibling." "there should
  // now be only two siblings" basho/riak_test, tests/sibling_explosion.erl, the test of that pull request.
  test('two clients that read, change and write in turn leave two siblings, which together hold every change', () => {
    let held = EMPTY_CONTAINER;
    const answers = [EMPTY_CONTAINER, EMPTY_CONTAINER];
    const union = (from: Container) => textsOf(from).flatMap((text) => text.split(','));
    for (let number = 0; number < 100; number++) {
      // Each client adds a number to the union of the sets that its own last write was answered with.
      const answer = answers[number % 2]!;
      const numbers = [...new Set([...union(answer), String(number)])];
      held = put(held, 'vnode', numbers.join(','), answer.context);
      answers[number % 2] = held;
      expect(held.versions.length).toBeLessThanOrEqual(2);
    }
    expect(held.versions).toHaveLength(2);
    const survivors = [...new Set(union(held))].map(Number).sort((a, b) => a - b);
    expect(survivors).toEqual(Array.from({ length: 100 }, (_, number) => number));
  });

  // "with DVVSet you have always 2 or 3 siblings."
  // Gonçalves: Dotted-Version-Vectors, README.md, "Real World with Riak", scenario 1.
  test('a client that writes and reads while another writes blindly leaves two or three siblings', () => {
    let held = EMPTY_CONTAINER;
    let context = EMPTY_VECTOR;
    for (let round = 1; round <= 101; round++) {
      held = put(held, 'A', `read before ${round}`, context);
      context = held.context;
      held = put(held, 'A', `blind ${round}`, EMPTY_VECTOR);
      expect(held.versions.length).toBe(round === 1 ? 2 : 3);
    }
    expect(textsOf(held)).toEqual(['blind 100', 'read before 101', 'blind 101']);
  });

  // The same sentence, scenario 2: the clients take turns, and each uses the context of its own last read.
  test('two clients that take turns with the contexts of their own last reads leave two siblings', () => {
    let held = EMPTY_CONTAINER;
    const contexts = [EMPTY_VECTOR, EMPTY_VECTOR];
    for (let turn = 0; turn < 202; turn++) {
      held = put(held, 'A', `v${turn}`, contexts[turn % 2]!);
      contexts[turn % 2] = held.context;
    }
    expect(textsOf(held)).toEqual(['v200', 'v201']);
  });

  test('the same clients at two replicas leave two siblings once the replicas have synced', () => {
    const replicas = [EMPTY_CONTAINER, EMPTY_CONTAINER];
    const contexts = [EMPTY_VECTOR, EMPTY_VECTOR];
    for (let turn = 0; turn < 100; turn++) {
      const client = turn % 2;
      const at = (turn >> 1) % 2;
      // A client's own context travels with it, so the replica it reaches need not have heard of its last write.
      replicas[at] = put(replicas[at]!, `server ${at}`, `v${turn}`, contexts[client]!);
      contexts[client] = join(contexts[client]!, replicas[at]!.context);
    }
    expect(textsOf(sync(replicas[0]!, replicas[1]!))).toEqual(['v98', 'v99']);
  });
});
