// One lifecycle: a replica that talks to its peers from the moment the application listens until it drains.

import { Agent } from 'node:http';
import { HttpModule, HttpService } from '@nestjs/axios';
import { Inject, Logger, Module, type BeforeApplicationShutdown, type DynamicModule } from '@nestjs/common';
import type { Members } from '../clock/membership.js';
import type { Member } from '../cluster/members.js';
import { ReplicaStore } from '../store/replica-store.js';
import { Discovery } from './discovery.js';
import { Replica } from './engine/replica.js';
import { Expiry } from './expiry.js';
import { newIncarnation } from './incarnation.js';
import { DriverEvents } from './driver-events.js';
import { ReplicaDriver, TICK_MS } from './replica-driver.js';
import { RequestSweeper } from './request-sweeper.js';
import { Room } from './room.port.js';
import { Scrubber } from './scrubber.js';
import { SystemTime } from './system-time.js';
import { Time } from './time.port.js';
import { PeerTransport } from './transport.port.js';
import { HttpPeerTransport, MESSAGE_BYTES_MAX } from './transport/http-peer-transport.js';
import { PeerEndpoint } from './transport/peer-endpoint.js';

export interface ReplicationOptions {
  readonly name: string;
  /** Where other replicas reach this one; undefined: not known. */
  readonly url: string | undefined;
  readonly peers: readonly Member[];
  /** Asks a name service who the members are. */
  readonly findMembers: (() => Promise<readonly Member[]>) | undefined;
  readonly clusterSecret: string | undefined;
  /** Log entries kept for members that stay away. */
  readonly logMax: number;
  /** How long log entries are kept for readers of the change feed. */
  readonly feedRetentionSeconds: number;
  /** Records checked in the background; 0: none. */
  readonly scrubKeysPerSecond: number;
  /** How long a request with an idempotency key is remembered. */
  readonly requestsKeptMs: number;
  /** The modules that provide `ReplicaStore`, `DriverEvents` and `Room`. */
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
    @Inject(Discovery) private readonly discovery: Discovery,
    @Inject(Expiry) private readonly expiry: Expiry,
    @Inject(RequestSweeper) private readonly sweeper: RequestSweeper,
  ) {}

  static of({
    name,
    url,
    peers,
    findMembers,
    clusterSecret,
    logMax,
    feedRetentionSeconds,
    scrubKeysPerSecond,
    requestsKeptMs,
    imports,
  }: ReplicationOptions): DynamicModule {
    const configured = asMembers(peers);
    const unnamed = peers.filter((peer) => !peer.isNamed).map((peer) => peer.name);
    const retentionTicks = Math.ceil((feedRetentionSeconds * 1000) / TICK_MS);
    const identity = { name, url, logMax, retentionTicks, unnamed };
    return {
      module: ReplicationModule,
      imports: [...imports, httpClient()],
      providers: [
        { provide: Time, useClass: SystemTime },
        {
          provide: Replica,
          inject: [ReplicaStore, Time],
          useFactory: async (store: ReplicaStore, time: Time) => {
            const { node, claims } = store.view;
            const loaded = { ...node, claims, members: store.members, ahead: await store.aheadContexts() };
            // Who is there already must be known before this node says that it has caught up.
            const listed = (await findMembers?.().catch(() => [])) ?? [];
            const isNew = node.clock.size === 0 && loaded.members.size === 0;
            const awaitsMembers = findMembers !== undefined && isNew && listed.length === 0;
            // That it is listed itself is no word on whether it belongs: it may have been removed, and is to join anew.
            const found = asMembers(listed.filter((member) => member.name !== name));
            const nextIncarnation = (): string => newIncarnation(time.nowMs());
            return new Replica(
              { ...identity, nextIncarnation, configured: new Map([...found, ...configured]), awaitsMembers },
              loaded,
            );
          },
        },
        {
          provide: PeerTransport,
          inject: [HttpService, Replica],
          useFactory: (http: HttpService, replica: Replica) =>
            new HttpPeerTransport(http, { name, clusterSecret }, (to) => memberOf(to, replica, peers)),
        },
        {
          provide: ReplicaDriver,
          inject: [Replica, ReplicaStore, PeerTransport, Time, DriverEvents, Room],
          useFactory: (
            replica: Replica,
            store: ReplicaStore,
            transport: PeerTransport,
            time: Time,
            events: DriverEvents,
            room: Room,
          ) => new ReplicaDriver(replica, store, { transport, time, events, room }),
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
          provide: Expiry,
          inject: [ReplicaDriver, ReplicaStore, Time],
          useFactory: (driver: ReplicaDriver, store: ReplicaStore, time: Time) =>
            new Expiry(driver, store, time, feedRetentionSeconds * 1000),
        },
        {
          provide: RequestSweeper,
          inject: [ReplicaDriver, ReplicaStore, Time],
          useFactory: (driver: ReplicaDriver, store: ReplicaStore, time: Time) =>
            new RequestSweeper(driver, store, time, requestsKeptMs),
        },
        {
          provide: Discovery,
          inject: [ReplicaDriver, Time],
          useFactory: (driver: ReplicaDriver, time: Time) =>
            new Discovery(
              {
                find: findMembers && (async () => asMembers(await findMembers())),
                found: (members) => driver.found(members),
                failed: ({ message }) => new Logger('Replica').warn(`the members could not be found: ${message}`),
              },
              time,
            ),
        },
        {
          provide: PeerEndpoint,
          inject: [ReplicaDriver],
          useFactory: (driver: ReplicaDriver) => new PeerEndpoint(driver, name),
        },
      ],
      exports: [ReplicaDriver, Scrubber, Expiry, RequestSweeper, Discovery, PeerEndpoint],
    };
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.discovery.stop();
    await this.scrubber.stop();
    await this.expiry.stop();
    await this.sweeper.stop();
    const owed = await this.driver.drain();
    if (owed === 0) return;
    const lonely = `up to ${owed} writes of this replica are on this disk only, until it starts again`;
    new Logger('Replica').warn(`${lonely}: no member has told that it has them`);
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

/** Those with names; what was heard of a member since outweighs version 0. */
function asMembers(members: readonly Member[]): Members {
  const named = members.filter(({ isNamed }) => isNamed);
  return new Map(named.map(({ name, url }) => [name, { url, version: 0 }]));
}

function memberOf(name: string, replica: Replica, configured: readonly Member[]): Member | undefined {
  const unnamed = configured.find((member) => member.name === name && !member.isNamed);
  const known = replica.members.get(name);
  return unnamed ?? (known && { name, url: known.url, isNamed: true });
}
