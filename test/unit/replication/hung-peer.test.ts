// What do clients’ reads of several replicas cost while one of these hangs? A bounded number of messages, and of no read that is over.

import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { PeerAnswer, PeerRequest } from '../../../src/replication/engine/messages.js';
import { Replica } from '../../../src/replication/engine/replica.js';
import { READS_MAX } from '../../../src/replication/exchanges.js';
import { ReplicaDriver, TICK_MS } from '../../../src/replication/replica-driver.js';
import { PeerFailure } from '../../../src/replication/transport.port.js';
import { MemoryStore } from '../../../src/store/memory/memory-store.js';
import { blankNode } from '../../../src/store/record-codec.js';
import { ReplicaStore } from '../../../src/store/replica-store.js';
import { identityOf, loadedState } from '../../support/engine-parts.js';
import { ManualTime, settled } from '../../support/manual-time.js';

interface Sent {
  readonly kind: PeerRequest['kind'];
  readonly timeoutMs: number | undefined;
  readonly fail: () => void;
}

let time: ManualTime;
let driver: ReplicaDriver;
/** To a peer that never answers. */
let sent: Sent[];

const fetches = () => sent.filter(({ kind }) => kind === 'fetch');

beforeEach(async () => {
  time = new ManualTime();
  sent = [];
  const send = (_to: string, { kind }: PeerRequest, timeoutMs?: number) =>
    new Promise<PeerAnswer>((_resolve, reject) =>
      sent.push({ kind, timeoutMs, fail: () => reject(new PeerFailure('silent', false)) }),
    );
  driver = new ReplicaDriver(
    new Replica(identityOf(['n2'], { name: 'n1' }), { ...loadedState(), ...blankNode('n1.a') }),
    await ReplicaStore.open(new MemoryStore(), blankNode('n1.a')),
    {
      transport: { send },
      time,
      events: { observed: () => {}, peerFailed: () => {}, stopped: (error) => expect(error).toBeUndefined() },
      room: { isNearlyFull: false },
    },
  );
  driver.start();
  await settled();
});

afterEach(async () => {
  for (const { fail } of sent) fail();
  await driver.drain();
});

test('Reads beyond the limit are over in their time, and nothing is ever sent for them', async () => {
  const reads = (count: number, timeoutMs: number) =>
    Promise.all(Array.from({ length: count }, () => driver.readQuorum({ key: 'a', answersNeeded: 2, timeoutMs })));
  const patient = reads(READS_MAX, 5000);
  const impatient = reads(3 * READS_MAX, 50);
  await settled();
  expect(fetches().map(({ timeoutMs }) => timeoutMs)).toEqual(Array(READS_MAX).fill(5000));
  await time.pass(50);
  expect(new Set((await impatient).map(({ kind }) => kind))).toEqual(new Set(['not-reached']));
  for (const { fail } of fetches()) fail();
  await settled();
  expect(fetches()).toHaveLength(READS_MAX);
  // Those that are waited for are asked for again.
  await time.pass(TICK_MS);
  expect(fetches()).toHaveLength(2 * READS_MAX);
  await time.pass(5000);
  expect(new Set((await patient).map(({ kind }) => kind))).toEqual(new Set(['not-reached']));
});
