// For how long is a replica not ready that takes over all keys, when nobody sends any? And one that is refused?

import { describe, expect, test } from '@jest/globals';
import type { VersionVector } from '../../../src/clock/version-vector.js';
import { CatchUp } from '../../../src/observability/catch-up.js';
import type { Standing } from '../../../src/replication/engine/members.js';
import type { ReplicaDriver } from '../../../src/replication/replica-driver.js';
import type { Room } from '../../../src/replication/room.port.js';
import { vector } from '../../support/clock-arbitraries.js';

/** A driver in the middle of a takeover: what a look at it sees. */
function takingOver({
  standing = 'member',
  room = { isNearlyFull: false },
  clock = vector({}),
}: { standing?: Standing; room?: Room; clock?: VersionVector } = {}) {
  const bootstrap: { through: string | undefined; from: string | undefined; attempt: number } = {
    through: undefined,
    from: 'n2',
    attempt: 1,
  };
  const progress = { isIntroduced: true, answered: true, caughtUpAt: vector({ 'n2.b': 9 }), bootstrap };
  const driver = { progress, standing, view: { clock }, peers: [] };
  const log = { refusalOf: () => undefined, isAbsent: () => false };
  return { bootstrap, catchUp: new CatchUp(driver as unknown as ReplicaDriver, log, room) };
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

test.each<Standing>(['joining', 'member'])(
  'one (%s) that has nothing, and no room for them, is not ready until there is',
  (standing) => {
    const room = { isNearlyFull: true };
    const { catchUp } = takingOver({ standing, room });
    for (let look = 0; look < 60; look++) catchUp.look();
    expect([catchUp.isOver, catchUp.detail]).toEqual([false, '9 writes are missing, and the disk is nearly full']);
    room.isNearlyFull = false;
    for (let look = 0; look <= 16; look++) catchUp.look();
    expect(catchUp.isOver).toBe(true);
  },
);

test('one that has some of them serves what it has, though it has no room', () => {
  const { catchUp } = takingOver({ room: { isNearlyFull: true }, clock: vector({ 'n3.c': 1 }) });
  for (let look = 0; look <= 16; look++) catchUp.look();
  expect(catchUp.isOver).toBe(true);
});

describe('A replica that every peer has refused or left without an answer', () => {
  interface Start {
    readonly refusals?: Readonly<Record<string, string>>;
    readonly absent?: readonly string[];
    readonly clock?: VersionVector;
    readonly standing?: Standing;
  }

  /** Its peers are n1 and n2. */
  function started({ refusals = {}, absent = [], clock = vector({}), standing = 'joining' }: Start) {
    const [n1, n2] = ['n1', 'n2'].map((name) => ({ name, hasAnswered: false, clock: undefined as unknown }));
    const progress = { isIntroduced: true, answered: false, caughtUpAt: clock, bootstrap: undefined };
    const driver = { progress, standing, view: { clock }, peers: [n1, n2] };
    const reasons = new Map(Object.entries(refusals));
    const log = { refusalOf: (peer: string) => reasons.get(peer), isAbsent: (peer: string) => absent.includes(peer) };
    const catchUp = new CatchUp(driver as unknown as ReplicaDriver, log, { isNearlyFull: false });
    return {
      catchUp,
      /** One takes it in after all. */
      answer: (known: VersionVector, name = 'n1'): void => {
        Object.assign(name === 'n1' ? n1! : n2!, { hasAnswered: true, clock: known });
        progress.answered = true;
      },
      comesTo: (known: VersionVector): void => void (driver.view = { clock: known }),
      becomes: (other: Standing): void => void (driver.standing = other),
    };
  }

  const refusals = { n1: 'the secret is another one' };
  const refused = 'refused by n1: the secret is another one';

  test('is not ready with a new disk, however long that lasts, and says who refuses and why', () => {
    const { catchUp } = started({ refusals });
    for (let look = 0; look < 60; look++) catchUp.look();
    expect([catchUp.isOver, catchUp.detail]).toEqual([false, refused]);
  });

  test('is ready with what it has, and says it too', () => {
    const { catchUp } = started({ refusals, clock: vector({ 'n3.a': 1 }) });
    expect([catchUp.isOver, catchUp.detail]).toEqual([true, `may be behind: ${refused}`]);
  });

  test('is ready as a member of a cluster that has no keys yet: its upgrade goes on', () => {
    const { catchUp } = started({ refusals, standing: 'member' });
    expect([catchUp.isOver, catchUp.detail]).toEqual([true, `may be behind: ${refused}`]);
  });

  test('waits with a new disk for those that are silent, but not for ever', () => {
    const { catchUp } = started({});
    for (let look = 0; look < 15; look++) catchUp.look();
    expect([catchUp.isOver, catchUp.detail]).toEqual([false, 'asking the peers what they know']);
    catchUp.look();
    expect([catchUp.isOver, catchUp.detail]).toEqual([true, 'may be behind: no peer has answered']);
  });

  test('is ready at once with a new disk when nobody is there, for that is no silence', () => {
    const { catchUp } = started({ absent: ['n1', 'n2'] });
    expect([catchUp.isOver, catchUp.detail]).toEqual([true, 'may be behind: no peer has answered']);
    expect(started({ absent: ['n1'] }).catchUp.isOver).toBe(false);
  });

  test('waits with a new disk for those that the name service lists late as for others', () => {
    const { catchUp, becomes } = started({ standing: 'unfound' });
    for (let look = 0; look < 60; look++) catchUp.look();
    becomes('joining');
    expect(catchUp.isOver).toBe(false);
    for (let look = 0; look <= 15; look++) catchUp.look();
    expect(catchUp.isOver).toBe(true);
  });

  test('waits with a new disk for the one that is silent, when the other has nothing: it may have all', () => {
    const { catchUp, answer, comesTo } = started({});
    catchUp.look();
    answer(vector({}), 'n2');
    catchUp.look();
    expect([catchUp.isOver, catchUp.detail]).toEqual([false, 'asking the peers what they know']);
    answer(vector({ 'n1.a': 7 }));
    expect([catchUp.isOver, catchUp.detail]).toEqual([false, '7 writes are missing']);
    comesTo(vector({ 'n1.a': 7 }));
    expect([catchUp.isOver, catchUp.detail]).toEqual([true, 'yes']);
  });

  test('is ready at once with what it has when they are silent, and says what is missing once one is not', () => {
    const { catchUp, answer, comesTo } = started({ clock: vector({ 'n3.a': 1 }), standing: 'member' });
    expect([catchUp.isOver, catchUp.detail]).toEqual([true, 'may be behind: no peer has answered']);
    answer(vector({ 'n1.a': 7, 'n3.a': 1 }));
    expect([catchUp.isOver, catchUp.detail]).toEqual([true, 'may be behind: 7 writes are missing']);
    comesTo(vector({ 'n1.a': 7, 'n3.a': 1 }));
    expect([catchUp.isOver, catchUp.detail]).toEqual([true, 'yes']);
  });

  test('is ready once one answers that knows nothing, though the other refuses on', () => {
    const { catchUp, answer } = started({ refusals: { n2: 'the secret is another one' } });
    expect(catchUp.isOver).toBe(false);
    answer(vector({}));
    expect([catchUp.isOver, catchUp.detail]).toEqual([true, 'yes']);
  });

  test('waits, once one answers, for what that one knew then', () => {
    const { catchUp, answer, comesTo } = started({ refusals: { ...refusals, n2: refusals.n1 } });
    catchUp.look();
    answer(vector({ 'n1.a': 7 }));
    expect([catchUp.isOver, catchUp.detail]).toEqual([false, '7 writes are missing']);
    answer(vector({ 'n1.a': 9 }));
    comesTo(vector({ 'n1.a': 7 }));
    expect([catchUp.isOver, catchUp.detail]).toEqual([true, 'yes']);
  });
});
