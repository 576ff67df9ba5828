// How does a replica come up? From a configuration to a server that listens; in tests several times in one process.

import type { Server } from 'node:http';
import { NestFactory } from '@nestjs/core';
import type { LoggerService, LogLevel } from '@nestjs/common';
import { AppModule } from './app.module.js';
import type { Config } from './config/config.js';
import { connectionsMax, descriptorsMax } from './config/descriptors.js';
import { serveDocument } from './controllers/http/document.js';
import { refuseUnknownHeaders } from './controllers/http/own-headers.js';
import { ServerAdapter } from './controllers/http/server-adapter.js';
import { KeyRoute } from './controllers/kv/key-route.js';
import { PeerController } from './controllers/peer/peer.controller.js';
import { PeerRoute } from './controllers/peer/peer-route.js';
import { Metrics } from './observability/metrics.js';
import { StartLog } from './observability/start-log.js';
import { Discovery } from './replication/discovery.js';
import { Expiry } from './replication/expiry.js';
import { ReplicaDriver } from './replication/replica-driver.js';
import { RequestSweeper } from './replication/request-sweeper.js';
import { Scrubber } from './replication/scrubber.js';

export interface Application {
  /** The port it listens on: the configured one, or the one given for 0. */
  readonly port: number;
  /** Ends requests under way, commits what was taken, and closes the store. */
  close(): Promise<void>;
}

export async function startApplication(
  config: Config,
  options: { readonly logger: LoggerService | LogLevel[] | false; readonly onStopped: (error: unknown) => void },
): Promise<Application> {
  const adapter = new ServerAdapter({
    requestTimeoutMs: config.requestTimeoutMs,
    hasPeerPort: config.peerPort !== undefined,
  });
  const app = await NestFactory.create(AppModule.of(config, options.onStopped), adapter, {
    logger: options.logger,
    bodyParser: false,
    abortOnError: false,
  });
  const keys = app.get(KeyRoute);
  const peers = new PeerRoute(app.get(PeerController));
  adapter.routeEarly((req, res) => keys.take(req, res) || peers.take(req, res));
  app.get(Metrics).watchRequests(adapter.requests);
  app.get(Metrics).watchUnsent(adapter.unsent);
  adapter.limitConnections(connectionsMax(await descriptorsMax()));
  app.get(Metrics).watchRefusals(adapter.refusals);
  app.use(refuseUnknownHeaders);
  serveDocument(app);
  const server = app.getHttpServer() as Server;
  try {
    await app.listen(config.port, config.host);
    if (config.peerPort !== undefined) await adapter.listenToPeers(config.peerPort, config.host);
  } catch (error) {
    await app.close();
    throw error;
  }
  // Not before: a process that can't have the address must not speak to peers as if it were this replica.
  app.get(ReplicaDriver).start();
  app.get(Scrubber).start();
  app.get(Expiry).start();
  app.get(RequestSweeper).start();
  app.get(Discovery).start();
  app.get(StartLog).start();
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : config.port,
    close: () => app.close(),
  };
}
