// One lifecycle: the database is opened before anything else is made, and closed after everything else has stopped.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Inject, Module, type DynamicModule, type OnApplicationShutdown, type OnModuleDestroy } from '@nestjs/common';
import { EMPTY_VECTOR } from '../clock/version-vector.js';
import { DiskSpace } from './level/disk-space.js';
import { LevelStore } from './level/level-store.js';
import { ReplicaStore } from './replica-store.js';
import { Store } from './store.port.js';

export interface StoreOptions {
  /** The node's data folder; the database is a folder in it. */
  readonly folder: string;
  readonly diskFreeBytesMin: number;
  /** The actor of a fresh database. */
  readonly newActor: () => string;
}

@Module({})
export class StoreModule implements OnModuleDestroy, OnApplicationShutdown {
  constructor(
    @Inject(ReplicaStore) private readonly store: ReplicaStore,
    @Inject(DiskSpace) private readonly disk: DiskSpace,
  ) {}

  static of(options: StoreOptions): DynamicModule {
    return {
      module: StoreModule,
      providers: [
        { provide: Store, useFactory: () => openDatabase(options.folder) },
        {
          provide: ReplicaStore,
          inject: [Store],
          useFactory: (store: Store) =>
            ReplicaStore.open(store, { actor: options.newActor(), clock: EMPTY_VECTOR, stamp: 0 }),
        },
        {
          provide: DiskSpace,
          inject: [Store],
          useFactory: async () => {
            const disk = new DiskSpace(options.folder, options.diskFreeBytesMin);
            await disk.watch();
            return disk;
          },
        },
      ],
      exports: [ReplicaStore, DiskSpace],
    };
  }

  onModuleDestroy(): void {
    this.disk.stop();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.store.close();
  }
}

async function openDatabase(folder: string): Promise<Store> {
  await mkdir(folder, { recursive: true });
  return LevelStore.open(join(folder, 'level'));
}
