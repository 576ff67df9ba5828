import { describe, expect, test } from '@jest/globals';
import { actorName, compareDots, formatDot } from '../../../src/clock/dot.js';
import { dot } from '../../support/clock-arbitraries.js';

describe('Dots in order', () => {
  test('go by actor first', () => {
    expect(compareDots(dot('n1.a', 9), dot('n2.a', 1))).toBeLessThan(0);
    expect(compareDots(dot('n2.a', 1), dot('n1.a', 9))).toBeGreaterThan(0);
  });

  test('go by counter within one actor, as numbers and not as text', () => {
    expect(compareDots(dot('n1.a', 9), dot('n1.a', 10))).toBeLessThan(0);
    expect(compareDots(dot('n1.a', 10), dot('n1.a', 9))).toBeGreaterThan(0);
  });

  test('keep two incarnations of one node apart', () => {
    expect(compareDots(dot('n1.a', 5), dot('n1.b', 5))).not.toBe(0);
  });

  test('are level only when they are the same dot', () => {
    expect(compareDots(dot('n1.a', 5), dot('n1.a', 5))).toBe(0);
  });
});

describe('A dot as text', () => {
  test('is the actor, a colon, and the counter', () => {
    expect(formatDot(dot('n1.3f9c', 42))).toBe('n1.3f9c:42');
  });

  test('writes the greatest counter in full', () => {
    expect(formatDot(dot('n1.a', Number.MAX_SAFE_INTEGER))).toBe('n1.a:9007199254740991');
  });
});

describe('The name of an actor', () => {
  test('is what stands before the incarnation', () => {
    expect(actorName('n1.3f9c')).toBe('n1');
  });

  test('ends at the first dot, because names hold none', () => {
    expect(actorName('n1.3f9c.extra')).toBe('n1');
  });

  test('is the whole actor when there is no incarnation', () => {
    expect(actorName('n1')).toBe('n1');
  });
});

describe('As the papers define it', () => {
  // "the `(A, 3)` Dot only represents the event 3 by A, and nothing else (like event 1 and 2 by A)"
  // Gonçalves: Dotted-Version-Vectors, README.md, "The Origin: Dotted Version Vectors (DVV)".
  test('a dot stands for one event, and not for the earlier ones of its actor', () => {
    const third = dot('A.1', 3);
    expect([1, 2, 3, 4].filter((counter) => compareDots(third, dot('A.1', counter)) === 0)).toEqual([3]);
  });
});
