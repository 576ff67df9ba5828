// How is the node, and how are its peers? The module that looks at both, and says whether the node is ready.

import { Inject, Module, type DynamicModule, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { ReplicaDriver } from '../replication/replica-driver.js';
import { ReplicaStore } from '../store/replica-store.js';
import { CatchUp } from './catch-up.js';
import { ClusterStatus } from './cluster-status.js';
import { DiskSpace } from './disk-space.js';
import { Metrics } from './metrics.js';
import { Readiness } from './readiness.js';
import { ReplicaLog } from './replica-log.js';

export interface StatusOptions {
  /** The node's data folder, whose disk is watched. */
  readonly folder: string;
  readonly diskFreeBytesMin: number;
  /** The modules that provide driver, store and metrics. */
  readonly imports: DynamicModule[];
}

/** How the node and its peers are. Above replication, which it looks at. */
@Module({})
export class StatusModule implements OnApplicationBootstrap, OnModuleDestroy {
  constructor(
    @Inject(ClusterStatus) private readonly cluster: ClusterStatus,
    @Inject(Readiness) private readonly readiness: Readiness,
    @Inject(DiskSpace) private readonly disk: DiskSpace,
  ) {}

  static of({ folder, diskFreeBytesMin, imports }: StatusOptions): DynamicModule {
    return {
      module: StatusModule,
      imports,
      providers: [
        {
          provide: DiskSpace,
          // The store has made the folder by then.
          inject: [ReplicaStore],
          useFactory: async () => {
            const disk = new DiskSpace(folder, diskFreeBytesMin);
            await disk.watch();
            return disk;
          },
        },
        { provide: CatchUp, inject: [ReplicaDriver], useFactory: (driver: ReplicaDriver) => new CatchUp(driver) },
        {
          provide: ClusterStatus,
          inject: [ReplicaDriver, CatchUp, ReplicaLog, Metrics, ReplicaStore, DiskSpace],
          useFactory: (
            driver: ReplicaDriver,
            catchUp: CatchUp,
            log: ReplicaLog,
            metrics: Metrics,
            store: ReplicaStore,
            disk: DiskSpace,
          ) => {
            const status = new ClusterStatus(driver, catchUp, (peer) => log.failureOf(peer));
            metrics.watch(status, store, disk);
            return status;
          },
        },
        {
          provide: Readiness,
          inject: [ReplicaDriver, CatchUp, DiskSpace],
          useFactory: (driver: ReplicaDriver, catchUp: CatchUp, disk: DiskSpace) =>
            new Readiness(driver, catchUp, disk),
        },
      ],
      exports: [ClusterStatus, Readiness, DiskSpace],
    };
  }

  onApplicationBootstrap(): void {
    this.cluster.watch();
  }

  onModuleDestroy(): void {
    this.readiness.leave();
    this.cluster.stop();
    this.disk.stop();
  }
}
