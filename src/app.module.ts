// Which parts make a replica, and what does each get to know? Composition only. Imports give the order of starting, and
// the reverse of it that of stopping: store, replication, status, controllers and changes.

import { Module, type DynamicModule } from '@nestjs/common';
import type { Config } from './config/config.js';
import { ChangesModule } from './controllers/changes/changes.module.js';
import { ControllersModule } from './controllers/controllers.module.js';
import { DiskModule } from './observability/disk.module.js';
import { ObservabilityModule } from './observability/observability.module.js';
import { StatusModule } from './observability/status.module.js';
import { newIncarnation } from './replication/incarnation.js';
import { placeAmong } from './cluster/members.js';
import { ReplicationModule } from './replication/replication.module.js';
import { StoreModule } from './store/store.module.js';

@Module({})
export class AppModule {
  /** @param onStopped the replica can't go on; the process must end, and start again from the store */
  static of(config: Config, onStopped: (error: unknown) => void): DynamicModule {
    const { name, peers, clusterSecret } = config;
    const store = StoreModule.of({
      folder: config.data,
      fsync: config.durability === 'fsync',
      mergePhase: placeAmong(name, peers),
      newActor: () => `${name}.${newIncarnation(Date.now())}`,
    });
    const observability = ObservabilityModule.of({ name, onStopped });
    const disk = DiskModule.of({ folder: config.data, freeBytesMin: config.diskFreeBytesMin, imports: [store] });
    const replication = ReplicationModule.of({
      name,
      url: config.url,
      peers,
      findMembers: config.findMembers,
      clusterSecret,
      logMax: config.logMax,
      feedRetentionSeconds: config.feedRetentionSeconds,
      scrubKeysPerSecond: config.scrubKeysPerSecond,
      requestsKeptMs: config.requestsKeptMs,
      imports: [store, observability, disk],
    });
    const status = StatusModule.of({ imports: [store, observability, disk, replication] });
    const controllers = ControllersModule.of({
      resolve: config.resolve,
      valueBytesMax: config.valueBytesMax,
      bodyBytesMax: config.bodyBytesMax,
      clusterSecret,
      hasPeerPort: config.peerPort !== undefined,
      leaveMs: config.leaveMs,
      imports: [store, observability, disk, replication, status],
    });
    const changes = ChangesModule.of({
      resolve: config.resolve,
      clusterSecret,
      readersMax: config.feedReadersMax,
      imports: [observability, replication],
    });
    return { module: AppModule, imports: [controllers, changes] };
  }
}
