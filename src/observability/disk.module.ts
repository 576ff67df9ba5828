// Who watches the room on the disk? A module below replication, which takes nothing more when there is none.

import { Inject, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { Room } from '../replication/room.port.js';
import { ReplicaStore } from '../store/replica-store.js';
import { DiskSpace } from './disk-space.js';

export interface DiskOptions {
  /** The node's data folder, whose disk is watched. */
  readonly folder: string;
  readonly freeBytesMin: number;
  /** The module that provides the store. */
  readonly imports: DynamicModule[];
}

@Module({})
export class DiskModule implements OnApplicationShutdown {
  constructor(@Inject(DiskSpace) private readonly disk: DiskSpace) {}

  static of({ folder, freeBytesMin, imports }: DiskOptions): DynamicModule {
    return {
      module: DiskModule,
      imports,
      providers: [
        {
          provide: DiskSpace,
          // The store has made the folder by then.
          inject: [ReplicaStore],
          useFactory: async () => {
            const disk = new DiskSpace(folder, freeBytesMin);
            await disk.watch();
            return disk;
          },
        },
        { provide: Room, useExisting: DiskSpace },
      ],
      exports: [DiskSpace, Room],
    };
  }

  /** Until then, requests are answered and replicas hand over what others lack. */
  onApplicationShutdown(): void {
    this.disk.stop();
  }
}
