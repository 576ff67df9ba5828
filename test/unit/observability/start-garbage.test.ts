import { expect, it } from '@jest/globals';
import { setTimeout as wait } from 'node:timers/promises';
import { collectStartGarbage } from '../../../src/observability/start-garbage.js';

it('collects what nobody holds any more, and nothing else', async () => {
  const held = { name: 'held' };
  const [kept, dropped] = [new WeakRef(held), new WeakRef({ name: 'dropped' })];
  // What a job has seen behind a weak reference stays until it ends.
  await wait(0);
  await collectStartGarbage();
  expect(dropped.deref()).toBeUndefined();
  expect(kept.deref()).toBe(held);
});
