// How are keys looked up that are not in memory? Together with all others that are asked for at this moment, see `Cohort`.

import type { Container } from '../../clock/container.js';
import type { ReplicaDriver } from '../../replication/replica-driver.js';
import { Cohort } from '../http/cohort.js';

interface Lookup {
  readonly key: string;
  readonly resolve: (container: Container) => void;
  readonly reject: (error: unknown) => void;
}

export class Lookups {
  private readonly cohort = new Cohort<Lookup>(
    (lookUpAll) => process.nextTick(lookUpAll),
    ({ key, resolve, reject }) => {
      try {
        resolve(this.driver.read(key));
      } catch (error) {
        reject(error);
      }
    },
  );

  constructor(private readonly driver: Pick<ReplicaDriver, 'read' | 'readCached'>) {}

  /**
   * What is committed of the key, now or in a moment: most keys that are asked for should not wait for a promise.
   * @throws CorruptRecordError
   */
  of(key: string): Container | Promise<Container> {
    return this.driver.readCached(key) ?? new Promise((resolve, reject) => this.cohort.add({ key, resolve, reject }));
  }
}
