// Who drops what has ended, and what does it cost the others? After a start there may be lifetimes of hours to look at.

import { beforeEach, describe, expect, test } from '@jest/globals';
import { HIDDEN_MS } from '../../../src/clock/lifetime.js';
import type { Input } from '../../../src/replication/engine/input.js';
import type { Output } from '../../../src/replication/engine/output.js';
import { Replica } from '../../../src/replication/engine/replica.js';
import type { Stored } from '../../../src/replication/engine/state.js';
import { Expiry } from '../../../src/replication/expiry.js';
import { ReplicaDriver } from '../../../src/replication/replica-driver.js';
import { MemoryStore } from '../../../src/store/memory/memory-store.js';
import { blankNode } from '../../../src/store/record-codec.js';
import { ReplicaStore } from '../../../src/store/replica-store.js';
import { container, vector, version } from '../../support/clock-arbitraries.js';
import { identityOf, loadedState } from '../../support/engine-parts.js';
import { ManualTime, settled } from '../../support/manual-time.js';
import { commitOf, node, SELF } from '../../support/replica-commits.js';

const HOUR_MS = 3_600_000;
const LOOK_MS = 500;

/** Production's replica, with somebody who looks at its inputs. */
class WatchedReplica extends Replica {
  taken: (input: Input) => void = () => {};

  override step(input: Input, stored: Stored): Output {
    this.taken(input);
    return super.step(input, stored);
  }
}

describe('A replica that starts', () => {
  let time: ManualTime;
  let store: ReplicaStore;

  beforeEach(async () => {
    time = new ManualTime();
    store = await ReplicaStore.open(new MemoryStore(), blankNode(SELF));
  });

  /** One that looks at once for what has ended, with `store` as it is now. */
  function started(): { readonly replica: WatchedReplica; readonly expiry: Expiry } {
    const replica = new WatchedReplica(identityOf([]), loadedState(store.view.node));
    const driver = new ReplicaDriver(replica, store, {
      transport: { send: () => Promise.reject(new Error('there is no peer')) },
      time,
      events: { observed: () => {}, peerFailed: () => {}, stopped: (error) => expect(error).toBeUndefined() },
      room: { isNearlyFull: false },
    });
    const expiry = new Expiry(driver, store, time, HOUR_MS);
    expiry.start();
    return { replica, expiry };
  }

  test('lets others have their turn while it looks at the thousands of lifetimes that have ended', async () => {
    const endedMs = time.nowMs() - HIDDEN_MS - HOUR_MS / 2;
    const keys = Array.from({ length: 1000 }, (_, n) => `key ${n}`);
    const deadlines = keys.map((key) => ({ deadlineMs: endedMs, key, isSet: true }));
    await store.commit({ ...commitOf({ node: node({ [SELF]: 1000 }) }), deadlines });
    const { replica, expiry } = started();

    const [looked, byTurn] = [new Set<string>(), [0]];
    replica.taken = (input) => {
      if (input.kind !== 'expire') return;
      looked.add(input.key);
      byTurn[byTurn.length - 1]!++;
    };
    let isWatched = true;
    const turn = (): void => {
      byTurn.push(0);
      if (isWatched) setImmediate(turn);
    };
    setImmediate(turn);
    await time.pass(LOOK_MS);
    await settled(50);
    isWatched = false;
    await expiry.stop();
    expect(looked.size).toBe(1000);
    expect(Math.max(...byTurn)).toBeLessThanOrEqual(100);
  });

  test('drops what had ended long before the last write on its disk: it may have stopped before it came to that', async () => {
    const deadlineMs = time.nowMs() - HIDDEN_MS - HOUR_MS / 2;
    const ended = container([{ ...version(SELF, 1), deadlineMs }], vector({}));
    const parts = { containers: { ended }, log: { [SELF]: ['ended'] }, node: node({ [SELF]: 1 }) };
    await store.commit({ ...commitOf(parts), deadlines: [{ deadlineMs, key: 'ended', isSet: true }] });
    const { expiry } = started();
    await time.pass(LOOK_MS);
    await settled(20);
    await expiry.stop();
    expect(store.container('ended').versions).toEqual([]);
  });
});
