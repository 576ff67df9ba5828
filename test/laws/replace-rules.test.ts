// What is true of counters, sets and maps however their operations race? Random replicas take random operations and merge
// with each other at random, and what they come to is held against a plain account of the operations.

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { EMPTY_CONTAINER, sync, updateAll, type Container, type Version } from '../../src/clock/container.js';
import { counterReplaces, encodeSum, isSum, sumOf } from '../../src/clock/counter.js';
import { mapReplaces } from '../../src/clock/map.js';
import { setReplaces } from '../../src/clock/set.js';
import { counterOf } from '../../src/clock/version-vector.js';
import { shownContainer, utf8 } from '../support/clock-arbitraries.js';

const REPLICAS = ['n1.a', 'n2.b', 'n3.c'];
const PARTS = ['x', 'y'];

const anyReplica = fc.nat({ max: REPLICAS.length - 1 });
const anyMerge = fc.record({ kind: fc.constant('merge' as const), at: anyReplica, from: anyReplica });

class Replicas {
  readonly states: Container[] = REPLICAS.map(() => EMPTY_CONTAINER);

  merge(at: number, from: number): void {
    this.states[at] = sync(this.states[at]!, this.states[from]!);
  }

  /** One event of one replica, which has seen all that it holds. */
  write(
    at: number,
    content: Pick<Version, 'type' | 'part' | 'value'> | undefined,
    replaces: (version: Version) => boolean,
  ): Version | undefined {
    const held = this.states[at]!;
    const actor = REPLICAS[at]!;
    const dot = { actor, counter: counterOf(held.context, actor) + 1 };
    const made = content && { ...dot, stamp: 0, ...content, contentType: '', deadlineMs: undefined };
    this.states[at] = updateAll(
      held,
      dot,
      { vector: held.context, dot: undefined },
      made === undefined ? [] : [made],
      replaces,
    );
    return made;
  }

  /** What all of them come to. */
  get together(): Container {
    return this.states.reduce(sync);
  }
}

describe('A counter', () => {
  const anyAdd = fc.record({
    kind: fc.constant('add' as const),
    at: anyReplica,
    amount: fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }),
  });

  function add(replicas: Replicas, at: number, amount: bigint): void {
    const replaces = counterReplaces(REPLICAS[at]!);
    const sum = sumOf(replicas.states[at]!.versions.filter(replaces)) + amount;
    replicas.write(at, { type: 'counter', part: '', value: encodeSum(sum) }, replaces);
  }

  test('is the sum of all additions, however they race and however often replicas merge', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(anyAdd, anyMerge)), (events) => {
        const replicas = new Replicas();
        for (const event of events) {
          if (event.kind === 'merge') replicas.merge(event.at, event.from);
          else add(replicas, event.at, event.amount);
        }
        const added = events.reduce((sum, event) => (event.kind === 'add' ? sum + event.amount : sum), 0n);
        expect(sumOf(replicas.together.versions)).toBe(added);
      }),
    );
  });

  test('has one version for each replica that has added to it, and no more', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(anyAdd, anyMerge)), (events) => {
        const replicas = new Replicas();
        for (const event of events) {
          if (event.kind === 'merge') replicas.merge(event.at, event.from);
          else add(replicas, event.at, event.amount);
        }
        const adders = new Set(events.flatMap((event) => (event.kind === 'add' ? [event.at] : [])));
        expect(replicas.together.versions).toHaveLength(adders.size);
      }),
    );
  });

  test('keeps numbers of up to 64 digits in one form, and takes no other bytes for a number', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 64n) + 1n, max: 10n ** 64n - 1n }), (sum) => {
        expect(isSum(encodeSum(sum))).toBe(true);
      }),
    );
    for (const text of ['', '-', '-0', '00', '01', '+1', '1.5', '1e3', ' 1', '0x1', '١', `1${'0'.repeat(64)}`]) {
      expect([text, isSum(utf8(text))]).toEqual([text, false]);
    }
  });
});

describe('A set', () => {
  const anyChange = fc.record({
    kind: fc.constantFrom('add' as const, 'remove' as const),
    at: anyReplica,
    part: fc.constantFrom(...PARTS),
  });

  test('has an element when an add of it was seen by no removal: adds win', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(anyChange, anyMerge)), (events) => {
        const replicas = new Replicas();
        // By plain sets: which adds each replica knows, and which of them some removal or later add has seen.
        const known = REPLICAS.map(() => new Set<string>());
        const gone = REPLICAS.map(() => new Set<string>());
        for (const event of events) {
          const { at } = event;
          if (event.kind === 'merge') {
            replicas.merge(at, event.from);
            for (const each of known[event.from]!) known[at]!.add(each);
            for (const each of gone[event.from]!) gone[at]!.add(each);
            continue;
          }
          const { part } = event;
          const replaces = setReplaces(new Set([part]));
          for (const each of known[at]!) if (each.startsWith(`${part} `)) gone[at]!.add(each);
          const content = event.kind === 'add' ? { type: 'set' as const, part, value: new Uint8Array(0) } : undefined;
          const made = replicas.write(at, content, replaces);
          if (made !== undefined) known[at]!.add(`${part} ${made.actor}:${made.counter}`);
        }
        const allGone = new Set(gone.flatMap((each) => [...each]));
        const left = new Set(known.flatMap((each) => [...each]).filter((each) => !allGone.has(each)));
        const expected = [...new Set([...left].map((each) => each.split(' ')[0]))].sort();
        const elements = replicas.together.versions.map(({ part }) => part);
        expect([...new Set(elements)].sort()).toEqual(expected);
      }),
    );
  });
});

describe('A map', () => {
  test('keeps its fields apart: what is done to one is as if there were no other', () => {
    const anyChange = fc.record({
      kind: fc.constantFrom('put' as const, 'remove' as const),
      at: anyReplica,
      part: fc.constantFrom(...PARTS),
    });
    fc.assert(
      fc.property(fc.array(fc.oneof(anyChange, anyMerge)), fc.constantFrom(...PARTS), (events, field) => {
        const whole = new Replicas();
        const alone = new Replicas();
        for (const event of events) {
          if (event.kind === 'merge') {
            whole.merge(event.at, event.from);
            alone.merge(event.at, event.from);
            continue;
          }
          const { at, kind, part } = event;
          const replaces = mapReplaces(new Set([part]));
          const content = kind === 'put' ? { type: 'map' as const, part, value: utf8('1') } : undefined;
          whole.write(at, content, replaces);
          // The same dots, so that the two can be compared; other fields are not there.
          alone.write(at, part === field ? content : undefined, part === field ? replaces : () => false);
        }
        const ofField = whole.together.versions.filter(({ part }) => part === field);
        expect(shownContainer({ ...whole.together, versions: ofField })).toEqual(shownContainer(alone.together));
      }),
    );
  });
});

describe('Every type', () => {
  test('leaves the versions of others alone', () => {
    const versions: readonly Version[] = (['register', 'counter', 'set', 'map'] as const).map((type, place) => ({
      ...{ actor: 'n1.a', counter: place + 1, stamp: 0, type, part: 'x', contentType: '' },
      value: utf8('1'),
      deadlineMs: undefined,
    }));
    const rules = {
      counter: counterReplaces('n1.a'),
      set: setReplaces(new Set(['x'])),
      map: mapReplaces(new Set(['x'])),
    };
    for (const [type, replaces] of Object.entries(rules)) {
      expect(versions.filter(replaces).map((version) => version.type)).toEqual([type]);
    }
  });
});
