// One lifecycle: the database is opened before anything else is made, and closed after everything else has stopped.

import { join } from 'node:path';
import { Inject, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { LevelStore } from './level/level-store.js';
import { blankNode } from './record-codec.js';
import { ReplicaStore } from './replica-store.js';
import { Store } from './store.port.js';

export interface StoreOptions {
  /** The node's data folder; the database is a folder in it. */
  readonly folder: string;
  /** The actor of a fresh database. */
  readonly newActor: () => string;
}

@Module({})
export class StoreModule implements OnApplicationShutdown {
  constructor(@Inject(ReplicaStore) private readonly store: ReplicaStore) {}

  static of(options: StoreOptions): DynamicModule {
    return {
      module: StoreModule,
      providers: [
        { provide: Store, useFactory: () => LevelStore.open(join(options.folder, 'level')) },
        {
          provide: ReplicaStore,
          inject: [Store],
          useFactory: (store: Store) => ReplicaStore.open(store, blankNode(options.newActor())),
        },
      ],
      exports: [ReplicaStore],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.store.close();
  }
}
