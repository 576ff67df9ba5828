// One lifecycle: readers follow the changes until the replica begins to stop. They are let go first of all, so that they go
// on at another replica, and the server need not wait for them.

import { Inject, Module, type DynamicModule, type OnModuleDestroy } from '@nestjs/common';
import type { Resolution } from '../../clock/resolution.js';
import { Metrics } from '../../observability/metrics.js';
import { ChangeFeed } from '../../replication/change-feed.js';
import { Expiry } from '../../replication/expiry.js';
import { ReplicaDriver } from '../../replication/replica-driver.js';
import { Tokens } from '../http/tokens.js';
import { BatchReader } from './batch.js';
import { ChangeHub } from './change-hub.js';
import { ChangesController } from './changes.controller.js';
import { ChangesHandler } from './changes-handler.js';

export interface ChangesOptions {
  readonly resolve: Resolution;
  readonly clusterSecret: string | undefined;
  /** Readers that wait for changes at one time. */
  readonly readersMax: number;
  /** The modules that provide driver and metrics. */
  readonly imports: DynamicModule[];
}

@Module({})
export class ChangesModule implements OnModuleDestroy {
  constructor(@Inject(ChangeHub) private readonly hub: ChangeHub) {}

  static of({ resolve, clusterSecret, readersMax, imports }: ChangesOptions): DynamicModule {
    return {
      module: ChangesModule,
      imports,
      controllers: [ChangesController],
      providers: [
        { provide: Tokens, useFactory: () => new Tokens(clusterSecret) },
        {
          provide: ChangeFeed,
          inject: [ReplicaDriver, Expiry],
          useFactory: (driver: ReplicaDriver, expiry: Expiry) => new ChangeFeed(driver, expiry),
        },
        {
          provide: BatchReader,
          inject: [ChangeFeed, Tokens],
          useFactory: (feed: ChangeFeed, tokens: Tokens) => new BatchReader(feed, tokens, resolve),
        },
        {
          provide: ChangeHub,
          inject: [ReplicaDriver, BatchReader, Metrics],
          useFactory: (driver: ReplicaDriver, batches: BatchReader, metrics: Metrics) => {
            const hub = new ChangeHub(driver, batches, readersMax);
            metrics.watchReaders(() => hub.readers);
            return hub;
          },
        },
        {
          provide: ChangesHandler,
          inject: [ReplicaDriver, Tokens, ChangeFeed, BatchReader, ChangeHub, Metrics],
          useFactory: (
            driver: ReplicaDriver,
            tokens: Tokens,
            feed: ChangeFeed,
            batches: BatchReader,
            hub: ChangeHub,
            metrics: Metrics,
          ) => {
            const served = (entries: number): void => metrics.changesServed(entries);
            return new ChangesHandler(driver, tokens, { feed, batches, hub, served });
          },
        },
      ],
    };
  }

  async onModuleDestroy(): Promise<void> {
    await this.hub.stop();
  }
}
