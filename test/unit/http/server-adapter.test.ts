// Which requests does the router see? Those that the early route leaves.

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import type { Express } from 'express';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ServerAdapter } from '../../../src/controllers/http/server-adapter.js';

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
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  it('answers what it takes, and the router never sees it; the rest is routed', async () => {
    expect(await (await fetch(`${url}/early`)).text()).toBe('early');
    expect(await (await fetch(`${url}/late`)).text()).toBe('routed');
    expect(routed).toEqual(['/late']);
  });
});
