// Which requests does the router see? Those that the early route leaves. And how many connections does a port take?

import { once } from 'node:events';
import type { Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import type { Express } from 'express';
import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ServerAdapter } from '../../../src/controllers/http/server-adapter.js';
import { listen, stopListening } from '../../support/local-server.js';

describe('the early route', () => {
  let server: Server;
  let url: string;
  const routed: string[] = [];

  beforeEach(async () => {
    const adapter = new ServerAdapter({ requestTimeoutMs: 1000, hasPeerPort: false });
    adapter.initHttpServer();
    adapter.getInstance<Express>().use((req, res) => {
      routed.push(req.url);
      res.end('routed');
    });
    adapter.routeEarly((req, res) => {
      if (!req.url!.startsWith('/early')) return false;
      res.end('early');
      return true;
    });
    server = adapter.getHttpServer() as Server;
    url = await listen(server);
  });
  afterEach(() => stopListening(server));

  it('answers what it takes, and the router never sees it; the rest is routed', async () => {
    expect(await (await fetch(`${url}/early`)).text()).toBe('early');
    expect(await (await fetch(`${url}/late`)).text()).toBe('routed');
    expect(routed).toEqual(['/late']);
  });
});

describe('a port', () => {
  it('takes as many connections as it is told, and counts those beyond', async () => {
    const warned = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
    const adapter = new ServerAdapter({ requestTimeoutMs: 1000, hasPeerPort: true });
    adapter.initHttpServer();
    adapter.limitConnections({ clients: 1, peers: 1 });
    const clients = adapter.getHttpServer() as Server;
    await listen(clients);
    const { port } = clients.address() as AddressInfo;
    const first = connect(port, '127.0.0.1');
    await once(clients, 'connection');
    await once(
      connect(port, '127.0.0.1').on('error', () => {}),
      'close',
    );
    expect(adapter.refusals.count).toBe(1);
    expect(warned).toHaveBeenCalledTimes(1);
    warned.mockRestore();
    first.destroy();
    stopListening(clients);
  });
});
