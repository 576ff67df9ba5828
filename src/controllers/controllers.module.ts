// The HTTP edge put together: controllers, what they read bodies and tokens with, and the one filter of errors.

import { setTimeout as pause } from 'node:timers/promises';
import { Inject, Module, type BeforeApplicationShutdown, type DynamicModule } from '@nestjs/common';
import { APP_FILTER, HttpAdapterHost } from '@nestjs/core';
import type { Resolution } from '../clock/resolution.js';
import { ReplicaDriver } from '../replication/replica-driver.js';
import { DiskSpace } from '../observability/disk-space.js';
import { BatchController } from './batch/batch.controller.js';
import { BatchHandler } from './batch/batch-handler.js';
import { ClusterController } from './cluster/cluster.controller.js';
import { HealthController } from './cluster/health.controller.js';
import { MetricsController } from './cluster/metrics.controller.js';
import { BodyBudget } from './http/body.js';
import { ProblemFilter } from './http/problem.filter.js';
import type { ServerAdapter } from './http/server-adapter.js';
import { Problem } from './http/problem.js';
import { Tokens } from './http/tokens.js';
import { KeyRoute } from './kv/key-route.js';
import { KvController } from './kv/kv.controller.js';
import { KvHandler } from './kv/kv-handler.js';
import { KV_OPTIONS, type KvOptions } from './kv/kv-options.js';
import { ListHandler } from './kv/list-handler.js';
import { LegacyController } from './legacy/legacy.controller.js';
import { PEER_OPTIONS, PeerController, type PeerOptions } from './peer/peer.controller.js';
import { SnapshotController } from './snapshot/snapshot.controller.js';
import { TypedHandler } from './types/typed-handler.js';
import { CountersController, MapsController, SetsController } from './types/types.controller.js';

export interface ControllersOptions {
  readonly resolve: Resolution;
  readonly valueBytesMax: number;
  readonly bodyBytesMax: number;
  readonly clusterSecret: string | undefined;
  /** Whether the other replicas come to a port of their own. */
  readonly hasPeerPort: boolean;
  /** How long a stopping node, not ready any more, still takes requests. */
  readonly leaveMs: number;
  /** The modules that provide driver, peer endpoint, disk space, status and metrics. */
  readonly imports: DynamicModule[];
}

/** All messages of peers in memory at one time: each of 15 peers may push and be pulled from. */
const PEER_BODY_BYTES_MAX = 512 * 1024 * 1024;

const LEAVE_MS = Symbol('LeaveMs');

/** The HTTP edge: it translates and decides nothing. */
@Module({})
export class ControllersModule implements BeforeApplicationShutdown {
  constructor(
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost<ServerAdapter>,
    @Inject(ReplicaDriver) private readonly driver: ReplicaDriver,
    @Inject(LEAVE_MS) private readonly leaveMs: number,
  ) {}

  static of(options: ControllersOptions): DynamicModule {
    return {
      module: ControllersModule,
      imports: options.imports,
      controllers: [
        KvController,
        CountersController,
        SetsController,
        MapsController,
        LegacyController,
        PeerController,
        BatchController,
        SnapshotController,
        ClusterController,
        HealthController,
        MetricsController,
      ],
      providers: [
        { provide: APP_FILTER, useClass: ProblemFilter },
        { provide: Tokens, useFactory: () => new Tokens(options.clusterSecret) },
        { provide: BodyBudget, useFactory: () => new BodyBudget(options.bodyBytesMax) },
        {
          provide: KV_OPTIONS,
          inject: [DiskSpace, ReplicaDriver],
          useFactory: (disk: DiskSpace, driver: ReplicaDriver) => kvOptions(options, disk, driver),
        },
        { provide: LEAVE_MS, useValue: options.leaveMs },
        { provide: PEER_OPTIONS, useFactory: () => peerOptions(options) },
        {
          provide: KvHandler,
          inject: [ReplicaDriver, Tokens, BodyBudget, KV_OPTIONS],
          useFactory: (driver: ReplicaDriver, tokens: Tokens, budget: BodyBudget, kv: KvOptions) =>
            new KvHandler(driver, tokens, budget, kv),
        },
        { provide: KeyRoute, inject: [KvHandler], useFactory: (keys: KvHandler) => new KeyRoute(keys) },
        {
          provide: TypedHandler,
          inject: [ReplicaDriver, Tokens, BodyBudget, KV_OPTIONS],
          useFactory: (driver: ReplicaDriver, tokens: Tokens, budget: BodyBudget, kv: KvOptions) =>
            new TypedHandler(driver, tokens, budget, kv),
        },
        {
          provide: BatchHandler,
          inject: [ReplicaDriver, Tokens, BodyBudget, KV_OPTIONS],
          useFactory: (driver: ReplicaDriver, tokens: Tokens, budget: BodyBudget, kv: KvOptions) =>
            new BatchHandler(driver, tokens, budget, kv),
        },
        {
          provide: ListHandler,
          inject: [ReplicaDriver, Tokens],
          useFactory: (driver: ReplicaDriver, tokens: Tokens) => new ListHandler(driver, tokens, options.resolve),
        },
      ],
    };
  }

  /** Not ready any more: who sends requests gets time to see it, and the last ones are answered before replication ends. */
  async beforeApplicationShutdown(): Promise<void> {
    const { httpAdapter } = this.host;
    if (!httpAdapter.isListening) return;
    httpAdapter.sendAway();
    await pause(this.leaveMs);
    this.driver.leave();
    await httpAdapter.closeToClients();
  }
}

function kvOptions({ resolve, valueBytesMax }: ControllersOptions, disk: DiskSpace, driver: ReplicaDriver): KvOptions {
  return {
    memberCount: () => driver.peers.length + 1,
    resolve,
    valueBytesMax,
    checkWritable: () => {
      if (!disk.isNearlyFull) return;
      const threshold = `${disk.freeBytesMin} that must be left (QUARTET_DISK_FREE_MIN_BYTES)`;
      throw new Problem(
        'STORE_FULL',
        `${disk.free} bytes are free, fewer than the ${threshold}: make room, and writes go on`,
      );
    },
  };
}

function peerOptions({ clusterSecret, hasPeerPort }: ControllersOptions): PeerOptions {
  return { clusterSecret, hasPeerPort, budget: new BodyBudget(PEER_BODY_BYTES_MAX) };
}
