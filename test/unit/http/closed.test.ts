// Which connections does a server end that closes? Those that are done: no answer is under way to a client, however slowly
// that takes it.

import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { closed } from '../../../src/controllers/http/closed.js';
import { PlainServer } from '../../../src/controllers/http/plain/plain-server.js';
import { listen } from '../../support/local-server.js';
import { RawClient, rawRequest } from '../../support/raw-client.js';
import { until } from '../../support/until.js';

const OPTIONS = { keepAliveTimeout: 60_000, connectionsCheckingInterval: 50 };

/** More than the system keeps of what a client does not take. */
const LARGE = 'x'.repeat(16 * 2 ** 20);

/** Less than what a stream has before it asks to wait. */
const SMALL = 'x'.repeat(10_000);

describe('a server that closes', () => {
  let server: PlainServer;
  let client: RawClient;
  /** The server's side of the client's connection. */
  let socket: Socket;
  let answered: number;

  beforeEach(async () => {
    answered = 0;
    server = new PlainServer(
      OPTIONS,
      (req, res) => {
        if (req.method !== 'GET') return false;
        res.end(SMALL);
        answered++;
        return true;
      },
      (req, res) => {
        res.end(req.url === '/large' ? LARGE : SMALL);
        answered++;
      },
    );
    await listen(server);
    const connected = once(server, 'connection');
    client = await RawClient.connect((server.address() as AddressInfo).port);
    [socket] = (await connected) as [Socket];
  });
  afterEach(() => client.leave());

  it.each(['GET', 'POST'])('ends a connection that has had its answer: %s', async (method) => {
    await client.send(rawRequest(method, '/small')).response();
    const end = closed(server);
    expect(await client.rest()).toBe('');
    await end;
  });

  it('sends an answer that has been given to the end, and ends the connection then', async () => {
    client.pause().send(rawRequest('POST', '/large'));
    await until('it is answered', () => answered === 1);
    const end = closed(server);
    // As it does time and again.
    server.closeIdleConnections();
    client.resume();
    expect((await client.response()).body).toHaveLength(LARGE.length);
    expect(await client.rest()).toBe('');
    await end;
  });

  it('sends what came before a connection went over to Node', async () => {
    const count = await answersUntilSomeWait();
    client.send('POST /small HTTP/1.1\r\nHost: a\r\nContent-Le');
    await until('it has gone over', () => socket.listenerCount('pause') > 0);
    const end = closed(server);
    client.resume().send('ngth: 0\r\n\r\n');
    for (let taken = 0; taken <= count; taken++) expect((await client.response()).body).toBe(SMALL);
    await end;
  });

  it('sends small answers to plain requests to the end', async () => {
    const count = await answersUntilSomeWait();
    const end = closed(server);
    client.resume();
    for (let taken = 0; taken < count; taken++) expect((await client.response()).body).toBe(SMALL);
    expect(await client.rest()).toBe('');
    await end;
  });

  /** Plain requests, one after the other, until not all of an answer has left. @returns how many */
  async function answersUntilSomeWait(): Promise<number> {
    client.pause();
    for (let sent = 1; ; sent++) {
      client.send(rawRequest('GET', '/small'));
      while (answered < sent) await new Promise((resolve) => setImmediate(resolve));
      if (socket.writableLength > 0) return sent;
    }
  }
});
