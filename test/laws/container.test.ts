// The laws of containers, on containers that replicas really come to hold.
//
// Random pairs (D, V) are mostly nonsense: a live dot that no context covers, two values under one dot. So each law is
// tried on filled containers collected from random histories, at any replica and at any moment, as messages that were
// delayed, repeated or reordered would bring them together.

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { adopt, type Container, EMPTY_CONTAINER, fill, strip, sync, update } from '../../src/clock/container.js';
import { compareDots, type Dot, formatDot } from '../../src/clock/dot.js';
import { registerReplaces } from '../../src/clock/register.js';
import { counterOf, covers, descends, EMPTY_VECTOR, join } from '../../src/clock/version-vector.js';
import { anyVector, shownContainer, shownVector, version } from '../support/clock-arbitraries.js';
import { anyHistory, type History, KEYS, run } from './history.js';

const anyKind = fc.oneof(anyHistory('register'), anyHistory('fields'));

/** Filled containers of one key that one history led to, drawn with repetition. */
function reachable(count: number): fc.Arbitrary<Container[]> {
  const choices = fc.array(fc.nat({ max: 9999 }), { minLength: count, maxLength: count });
  return fc.tuple(anyKind, choices).map(([history, picks]) => {
    const states = run(history).states.get(KEYS[0]!)!;
    return picks.map((pick) => states[pick % states.length]!);
  });
}

function shown(containers: readonly Container[]): unknown {
  return containers.map(shownContainer);
}

function names(dots: readonly Dot[]): Set<string> {
  return new Set(dots.map(formatDot));
}

describe('Syncing reachable containers', () => {
  test('gives the same from either side', () => {
    fc.assert(
      fc.property(reachable(2), ([a, b]) => {
        expect(shownContainer(sync(a!, b!))).toEqual(shownContainer(sync(b!, a!)));
      }),
      { numRuns: 1000 },
    );
  });

  test('gives the same however several are grouped', () => {
    fc.assert(
      fc.property(reachable(3), ([a, b, c]) => {
        expect(shownContainer(sync(sync(a!, b!), c!))).toEqual(shownContainer(sync(a!, sync(b!, c!))));
      }),
      { numRuns: 1000 },
    );
  });

  test('changes nothing the second time', () => {
    fc.assert(
      fc.property(reachable(2), ([a, b]) => {
        const merged = sync(a!, b!);
        expect(shownContainer(sync(a!, a!))).toEqual(shownContainer(a!));
        expect(shownContainer(sync(merged, a!))).toEqual(shownContainer(merged));
        expect(shownContainer(sync(b!, merged))).toEqual(shownContainer(merged));
      }),
      { numRuns: 200 },
    );
  });

  test('keeps what both hold, and what one holds and the other has never seen', () => {
    fc.assert(
      fc.property(reachable(2), ([a, b]) => {
        const [inA, inB] = [names(a!.versions), names(b!.versions)];
        const kept = [
          ...a!.versions.filter((each) => inB.has(formatDot(each)) || !covers(b!.context, each)),
          ...b!.versions.filter((each) => !inA.has(formatDot(each)) && !covers(a!.context, each)),
        ];
        expect(names(sync(a!, b!).versions)).toEqual(names(kept));
      }),
      { numRuns: 200 },
    );
  });

  test('knows exactly what the two sides know together', () => {
    fc.assert(
      fc.property(reachable(2), ([a, b]) => {
        expect(shownVector(sync(a!, b!).context)).toEqual(shownVector(join(a!.context, b!.context)));
      }),
      { numRuns: 100 },
    );
  });

  test('is spared, with the same outcome, where one side has never heard of the key', () => {
    fc.assert(
      fc.property(reachable(1), anyVector, anyVector, ([remote], known, more) => {
        const after = join(join(known, more), remote!.context);
        const synced = strip(sync(fill(EMPTY_CONTAINER, known), remote!), after);
        expect(shownContainer(adopt(remote!, known, after))).toEqual(shownContainer(synced));
        const stripped = strip(remote!, more);
        expect(shownContainer(adopt(stripped, known, join(known, more)))).toEqual(
          shownContainer(strip(sync(fill(EMPTY_CONTAINER, known), stripped), join(known, more))),
        );
      }),
      { numRuns: 1000 },
    );
  });

  test('leaves its arguments as they were', () => {
    fc.assert(
      fc.property(reachable(2), (pair) => {
        const before = shown(pair);
        sync(pair[0]!, pair[1]!);
        expect(shown(pair)).toEqual(before);
      }),
      { numRuns: 100 },
    );
  });
});

describe('Stripping and filling', () => {
  test('a stripped container filled with the same clock is the container filled with that clock', () => {
    fc.assert(
      fc.property(reachable(1), anyVector, ([held], clock) => {
        expect(shownContainer(fill(strip(held!, clock), clock))).toEqual(shownContainer(fill(held!, clock)));
      }),
      { numRuns: 200 },
    );
  });

  test('a container filled with a clock, stripped by it and filled again is what it was', () => {
    fc.assert(
      fc.property(reachable(1), anyVector, ([held], clock) => {
        const filled = fill(held!, clock);
        expect(shownContainer(fill(strip(filled, clock), clock))).toEqual(shownContainer(filled));
      }),
      { numRuns: 200 },
    );
  });

  test('a stripped container may be filled with any clock that descends from the one that stripped it', () => {
    fc.assert(
      fc.property(reachable(1), anyVector, anyVector, ([held], clock, growth) => {
        const later = join(clock, growth);
        expect(shownContainer(fill(strip(held!, clock), later))).toEqual(shownContainer(fill(held!, later)));
      }),
      { numRuns: 200 },
    );
  });

  test('stripping leaves in the context only what the clock does not cover', () => {
    fc.assert(
      fc.property(reachable(1), anyVector, ([held], clock) => {
        const left = [...held!.context].filter(([actor, counter]) => counter > counterOf(clock, actor));
        expect(shownVector(strip(held!, clock).context)).toEqual(shownVector(new Map(left)));
      }),
      { numRuns: 100 },
    );
  });

  test('neither of them touches a version', () => {
    fc.assert(
      fc.property(reachable(1), anyVector, ([held], clock) => {
        expect(strip(held!, clock).versions).toEqual(held!.versions);
        expect(fill(held!, clock).versions).toEqual(held!.versions);
      }),
      { numRuns: 100 },
    );
  });
});

describe('Writing to a reachable container', () => {
  test('replaces exactly the versions whose dots are in the context of its author', () => {
    fc.assert(
      fc.property(reachable(2), ([held, readElsewhere]) => {
        const seen = readElsewhere!.context;
        const fresh = version('writer.a', 1);
        const after = update(held!, fresh, seen, fresh, registerReplaces);
        const concurrent = held!.versions.filter((each) => each.counter > (seen.get(each.actor) ?? 0));
        expect(names(after.versions)).toEqual(names([...concurrent, fresh]));
      }),
      { numRuns: 200 },
    );
  });

  test('adds to what is past the context of its author and its own dot, and nothing else', () => {
    fc.assert(
      fc.property(reachable(2), fc.boolean(), ([held, readElsewhere], live) => {
        const seen = readElsewhere!.context;
        const fresh = version('writer.a', 1);
        const after = update(held!, fresh, seen, live ? fresh : undefined, registerReplaces);
        const past = join(join(held!.context, seen), new Map([[fresh.actor, fresh.counter]]));
        expect(shownVector(after.context)).toEqual(shownVector(past));
      }),
      { numRuns: 200 },
    );
  });

  test('wins over every container that its author has read, and loses to every one that has read it', () => {
    fc.assert(
      fc.property(reachable(1), ([held]) => {
        const first = version('writer.a', 1);
        const second = version('writer.b', 1);
        const after = update(held!, first, held!.context, first, registerReplaces);
        const last = update(after, second, after.context, second, registerReplaces);
        expect(shownContainer(sync(held!, after))).toEqual(shownContainer(after));
        expect(shownContainer(sync(sync(after, last), held!))).toEqual(shownContainer(last));
      }),
      { numRuns: 100 },
    );
  });
});

describe('After every operation', () => {
  /** Runs a history and counts the containers that break a rule, after any of its steps. */
  function countBroken(history: History, isBroken: (held: Container) => boolean): number {
    let broken = 0;
    run(history, (cluster, changed) => {
      for (const key of KEYS) if (isBroken(cluster.filled(changed, key))) broken++;
    });
    return broken;
  }

  test('the versions are in the order of their dots, and no dot is there twice', () => {
    fc.assert(
      fc.property(anyKind, (history) => {
        const isUnordered = ({ versions }: Container) =>
          versions.some((each, i) => i > 0 && compareDots(versions[i - 1]!, each) >= 0);
        expect(countBroken(history, isUnordered)).toBe(0);
      }),
      { numRuns: 200 },
    );
  });

  test('the context of a filled container covers its own versions', () => {
    fc.assert(
      fc.property(anyKind, (history) => {
        const isUncovered = ({ versions, context }: Container) => versions.some((each) => !covers(context, each));
        expect(countBroken(history, isUncovered)).toBe(0);
      }),
      { numRuns: 100 },
    );
  });

  test('the replica knows all that it knew before', () => {
    fc.assert(
      fc.property(anyKind, (history) => {
        const known = new Map<string, Container>();
        const forgotten: string[] = [];
        run(history, (cluster, changed) => {
          for (const key of KEYS) {
            const place = `${changed}/${key}`;
            const now = cluster.filled(changed, key);
            if (!descends(now.context, known.get(place)?.context ?? EMPTY_VECTOR)) forgotten.push(place);
            known.set(place, now);
          }
        });
        expect(forgotten).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });
});

// A law that holds because both sides are empty proves nothing. The bounds are far below what the generator does.
describe('The reachable containers', () => {
  test('often hold siblings, share versions, and replace versions of each other', () => {
    const pairs = fc.sample(reachable(2), 1000);
    const replaces = ([a, b]: Container[]) =>
      b!.versions.some((each) => !names(sync(a!, b!).versions).has(formatDot(each)));
    const shares = ([a, b]: Container[]) =>
      a !== b && a!.versions.some((each) => names(b!.versions).has(formatDot(each)));
    expect(pairs.filter((pair) => sync(pair[0]!, pair[1]!).versions.length > 1).length).toBeGreaterThan(100);
    expect(pairs.filter(shares).length).toBeGreaterThan(25);
    expect(pairs.filter(replaces).length).toBeGreaterThan(25);
  });
});
