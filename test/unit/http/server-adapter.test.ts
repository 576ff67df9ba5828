// Which requests does the router see? Those that the early route leaves.

import type { Server } from 'node:http';
import type { Express } from 'express';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
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
