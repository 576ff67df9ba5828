// What does a replica do whose disk is nearly full? It lives, and falls behind, until there is room.

import { beforeEach, describe, expect, test } from '@jest/globals';
import type { PeerRequest } from '../../../src/replication/engine/messages.js';
import type { Observation } from '../../../src/replication/engine/output.js';
import { Replica } from '../../../src/replication/engine/replica.js';
import { MESSAGE_LIMITS } from '../../../src/replication/message-reader.js';
import { ReplicaDriver, TICK_MS } from '../../../src/replication/replica-driver.js';
import { PeerFailure } from '../../../src/replication/transport.port.js';
import { MemoryStore } from '../../../src/store/memory/memory-store.js';
import { blankNode } from '../../../src/store/record-codec.js';
import { ReplicaStore } from '../../../src/store/replica-store.js';
import { identityOf, loadedState } from '../../support/engine-parts.js';
import { ManualTime, settled } from '../../support/manual-time.js';

type Kind = PeerRequest['kind'];

describe('A replica whose disk is nearly full', () => {
  let time: ManualTime;
  let roomy: ReplicaDriver;
  let full: ReplicaDriver;
  /** The disk of `full`. */
  let room: { isNearlyFull: boolean };
  /** What `full` has asked for. */
  let asked: Kind[];
  /** By the sender, why requests came to nothing, each time. */
  let failures: Record<string, string[]>;
  let observed: Record<string, Observation['kind'][]>;
  /** Requests of `roomy` that are lost. */
  let lost: ReadonlySet<Kind>;

  async function replica(name: string, peer: string, isNearlyFull: () => boolean): Promise<ReplicaDriver> {
    const actor = `${name}.a`;
    const send = (_: string, request: PeerRequest) => {
      if (name === 'n2') asked.push(request.kind);
      else if (lost.has(request.kind)) throw new PeerFailure('lost', true);
      const refused = (error: Error): never => {
        throw new PeerFailure(`${peer} refused: ${error.message}`, true);
      };
      return (peer === 'n2' ? full : roomy).receive(name, request).catch(refused);
    };
    return new ReplicaDriver(
      new Replica(identityOf([peer], { name }), { ...loadedState(), ...blankNode(actor) }),
      await ReplicaStore.open(new MemoryStore(), blankNode(actor)),
      {
        transport: { send: async (to, request) => send(to, request) },
        time,
        events: {
          observed: ({ kind }) => void observed[name]!.push(kind),
          peerFailed: (_, error) => void failures[name]!.push((error as Error).message),
          stopped: (error) => expect(error).toBeUndefined(),
        },
        room: {
          get isNearlyFull() {
            return isNearlyFull();
          },
        },
      },
      // Whoever lacks three writes takes over all keys, one by one.
      { ...MESSAGE_LIMITS, takeAllDots: 3, pieceKeys: 1 },
    );
  }

  beforeEach(async () => {
    time = new ManualTime();
    room = { isNearlyFull: true };
    [asked, failures, observed, lost] = [[], { n1: [], n2: [] }, { n1: [], n2: [] }, new Set()];
    roomy = await replica('n1', 'n2', () => false);
    full = await replica('n2', 'n1', () => room.isNearlyFull);
    // Each compares in the middle between two comparisons of the other.
    roomy.start();
    await time.pass(TICK_MS / 2);
    full.start();
    await settled(20);
  });

  async function ticks(count: number): Promise<void> {
    for (let half = 0; half < 2 * count; half++) {
      await time.pass(TICK_MS / 2);
      await settled(20);
    }
  }

  async function write(...keys: readonly string[]): Promise<void> {
    for (const key of keys) {
      await roomy.write({
        key,
        operation: { kind: 'put', contentType: 'text/plain', value: Buffer.from('v'), ttlMs: undefined },
        context: undefined,
        precondition: undefined,
        requestName: undefined,
        acksNeeded: 1,
        timeoutMs: 1000,
      });
    }
    await settled(20);
  }

  function keysOfFull(): readonly string[] {
    return ['a', 'b', 'c', 'd'].filter((key) => full.read(key).versions.length > 0);
  }

  test('refuses what is pushed to it, in the same words each time, and takes it once there is room', async () => {
    await write('a');
    await ticks(4);
    expect(keysOfFull()).toEqual([]);
    expect(new Set(failures['n1'])).toEqual(new Set([expect.stringMatching(/n2 refused: the disk is nearly full/)]));
    room.isNearlyFull = false;
    await ticks(1);
    expect(keysOfFull()).toEqual(['a']);
  });

  test('is pushed to less and less often while it refuses, however much is written, and at once when it has room again', async () => {
    room.isNearlyFull = false;
    await write('d');
    await ticks(2);
    room.isNearlyFull = true;
    for (let round = 0; round < 40; round++) {
      await write('a', 'b');
      await ticks(1);
    }
    // At the first write, and after 1, 2, 4, 8 and 16 comparisons.
    expect(failures['n1']!.length).toBeLessThanOrEqual(6);
    room.isNearlyFull = false;
    await ticks(2);
    expect(keysOfFull()).toEqual(['a', 'b', 'd']);
    await write('c');
    await time.pass(8);
    await settled(20);
    expect(keysOfFull()).toEqual(['a', 'b', 'c', 'd']);
  });

  test('answers comparisons and reads: the others see that it is there, and behind', async () => {
    await write('a');
    await ticks(2);
    expect(roomy.peers).toMatchObject([{ isReachable: true, hasCompared: true, clock: new Map() }]);
    const reading = roomy.readQuorum({ key: 'a', answersNeeded: 2, timeoutMs: 1000 });
    await settled(20);
    expect(await reading).toMatchObject({ kind: 'read', answers: 2 });
    // The repair of the reader is a push, too.
    expect(keysOfFull()).toEqual([]);
    expect(await full.readQuorum({ key: 'a', answersNeeded: 2, timeoutMs: 1000 })).toMatchObject({ answers: 2 });
  });

  test('asks for nothing, again at each comparison and not more often, and blames nobody for it', async () => {
    lost = new Set(['push']);
    await write('a');
    await ticks(10);
    expect(new Set(asked)).toEqual(new Set(['compare']));
    expect(new Set(failures['n2'])).toEqual(new Set([expect.stringMatching(/own disk is nearly full/)]));
    expect(failures['n2']!.length).toBeLessThanOrEqual(10);
    expect(full.peers).toMatchObject([{ isReachable: true, hasCompared: true }]);
    expect(observed['n2']).not.toContain('peer-unreachable');
    room.isNearlyFull = false;
    await ticks(2);
    expect(asked).toContain('pull');
    expect(keysOfFull()).toEqual(['a']);
  });

  test('goes on with taking over all keys where it was, once there is room', async () => {
    lost = new Set(['push']);
    room.isNearlyFull = false;
    await write('a', 'b', 'c', 'd');
    while (keysOfFull().length === 0) {
      await time.pass(TICK_MS);
      for (let turn = 0; turn < 100 && keysOfFull().length === 0; turn++) await settled(1);
    }
    room.isNearlyFull = true;
    await ticks(1);
    const taken = keysOfFull();
    expect(taken.length).toBeLessThan(4);
    asked = [];
    await ticks(10);
    expect(keysOfFull()).toEqual(taken);
    expect(new Set(asked)).toEqual(new Set(['compare']));
    room.isNearlyFull = false;
    await ticks(6);
    expect(keysOfFull()).toEqual(['a', 'b', 'c', 'd']);
    // All that are left, and one that says that there are no more: none of what came meanwhile, which is of long ago.
    expect(asked.filter((kind) => kind === 'pull-keys')).toHaveLength(4 - taken.length + 1);
    expect(full.progress.bootstrap).toBeUndefined();
    expect(observed['n2']!.filter((kind) => kind === 'bootstrap-ended')).toHaveLength(1);
  });
});
