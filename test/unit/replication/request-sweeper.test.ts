// For how long is a request remembered? For the stated time, however often the sweep has come by meanwhile, and not for much
// longer, however many there are.

import { expect, test } from '@jest/globals';
import type { RequestChange } from '../../../src/clock/request.js';
import { EMPTY_VECTOR } from '../../../src/clock/version-vector.js';
import type { Batch } from '../../../src/replication/engine/messages.js';
import { Replica } from '../../../src/replication/engine/replica.js';
import { ReplicaDriver } from '../../../src/replication/replica-driver.js';
import { RequestSweeper } from '../../../src/replication/request-sweeper.js';
import { MemoryStore } from '../../../src/store/memory/memory-store.js';
import { blankNode } from '../../../src/store/record-codec.js';
import { ReplicaStore } from '../../../src/store/replica-store.js';
import { identityOf, loadedState } from '../../support/engine-parts.js';
import { ManualTime, settled } from '../../support/manual-time.js';
import { commitOf } from '../../support/replica-commits.js';

const KEPT_MS = 3_600_000;

/** As long as the sweep pauses at most. */
const PAUSE_MS = 60_000;

/** A clock that can be set, as that of a machine can. */
class SettableTime extends ManualTime {
  setByMs = 0;

  override nowMs(): number {
    return super.nowMs() + this.setByMs;
  }

  async passIn(stepMs: number, ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += stepMs) await this.pass(stepMs);
  }
}

async function replica(time: ManualTime): Promise<{ readonly driver: ReplicaDriver; readonly store: ReplicaStore }> {
  const store = await ReplicaStore.open(new MemoryStore(), blankNode('n1.a'));
  const driver = new ReplicaDriver(new Replica(identityOf([]), loadedState()), store, {
    transport: { send: () => Promise.reject(new Error('there is no peer')) },
    time,
    events: { observed: () => {}, peerFailed: () => {}, stopped: () => {} },
    room: { isNearlyFull: false },
  });
  return { driver, store };
}

const NAME = { id: '07'.repeat(16), fingerprint: '01'.repeat(8) };

/** The first dot of n2 is that of a request. */
const PUSHED: Batch = {
  clock: new Map([['n2.b', 1]]),
  ranges: [{ actor: 'n2.b', from: 0, keys: ['key 0'], requests: new Map([[1, { ...NAME, dots: 1 }]]) }],
  containers: new Map(),
  exact: undefined,
  past: EMPTY_VECTOR,
};

/** So many requests are on the disk, remembered since then. */
async function remember(store: ReplicaStore, sinceMs: number, count = 1): Promise<void> {
  const requests = Array.from({ length: count }, (_, n): RequestChange => {
    const request = { ...NAME, key: `key ${n}`, dot: { actor: 'n1.a', counter: 1 }, sinceMs };
    return [request, request];
  });
  await store.commit({ ...commitOf({ node: store.view.node }), requests });
}

async function remembered({ view }: ReplicaStore): Promise<number> {
  let count = 0;
  for await (const _ of view.requests.times(undefined)) count++;
  return count;
}

/** A client sends its request: was it known? */
async function isRepeated(driver: ReplicaDriver): Promise<boolean | undefined> {
  const result = await driver.write({
    key: 'key 0',
    operation: { kind: 'put', contentType: 'text/plain', value: Buffer.from('v'), ttlMs: undefined },
    context: undefined,
    precondition: undefined,
    requestName: NAME,
    acksNeeded: 1,
    timeoutMs: 1000,
  });
  return result.kind === 'written' ? result.isRepeated : undefined;
}

test('a request is known for as long as stated, and carried out anew when it comes later', async () => {
  const time = new ManualTime();
  const { driver, store } = await replica(time);
  const sweeper = new RequestSweeper(driver, store, time, KEPT_MS);
  sweeper.start();
  expect(await isRepeated(driver)).toBe(false);

  // The sweep comes by now, and once more after its pause.
  await time.pass(KEPT_MS);
  await settled(20);
  expect(await isRepeated(driver)).toBe(true);

  await time.pass(PAUSE_MS);
  await settled(20);
  expect(await isRepeated(driver)).toBe(false);
  await sweeper.stop();
});

test('a request that comes anew while the sweep is about to forget the earlier one is known', async () => {
  const time = new ManualTime();
  const { driver, store } = await replica(time);
  await remember(store, time.nowMs());
  const { requests } = store.view;
  const times = requests.times.bind(requests);
  requests.times = async function* (after) {
    yield* times(after);
    // Another replica has forgotten it already, and carried it out.
    await driver.receive('n2', { kind: 'push', batch: PUSHED });
  };
  const sweeper = new RequestSweeper(driver, store, time, PAUSE_MS);
  await time.pass(PAUSE_MS);
  sweeper.start();
  await time.pass(PAUSE_MS);
  await settled(20);
  expect(await isRepeated(driver)).toBe(true);
  await sweeper.stop();
});

test('a round takes a tenth of the stated time, of as many steps as it may be: more must not come than go', async () => {
  const [time, keptMs] = [new SettableTime(), 10_000];
  const { driver, store } = await replica(time);
  await remember(store, time.nowMs(), 4000);
  const sweeper = new RequestSweeper(driver, store, time, keptMs);
  sweeper.start();
  // A round in which they are counted, and a part of the pause behind it.
  await time.passIn(50, 4000);
  expect(await remembered(store)).toBe(4000);
  await time.pass(keptMs);
  await time.passIn(50, keptMs / 10);
  expect(await remembered(store)).toBe(0);
  await sweeper.stop();
});

test.each([
  ['while the replica runs', true],
  ['before its start', false],
])(
  'a request is known for as long as stated when the clock is set back by more %s, and not until it is there again',
  async (_when, isRunning) => {
    const [time, keptMs] = [new SettableTime(), 10_000];
    const { driver, store } = await replica(time);
    const sweeper = new RequestSweeper(driver, store, time, keptMs);
    if (isRunning) sweeper.start();
    await time.passIn(500, 5 * keptMs);
    await remember(store, time.nowMs());
    time.setByMs = -3 * keptMs;
    if (!isRunning) sweeper.start();
    await time.passIn(500, keptMs);
    expect(await remembered(store)).toBe(1);
    await time.passIn(500, keptMs / 2);
    expect(await remembered(store)).toBe(0);
    await sweeper.stop();
  },
);

test('the first round, which can not know how many steps it is of, gets faster as it goes on', async () => {
  const [time, keptMs] = [new SettableTime(), 10_000];
  const { driver, store } = await replica(time);
  await remember(store, time.nowMs() - 2 * keptMs, 4000);
  const sweeper = new RequestSweeper(driver, store, time, keptMs);
  sweeper.start();
  // A pause, and then a second, half of one and a third between four steps.
  await time.passIn(50, 3500);
  expect(await remembered(store)).toBe(0);
  await sweeper.stop();
});
