// Who hears what the replica reports? The module that counts and logs it.

import { Module, type DynamicModule } from '@nestjs/common';
import { DriverEvents } from '../replication/driver-events.js';
import { Metrics } from './metrics.js';
import { ReplicaLog } from './replica-log.js';

export interface ObservabilityOptions {
  readonly name: string;
  /** The replica can't go on; called once. */
  readonly onStopped: (error: unknown) => void;
}

/** What is counted and logged. Below replication, which tells it what happens. */
@Module({})
export class ObservabilityModule {
  static of({ name, onStopped }: ObservabilityOptions): DynamicModule {
    return {
      module: ObservabilityModule,
      providers: [
        { provide: Metrics, useFactory: () => new Metrics(name) },
        {
          provide: ReplicaLog,
          inject: [Metrics],
          useFactory: (metrics: Metrics) => new ReplicaLog(metrics, onStopped),
        },
        { provide: DriverEvents, useExisting: ReplicaLog },
      ],
      exports: [Metrics, ReplicaLog, DriverEvents],
    };
  }
}
