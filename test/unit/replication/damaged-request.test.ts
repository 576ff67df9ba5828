// What if what is remembered of a request can't be read? Who sends it again is refused, whoever runs the replica is told, and once
// it is forgotten the request is carried out anew.

import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Observation } from '../../../src/replication/engine/output.js';
import { Replica } from '../../../src/replication/engine/replica.js';
import { ReplicaDriver } from '../../../src/replication/replica-driver.js';
import { requestKey } from '../../../src/store/keyspace.js';
import { MemoryStore } from '../../../src/store/memory/memory-store.js';
import { blankNode, CorruptRecordError } from '../../../src/store/record-codec.js';
import { ReplicaStore } from '../../../src/store/replica-store.js';
import { identityOf, loadedState } from '../../support/engine-parts.js';
import { ManualTime } from '../../support/manual-time.js';

const PLACE = { key: 'key', id: '07'.repeat(16) };

describe('A request that is remembered in a damaged record', () => {
  let driver: ReplicaDriver;
  let observed: Observation[];

  beforeEach(async () => {
    observed = [];
    const store = new MemoryStore();
    driver = new ReplicaDriver(
      new Replica(identityOf([]), loadedState()),
      await ReplicaStore.open(store, blankNode('n1.a')),
      {
        transport: { send: () => Promise.reject(new Error('there is no peer')) },
        time: new ManualTime(),
        events: {
          observed: (observation) => void observed.push(observation),
          peerFailed: () => {},
          stopped: (error) => expect(error).toBeUndefined(),
        },
        room: { isNearlyFull: false },
      },
    );
    await put(PLACE.key, PLACE.id);
    await store.commit([{ type: 'put', key: requestKey(PLACE), value: Buffer.from('damaged') }]);
    // Readers see what is on disk as of the replica's own last commit.
    await put('another');
  });

  function put(key: string, id?: string) {
    return driver.write({
      key,
      operation: { kind: 'put', contentType: 'text/plain', value: Buffer.from('v'), ttlMs: undefined },
      context: undefined,
      precondition: undefined,
      requestName: id === undefined ? undefined : { id, fingerprint: '01'.repeat(8) },
      acksNeeded: 1,
      timeoutMs: 1000,
    });
  }

  test('is refused, and told of once', async () => {
    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(put(PLACE.key, PLACE.id)).rejects.toThrow(CorruptRecordError);
    }
    expect(observed.filter(({ kind }) => kind === 'request-damaged')).toEqual([
      { kind: 'request-damaged', key: PLACE.key },
    ]);
  });

  test('is carried out anew once it has been forgotten', async () => {
    await expect(put(PLACE.key, PLACE.id)).rejects.toThrow(CorruptRecordError);
    driver.forgetRequests([PLACE]);
    expect(await put(PLACE.key, PLACE.id)).toMatchObject({ kind: 'written', isRepeated: false });
    expect(await put(PLACE.key, PLACE.id)).toMatchObject({ kind: 'written', isRepeated: true });
  });
});
