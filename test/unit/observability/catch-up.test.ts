// For how long is a replica not ready that takes over all keys, when nobody sends any?

import { expect, test } from '@jest/globals';
import { CatchUp } from '../../../src/observability/catch-up.js';
import type { ReplicaDriver } from '../../../src/replication/replica-driver.js';
import { vector } from '../../support/clock-arbitraries.js';

/** A driver in the middle of a takeover: what a look at it sees. */
function takingOver() {
  const bootstrap: { through: string | undefined; from: string | undefined; attempt: number } = {
    through: undefined,
    from: 'n2',
    attempt: 1,
  };
  const progress = { isIntroduced: true, answered: true, caughtUpAt: vector({ 'n2.b': 9 }), bootstrap };
  const driver = { progress, standing: 'member', view: { clock: vector({}) }, peers: [] };
  return { bootstrap, catchUp: new CatchUp(driver as unknown as ReplicaDriver) };
}

test('A replica that is refused its keys again and again serves what it has, after sixteen looks', () => {
  const { bootstrap, catchUp } = takingOver();
  for (let look = 0; look <= 15; look++, bootstrap.attempt++) catchUp.look();
  expect(catchUp.isOver).toBe(false);
  catchUp.look();
  expect([catchUp.isOver, catchUp.detail]).toEqual([true, 'may be behind: 9 writes are missing, and nothing comes']);
});

test('one that gets them piece by piece is not ready before the last, however long that takes', () => {
  const { bootstrap, catchUp } = takingOver();
  for (let look = 0; look < 60; look++) {
    if (look % 10 === 0) bootstrap.through = `key ${look}`;
    catchUp.look();
  }
  expect(catchUp.isOver).toBe(false);
});
