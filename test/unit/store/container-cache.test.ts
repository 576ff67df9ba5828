import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { EMPTY_CONTAINER, type Container } from '../../../src/clock/container.js';
import { ContainerCache } from '../../../src/store/container-cache.js';
import { container, shownContainer, textsOf, vector, version } from '../../support/clock-arbitraries.js';
import { anyVersionOf } from '../../support/version-arbitraries.js';

const anyDot = fc.record({
  actor: fc.constantFrom('n1.a', 'n10.a', 'n2.b'),
  counter: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
});

const anyContext = fc
  .dictionary(fc.constantFrom('n1.a', 'n3.c'), fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }))
  .map((entries) => new Map(Object.entries(entries)));

/** As plain objects. */
function shown(found: Container | undefined) {
  const versions = found?.versions.map((each) => ({ ...each, value: [...each.value] }));
  return found && { versions, context: [...found.context] };
}

const one = container([version('n1.a', 1)], vector({ 'n2.b': 3 }));
const other = container([version('n1.a', 2)], vector({}));

describe('a cache of containers', () => {
  it('gives back what was put in, of every type', () => {
    fc.assert(
      fc.property(
        fc.array(anyVersionOf(anyDot), { minLength: 1 }),
        anyContext,
        fc.nat(),
        (versions, context, commit) => {
          const cache = new ContainerCache();
          cache.set('key', { versions, context }, commit);
          expect(shown(cache.get('key'))).toEqual(shown({ versions, context }));
          expect(shown(cache.asOf('key', commit))).toEqual(shown({ versions, context }));
        },
      ),
    );
  });

  it('shows a view of an earlier commit nothing that is newer', () => {
    const cache = new ContainerCache();
    cache.set('key', one, 5);
    expect(cache.asOf('key', 4)).toBeUndefined();
    expect(shownContainer(cache.asOf('key', 6)!)).toEqual(shownContainer(one));
    cache.set('key', other, 7);
    expect(cache.asOf('key', 6)).toBeUndefined();
    expect(textsOf(cache.get('key')!)).toEqual(textsOf(other));
  });

  it('gives a key another context, and leaves its versions', () => {
    const cache = new ContainerCache();
    cache.set('key', one, 1);
    cache.setContext('key', vector({ 'n3.c': 9 }), 2);
    expect(shownContainer(cache.get('key')!)).toEqual({ ...shownContainer(one), context: [['n3.c', 9]] });
    expect(cache.asOf('key', 1)).toBeUndefined();
    cache.setContext('absent', vector({ 'n3.c': 9 }), 2);
    expect(cache.has('absent')).toBe(false);
  });

  it('forgets a key of which nothing is left', () => {
    const cache = new ContainerCache();
    cache.set('key', one, 1);
    cache.set('key', EMPTY_CONTAINER, 2);
    expect([cache.has('key'), cache.get('key')]).toEqual([false, undefined]);
  });

  it('takes one that it has given out', () => {
    const cache = new ContainerCache();
    cache.set('key', one, 1);
    cache.set('copy', cache.get('key')!, 1);
    expect(shownContainer(cache.get('copy')!)).toEqual(shownContainer(one));
  });

  it('is not spoilt by one that cannot be written', () => {
    const cache = new ContainerCache();
    expect(() => cache.set('key', container([{ ...version('n1.a', 1), counter: -1 }], vector({})), 1)).toThrow(
      RangeError,
    );
    cache.set('key', one, 1);
    expect(shownContainer(cache.get('key')!)).toEqual(shownContainer(one));
  });
});
