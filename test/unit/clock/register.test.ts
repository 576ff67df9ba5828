import { describe, expect, test } from '@jest/globals';
import { update } from '../../../src/clock/container.js';
import { registerReplaces } from '../../../src/clock/register.js';
import { container, dot, textsOf, vector, version } from '../../support/clock-arbitraries.js';

describe('A register', () => {
  test('is replaced whole, whatever its versions hold', () => {
    const held = [version('a', 1, 'text'), version('b', 1, ''), version('c', 1, '{"field":1}')];
    expect(held.every(registerReplaces)).toBe(true);
  });

  test('after a put holds the new value and what its author had not seen', () => {
    const held = container([version('a', 1, 'seen'), version('b', 1, 'raced')], vector({ a: 1, b: 1 }));
    const put = version('a', 2, 'new');
    expect(textsOf(update(held, put, vector({ a: 1 }), put, registerReplaces))).toEqual(['new', 'raced']);
  });

  test('after a delete holds what its author had not seen', () => {
    const held = container([version('a', 1, 'seen'), version('b', 1, 'raced')], vector({ a: 1, b: 1 }));
    expect(textsOf(update(held, dot('a', 2), vector({ a: 1 }), undefined, registerReplaces))).toEqual(['raced']);
  });
});
