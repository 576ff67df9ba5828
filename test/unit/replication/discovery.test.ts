// How often is a name service asked, and what if it does not answer?

import { describe, expect, test } from '@jest/globals';
import { NO_MEMBERS, type Members } from '../../../src/clock/membership.js';
import { Discovery } from '../../../src/replication/discovery.js';

const FOUND: Members = new Map([['n2', { url: 'http://n2', version: 0 }]]);

const OTHERS: Members = new Map([['n3', { url: 'http://n3', version: 0 }]]);

function discoveryOf(answers: (Members | Error)[]) {
  const told: unknown[] = [];
  let next: (() => void) | undefined;
  const time = {
    nowMs: () => 0,
    after: (_delayMs: number, action: () => void) => {
      next = action;
      return () => (next = undefined);
    },
  };
  const shell = {
    find: () => {
      const answer = answers.shift() ?? NO_MEMBERS;
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
    found: (members: Members) => told.push([...members.keys()]),
    failed: ({ message }: Error) => told.push(message),
  };
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return {
    told,
    discovery: new Discovery(shell, time),
    settled,
    isWaiting: () => next !== undefined,
    later: (): Promise<void> => {
      next?.();
      return settled();
    },
  };
}

describe('Members are looked for', () => {
  test('at once, and again and again', async () => {
    const { discovery, told, settled, later } = discoveryOf([FOUND, OTHERS]);
    discovery.start();
    await settled();
    await later();
    expect(told).toEqual([['n2'], ['n3']]);
  });

  test('also when nobody answers, which is told once for each time that it begins', async () => {
    const { discovery, told, settled, later } = discoveryOf([new Error('1'), new Error('2'), FOUND, new Error('3')]);
    discovery.start();
    await settled();
    for (let round = 0; round < 3; round++) await later();
    expect(told).toEqual(['1', ['n2'], '3']);
  });

  test('also when nobody is listed, which is told once: a name service lists the node itself', async () => {
    const { discovery, told, settled, later } = discoveryOf([NO_MEMBERS, NO_MEMBERS, FOUND]);
    discovery.start();
    await settled();
    for (let round = 0; round < 2; round++) await later();
    expect(told).toEqual(['nobody is listed, not even this node', ['n2']]);
  });

  test('never without a name service to ask', () => {
    const time = {
      nowMs: () => 0,
      after: () => {
        throw new Error('it waits for something');
      },
    };
    new Discovery({ find: undefined, found: () => {}, failed: () => {} }, time).start();
  });

  test('no more once stopped, whatever is on its way', async () => {
    const { discovery, told, settled, isWaiting } = discoveryOf([FOUND]);
    discovery.start();
    discovery.stop();
    await settled();
    expect([told, isWaiting()]).toEqual([[], false]);
  });
});
