// When does a replica take a damaged record for repaired, and when a disagreement for settled?

import { describe, expect, test } from '@jest/globals';
import { EMPTY_CONTAINER, fill, sync, type Container, type Version } from '../../../src/clock/container.js';
import type { Input } from '../../../src/replication/engine/input.js';
import type { Output } from '../../../src/replication/engine/output.js';
import { Replica } from '../../../src/replication/engine/replica.js';
import { sumOf } from '../../../src/clock/counter.js';
import { EMPTY_VECTOR } from '../../../src/clock/version-vector.js';
import { utf8, vector, version } from '../../support/clock-arbitraries.js';
import { identityOf, loadedState, toldBy } from '../../support/engine-parts.js';

const WALL_MS = 1_700_000_000_000;
const KEY = 'key';

class Damaged extends Error {}

/** n1, which knows `clock` and whose record of the key is `stored`, or damaged; n2 and n3 are there. */
function replicaOf(clock: Record<string, number>, stored: Container | (() => Container | undefined) | undefined) {
  const replica = new Replica(identityOf(['n2', 'n3']), loadedState({ clock: vector(clock) }));
  const step = (input: Input): Output =>
    replica.step(input, {
      requested: () => undefined,
      container: () => {
        const container = typeof stored === 'function' ? stored() : stored;
        if (container === undefined) throw new Damaged();
        return container;
      },
    });
  for (const from of ['n2', 'n3']) {
    const answer = { kind: 'clock', ...toldBy(from, clock) } as const;
    step({ kind: 'peer-answer', from, to: 'compare', answer, wallMs: WALL_MS });
  }
  return { replica, step };
}

function versionOf(actor: string, counter: number): Version {
  return version(actor, counter, `${actor}:${counter}`, counter);
}

function partOf(actor: string, counter: number, sum: string): Version {
  return { ...versionOf(actor, counter), type: 'counter', contentType: '', value: utf8(sum) };
}

function told(from: string, clock: Record<string, number>, versions: readonly Version[] | undefined): Input {
  const containers = new Map<string, Container>();
  if (versions !== undefined) containers.set(KEY, { versions, context: EMPTY_VECTOR });
  const answer = {
    kind: 'batch',
    batch: { clock: vector(clock), ranges: [], containers, exact: undefined, past: vector({}) },
    next: undefined,
  } as const;
  return { kind: 'peer-answer', from, to: 'fetch', answer, wallMs: WALL_MS };
}

const DAMAGED: Input = { kind: 'damaged', key: KEY, versions: undefined, isContextKnown: false };

describe('a damaged record', () => {
  test('is asked for from every peer, and reported once', () => {
    const { step } = replicaOf({ 'n2.a': 3 }, undefined);
    expect(step(DAMAGED).observations).toEqual([{ kind: 'damaged', key: KEY }]);
    expect(step({ kind: 'tick' }).sends.filter(({ kind }) => kind === 'fetch')).toEqual([
      { to: 'n2', kind: 'fetch', keys: [KEY] },
      { to: 'n3', kind: 'fetch', keys: [KEY] },
    ]);
    expect(step(DAMAGED)).toMatchObject({ sends: [], observations: [] });
  });

  test('is stored once the answers together cover what was known', () => {
    const { step } = replicaOf({ 'n2.a': 3, 'n3.a': 2 }, undefined);
    step(DAMAGED);
    step({ kind: 'tick' });
    expect(step(told('n2', { 'n2.a': 3 }, [versionOf('n2.a', 3)])).writes.containers).toEqual([]);
    const { writes, observations } = step(told('n3', { 'n3.a': 2 }, [versionOf('n3.a', 1)]));
    const versions = [versionOf('n2.a', 3), versionOf('n3.a', 1)];
    expect(writes.containers).toEqual([[KEY, { versions, context: EMPTY_VECTOR }]]);
    expect(observations).toEqual([{ kind: 'repaired', key: KEY, isWhole: true }]);
  });

  test('keeps what the answers know beyond this replica', () => {
    const { step } = replicaOf({ 'n2.a': 3 }, undefined);
    step(DAMAGED);
    step({ kind: 'tick' });
    const { writes } = step(told('n2', { 'n2.a': 5 }, [versionOf('n2.a', 5)]));
    expect(writes.containers).toEqual([[KEY, { versions: [versionOf('n2.a', 5)], context: vector({ 'n2.a': 5 }) }]]);
  });

  test('is written from memory where its versions are known all the same', () => {
    const { replica, step } = replicaOf({ 'n2.a': 3 }, undefined);
    const versions = [versionOf('n2.a', 3)];
    const { writes, sends } = step({ kind: 'damaged', key: KEY, versions, isContextKnown: true });
    expect(writes.containers).toEqual([[KEY, { versions, context: EMPTY_VECTOR }]]);
    expect(sends).toEqual([]);
    expect(replica.damaged.size).toBe(0);
  });

  test('is not written from memory while its context is damaged too: it may have seen more than its versions', () => {
    const { replica, step } = replicaOf({ 'n2.a': 3 }, undefined);
    const versions = [versionOf('n2.a', 3)];
    expect(step({ kind: 'damaged', key: KEY, versions, isContextKnown: false }).writes.containers).toEqual([]);
    expect([...replica.damaged.keys()]).toEqual([KEY]);
    step({ kind: 'tick' });
    const { writes } = step(told('n2', { 'n2.a': 5 }, []));
    expect(writes.containers).toEqual([[KEY, { versions: [], context: vector({ 'n2.a': 5 }) }]]);
  });

  test('is asked for once a tick, however many others turn out to be damaged meanwhile', () => {
    const { step } = replicaOf({ 'n1.a': 1, 'n2.a': 3 }, undefined);
    step(DAMAGED);
    const asked: string[] = [];
    for (let other = 0; other < 20; other++) {
      const { sends } = step({ kind: 'damaged', key: `other-${other}`, versions: undefined, isContextKnown: false });
      asked.push(...sends.map(({ kind }) => kind), ...step(told('n2', {}, [])).sends.map(({ kind }) => kind));
    }
    expect(asked).toEqual([]);
  });

  test('is damaged no more once the key was written: what it was is not stored over that', () => {
    const disk: { record?: Container } = {};
    const { replica, step } = replicaOf({ 'n2.a': 3 }, () => disk.record);
    step(DAMAGED);
    step({ kind: 'tick' });
    // It can be read after all: it was the memory that had lost a bit, not the disk.
    disk.record = { versions: [versionOf('n2.a', 3)], context: EMPTY_VECTOR };
    const operation = { kind: 'put', contentType: '', value: utf8('new'), ttlMs: undefined } as const;
    const write = { kind: 'write', id: 1, key: KEY, operation, context: undefined, precondition: undefined } as const;
    step({ ...write, acksNeeded: 1, wallMs: WALL_MS });
    expect(replica.damaged.size).toBe(0);
    expect(step(told('n2', { 'n2.a': 3 }, [versionOf('n2.a', 3)])).writes.containers).toEqual([]);
  });

  test('tells of lost writes of this replica by what others know beside it: it goes on as another actor', () => {
    const { step } = replicaOf({ 'n1.a': 5, 'n2.a': 3 }, undefined);
    step(DAMAGED);
    step({ kind: 'tick' });
    const container = { versions: [versionOf('n2.a', 3)], context: vector({ 'n1.a': 9 }) };
    const batch = { clock: vector({ 'n1.a': 5, 'n2.a': 3 }), ranges: [], exact: undefined, past: EMPTY_VECTOR };
    const answer = {
      kind: 'batch',
      batch: { ...batch, containers: new Map([[KEY, container]]) },
      next: undefined,
    } as const;
    const { observations } = step({ kind: 'peer-answer', from: 'n2', to: 'fetch', answer, wallMs: WALL_MS });
    expect(observations).toContainEqual({ kind: 'new-incarnation', actor: 'n1.b', retired: 'n1.a' });
  });

  test('of a counter is written anew without the parts of others: they would count twice beside what became of them', () => {
    const { step } = replicaOf({ 'n1.a': 1, 'n2.a': 5 }, undefined);
    step(DAMAGED);
    step({ kind: 'tick' });
    const theirs = partOf('n2.a', 5, '1000');
    const outputs = Array.from({ length: 10 }, () => {
      step({ kind: 'tick' });
      return [step(told('n2', { 'n2.a': 5 }, [theirs])), step(told('n3', { 'n2.a': 5 }, [theirs]))];
    }).flat();
    const [key, anew] = outputs.flatMap(({ writes }) => writes.containers)[0]!;
    expect([key, sumOf(anew.versions)]).toEqual([KEY, 1000n]);
    const added = { versions: [partOf('n2.a', 6, '1001')], context: vector({ 'n2.a': 6 }) };
    expect(sumOf(sync(fill(anew, vector({ 'n1.a': 2, 'n2.a': 5 })), added).versions)).toBe(1001n);
  });

  test('does not keep keys waiting that replicas disagree about', () => {
    const { step } = replicaOf({ 'n1.a': 1 }, undefined);
    for (let place = 0; place < 200; place++) {
      step({ kind: 'damaged', key: `lost-${place}`, versions: undefined, isContextKnown: false });
    }
    step({ kind: 'suspected', keys: ['suspected'] });
    const fetch = step({ kind: 'tick' }).sends.find(({ kind }) => kind === 'fetch') as { keys: readonly string[] };
    expect(fetch.keys).toHaveLength(100);
    expect(fetch.keys).toContain('suspected');
  });

  test('is waited for as long as one member has not answered', () => {
    const { replica, step } = replicaOf({ 'n1.a': 1, 'n2.a': 3 }, undefined);
    step(DAMAGED);
    step({ kind: 'tick' });
    for (let round = 0; round < 30; round++) {
      step(told('n2', { 'n2.a': 3 }, [versionOf('n2.a', 3)]));
      step({ kind: 'peer-failure', from: 'n3', to: 'fetch', wasAnswered: false });
      step({ kind: 'tick' });
    }
    expect([...replica.damaged.keys()]).toEqual([KEY]);
  });

  test('is waited for anew when a member was away, or has another disk: what it said before was of then', () => {
    for (const [interruption, actor] of [
      [{ kind: 'peer-failure', from: 'n2', to: 'compare', wasAnswered: false }, 'n2.b'],
      [{ kind: 'tick' }, 'n2.c'],
    ] as const) {
      const { replica, step } = replicaOf({ 'n1.a': 1, 'n2.a': 3 }, undefined);
      step(DAMAGED);
      const answered = (from: string, rounds: number): void => {
        for (let round = 0; round < rounds; round++) {
          step({ kind: 'tick' });
          step(told(from, {}, undefined));
        }
      };
      answered('n2', 10);
      step(interruption);
      const back = { kind: 'clock', ...toldBy('n2', { 'n2.a': 3 }, { actor }) } as const;
      step({ kind: 'peer-answer', from: 'n2', to: 'compare', answer: back, wallMs: WALL_MS });
      answered('n3', 10);
      expect([...replica.damaged.keys()]).toEqual([KEY]);
      answered('n2', 10);
      expect([...replica.damaged.keys()]).toEqual([]);
    }
  });

  test('is written anew, and said to lack something, when no member has what is missing', () => {
    const { replica, step } = replicaOf({ 'n1.a': 1, 'n2.a': 3 }, undefined);
    step(DAMAGED);
    step({ kind: 'tick' });
    const outputs: Output[] = [];
    for (let round = 0; round < 10; round++) {
      outputs.push(step(told('n2', { 'n2.a': 3 }, [versionOf('n2.a', 3)])), step(told('n3', {}, undefined)));
      step({ kind: 'tick' });
    }
    const last = outputs.pop()!;
    expect(outputs.flatMap(({ writes }) => writes.containers)).toEqual([]);
    expect(last.observations).toEqual([{ kind: 'repaired', key: KEY, isWhole: false }]);
    const [[, stored]] = last.writes.containers as [[string, Container]];
    expect(stored.versions).toMatchObject([{ actor: 'n1.a', counter: 2, value: utf8('n2.a:3') }]);
    expect(last.writes.log).toEqual([{ actor: 'n1.a', counter: 2, key: KEY }]);
    expect(replica.clock.get('n1.a')).toBe(2);
  });
});

describe('a key in which replicas differ that know the same', () => {
  const clock = { 'n2.a': 3, 'n3.a': 2 };
  const [two, three] = [versionOf('n2.a', 3), versionOf('n3.a', 2)];

  function settled(mine: readonly Version[], ...others: readonly (readonly Version[])[]): Output {
    const stored = mine.length === 0 ? EMPTY_CONTAINER : { versions: mine, context: EMPTY_VECTOR };
    const { step } = replicaOf(clock, stored);
    step({ kind: 'suspected', keys: [KEY] });
    const outputs = others.map((versions, place) => step(told(`n${place + 2}`, clock, versions)));
    return outputs.at(-1)!;
  }

  test('is as most replicas have it', () => {
    const { writes, observations } = settled([], [two], [two]);
    expect(writes.containers).toEqual([[KEY, { versions: [two], context: EMPTY_VECTOR }]]);
    expect(observations).toEqual([{ kind: 'disagreement-settled', key: KEY, wasRight: false }]);
    expect(settled([two], [], []).writes.containers).toEqual([[KEY, EMPTY_CONTAINER]]);
  });

  test('is written again where this replica has it right in memory: its disk has not', () => {
    const { writes, observations } = settled([two], [two], []);
    expect(writes.containers).toEqual([[KEY, { versions: [two], context: EMPTY_VECTOR }]]);
    expect(observations).toEqual([{ kind: 'disagreement-settled', key: KEY, wasRight: true }]);
  });

  test('keeps every version that anybody holds when no state has a majority', () => {
    const { writes } = settled([], [two], [three]);
    expect(writes.containers).toEqual([[KEY, { versions: [two, three], context: EMPTY_VECTOR }]]);
  });

  test('keeps of each actor the last part of a sum that anybody holds: it has the earlier ones in it', () => {
    const [earlier, later] = [partOf('n2.a', 2, '1000'), partOf('n2.a', 3, '1001')];
    const other = partOf('n3.a', 2, '5');
    const { writes } = settled([], [earlier, other], [later]);
    expect(writes.containers).toEqual([[KEY, { versions: [later, other], context: EMPTY_VECTOR }]]);
  });

  test('is left alone by the vote of a replica that knows something else', () => {
    const { step } = replicaOf(clock, { versions: [two], context: EMPTY_VECTOR });
    step({ kind: 'suspected', keys: [KEY] });
    step(told('n2', clock, []));
    expect(step(told('n3', { 'n2.a': 4, 'n3.a': 2 }, [])).writes.containers).toEqual([]);
  });
});
