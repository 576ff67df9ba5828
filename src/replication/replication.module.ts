// One lifecycle: a replica that talks to its peers from the moment the application listens until it drains.

import { Agent } from 'node:http';
import { HttpModule, HttpService } from '@nestjs/axios';
import { Inject, Module, type BeforeApplicationShutdown, type DynamicModule } from '@nestjs/common';
import type { Member } from '../cluster/members.js';
import { ReplicaStore } from '../store/replica-store.js';
import { Replica } from './engine/replica.js';
import { newIncarnation } from './incarnation.js';
import { DriverEvents, ReplicaDriver } from './replica-driver.js';
import { Scrubber } from './scrubber.js';
import { SystemTime } from './system-time.js';
import { Time } from './time.port.js';
import { PeerTransport } from './transport.port.js';
import { HttpPeerTransport, MESSAGE_BYTES_MAX } from './transport/http-peer-transport.js';
import { PeerEndpoint } from './transport/peer-endpoint.js';

export interface ReplicationOptions {
  readonly name: string;
  readonly peers: readonly Member[];
  readonly clusterSecret: string | undefined;
  /** Log entries kept for members that stay away. */
  readonly logMax: number;
  /** Records checked in the background; 0: none. */
  readonly scrubKeysPerSecond: number;
  /** The modules that provide `ReplicaStore`, and `DriverEvents`. */
  readonly imports: DynamicModule[];
}

/** Records of one step, and keys of one digest: few enough that a step takes milliseconds. */
const SCRUB_STEP_RECORDS = 1000;

/** Between two rounds of the scan: a small store is not read over and over without end. */
const SCRUB_PAUSE_MS = 10_000;

@Module({})
export class ReplicationModule implements BeforeApplicationShutdown {
  constructor(
    @Inject(ReplicaDriver) private readonly driver: ReplicaDriver,
    @Inject(Scrubber) private readonly scrubber: Scrubber,
  ) {}

  static of({ name, peers, clusterSecret, logMax, scrubKeysPerSecond, imports }: ReplicationOptions): DynamicModule {
    const peerNames = peers.map((peer) => peer.name);
    return {
      module: ReplicationModule,
      imports: [...imports, httpClient()],
      providers: [
        { provide: Time, useClass: SystemTime },
        {
          provide: PeerTransport,
          inject: [HttpService],
          useFactory: (http: HttpService) => new HttpPeerTransport(http, { name, clusterSecret }, peers),
        },
        {
          provide: ReplicaDriver,
          inject: [ReplicaStore, PeerTransport, Time, DriverEvents],
          useFactory: async (store: ReplicaStore, transport: PeerTransport, time: Time, events: DriverEvents) => {
            const { node, claims } = store.view;
            const loaded = { ...node, claims, ahead: await store.aheadContexts() };
            const identity = { name, nextIncarnation: () => newIncarnation(time.nowMs()), logMax };
            const replica = new Replica(identity, peerNames, loaded);
            return new ReplicaDriver(replica, store, { transport, time, events });
          },
        },
        {
          provide: Scrubber,
          inject: [ReplicaDriver, ReplicaStore, PeerTransport, Time, DriverEvents],
          useFactory: (
            driver: ReplicaDriver,
            store: ReplicaStore,
            transport: PeerTransport,
            time: Time,
            events: DriverEvents,
          ) => {
            const outside = { transport, time, observed: events.observed.bind(events) };
            const pace = {
              recordsPerSecond: scrubKeysPerSecond,
              stepRecordsMax: SCRUB_STEP_RECORDS,
              pauseMs: SCRUB_PAUSE_MS,
            };
            return new Scrubber(driver, store, outside, pace);
          },
        },
        {
          provide: PeerEndpoint,
          inject: [ReplicaDriver],
          useFactory: (driver: ReplicaDriver) => new PeerEndpoint(driver, name, peerNames),
        },
      ],
      exports: [ReplicaDriver, Scrubber, PeerEndpoint],
    };
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.scrubber.stop();
    await this.driver.drain();
  }
}

/** Connections are kept; a proxy from the environment or a redirect has no place between replicas. */
function httpClient(): DynamicModule {
  return HttpModule.register({
    httpAgent: new Agent({ keepAlive: true }),
    responseType: 'arraybuffer',
    maxContentLength: MESSAGE_BYTES_MAX,
    maxBodyLength: MESSAGE_BYTES_MAX,
    maxRedirects: 0,
    proxy: false,
    validateStatus: null,
  });
}
