// How often is a peer sent own writes?

import { beforeEach, describe, expect, test } from '@jest/globals';
import type { PeerAnswer, PeerRequest } from '../../../src/replication/engine/messages.js';
import { Replica } from '../../../src/replication/engine/replica.js';
import { ReplicaDriver } from '../../../src/replication/replica-driver.js';
import { MemoryStore } from '../../../src/store/memory/memory-store.js';
import { blankNode } from '../../../src/store/record-codec.js';
import { ReplicaStore } from '../../../src/store/replica-store.js';
import { identityOf, loadedState, toldBy } from '../../support/engine-parts.js';
import { ManualTime, settled } from '../../support/manual-time.js';

const INTERVAL_MS = 8;

describe('Own writes', () => {
  let time: ManualTime;
  let driver: ReplicaDriver;
  /** The dots of each push to the one peer, which takes it at once. */
  let pushed: number[];

  beforeEach(async () => {
    [time, pushed] = [new ManualTime(), []];
    let known = 0;
    const send = async (_: string, request: PeerRequest): Promise<PeerAnswer> => {
      const [range] = request.kind === 'push' ? request.batch.ranges : [];
      if (range !== undefined) {
        pushed.push(range.keys.length);
        known = range.from + range.keys.length;
      }
      return { kind: 'clock', ...toldBy('n2', known === 0 ? {} : { 'n1.a': known }) };
    };
    const store = await ReplicaStore.open(new MemoryStore(), blankNode('n1.a'));
    const events = { observed: () => {}, peerFailed: () => {}, stopped: () => {} };
    driver = new ReplicaDriver(new Replica(identityOf(['n2']), loadedState()), store, {
      transport: { send },
      time,
      events,
      room: { isNearlyFull: false },
    });
    driver.start();
    await settled();
  });

  async function write(acksNeeded = 1): Promise<void> {
    void driver.write({
      key: 'key',
      operation: { kind: 'put', contentType: 'text/plain', value: Buffer.from('v'), ttlMs: undefined },
      context: undefined,
      precondition: undefined,
      requestName: undefined,
      acksNeeded,
      timeoutMs: 1000,
    });
    await settled();
  }

  test('go at once after a quiet moment', async () => {
    await write();
    expect(pushed).toEqual([1]);
    await time.pass(INTERVAL_MS);
    await write();
    expect(pushed).toEqual([1, 1]);
  });

  test('that come one soon after another share the next message', async () => {
    for (let count = 1; count <= 5; count++) await write();
    await time.pass(INTERVAL_MS - 1);
    expect(pushed).toEqual([1]);
    await time.pass(1);
    expect(pushed).toEqual([1, 4]);
  });

  test('go at once when somebody waits until others have them', async () => {
    for (let count = 1; count <= 3; count++) await write(2);
    expect(pushed).toEqual([1, 1, 1]);
  });
});
