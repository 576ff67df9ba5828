// How is the node, and how are its peers? The module that looks at both, and says whether the node is ready.

import { Inject, Module, type DynamicModule, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { ReplicaDriver } from '../replication/replica-driver.js';
import { ReplicaStore } from '../store/replica-store.js';
import { CatchUp } from './catch-up.js';
import { CommitWatch } from './commit-watch.js';
import { ClusterStatus } from './cluster-status.js';
import { DiskSpace } from './disk-space.js';
import { Metrics } from './metrics.js';
import { Readiness } from './readiness.js';
import { ReplicaLog } from './replica-log.js';
import { StartLog } from './start-log.js';

export interface StatusOptions {
  /** The modules that provide driver, store, metrics and disk space. */
  readonly imports: DynamicModule[];
}

/** How the node and its peers are. Above replication, which it looks at. */
@Module({})
export class StatusModule implements OnApplicationBootstrap, OnModuleDestroy {
  constructor(
    @Inject(ClusterStatus) private readonly cluster: ClusterStatus,
    @Inject(Readiness) private readonly readiness: Readiness,
    @Inject(StartLog) private readonly startLog: StartLog,
    @Inject(ReplicaLog) private readonly log: ReplicaLog,
  ) {}

  static of({ imports }: StatusOptions): DynamicModule {
    return {
      module: StatusModule,
      imports,
      providers: [
        {
          provide: CatchUp,
          inject: [ReplicaDriver, ReplicaLog, DiskSpace],
          useFactory: (driver: ReplicaDriver, log: ReplicaLog, disk: DiskSpace) => new CatchUp(driver, log, disk),
        },
        {
          provide: CommitWatch,
          inject: [ReplicaDriver],
          useFactory: (driver: ReplicaDriver) => new CommitWatch(driver),
        },
        {
          provide: ClusterStatus,
          inject: [ReplicaDriver, CatchUp, CommitWatch, ReplicaLog, Metrics, ReplicaStore, DiskSpace],
          useFactory: (
            driver: ReplicaDriver,
            catchUp: CatchUp,
            commits: CommitWatch,
            log: ReplicaLog,
            metrics: Metrics,
            store: ReplicaStore,
            disk: DiskSpace,
          ) => {
            const status = new ClusterStatus(driver, catchUp, commits, (peer) => log.failureOf(peer));
            metrics.watch(status, store, disk);
            return status;
          },
        },
        {
          provide: Readiness,
          inject: [ReplicaDriver, CatchUp, DiskSpace, CommitWatch, Metrics],
          useFactory: (
            driver: ReplicaDriver,
            catchUp: CatchUp,
            disk: DiskSpace,
            commits: CommitWatch,
            metrics: Metrics,
          ) => {
            const readiness = new Readiness(driver, catchUp, disk, commits);
            metrics.watchReadiness(readiness);
            return readiness;
          },
        },
        {
          provide: StartLog,
          inject: [ClusterStatus, Readiness],
          useFactory: (status: ClusterStatus, readiness: Readiness) => new StartLog(status.name, readiness),
        },
      ],
      exports: [ClusterStatus, Readiness, StartLog],
    };
  }

  onApplicationBootstrap(): void {
    this.cluster.watch();
    // The engine says it in the run in which it learns of it.
    if (this.cluster.standing === 'forgotten') this.log.observed({ kind: 'forgotten' });
  }

  onModuleDestroy(): void {
    this.readiness.leave();
    this.startLog.stop();
    this.cluster.stop();
  }
}
