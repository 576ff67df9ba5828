// In which order are requests carried out that come over one connection without waiting for answers? Here the test says when
// each is answered.

import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import type { Express } from 'express';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ServerAdapter } from '../../../src/controllers/http/server-adapter.js';
import { listen, stopListening } from '../../support/local-server.js';
import { RawClient, rawRequest } from '../../support/raw-client.js';
import { until } from '../../support/until.js';

/** For what must be late. */
const REQUEST_TIMEOUT_MS = 100;

/** For what must not be, however busy the machine is. */
const LONG_TIMEOUT_MS = 300_000;

/** More than may wait while more is taken. */
const MANY = 10;

/** Longer than what Node keeps of a body that nobody reads, and of the socket. */
const LARGE = 'x'.repeat(300_000);

/** Requests for it are answered, and their bodies not read. */
const UNREAD = '/unread';

let adapter: ServerAdapter;
let server: Server;
let client: RawClient;
/** What has come, carried out or not. */
let arrived: number;
let begun: string[];
/** Gives the next answer, of so many bytes. */
let answer: (length?: number) => void;
/** Bodies that have come whole, by url. */
let received: Map<string, number>;

async function start(requestTimeoutMs: number): Promise<void> {
  arrived = 0;
  begun = [];
  received = new Map();
  const waiting: ServerResponse[] = [];
  adapter = new ServerAdapter({ requestTimeoutMs, hasPeerPort: false });
  adapter.initHttpServer();
  adapter.getInstance<Express>().use((req, res) => {
    begun.push(`${req.method} ${req.url}`);
    waiting.push(res);
    if (req.url !== UNREAD) receive(req);
  });
  server = adapter.getHttpServer() as Server;
  server.on('request', () => arrived++);
  answer = (length = 1) => waiting.shift()!.end('x'.repeat(length));
  await listen(server);
  client = await RawClient.connect((server.address() as AddressInfo).port);
}

afterEach(() => {
  client.leave();
  stopListening(server);
});

function receive(req: IncomingMessage): void {
  let bytes = 0;
  req.on('data', (piece: Buffer) => (bytes += piece.length));
  req.on('end', () => received.set(req.url!, bytes));
  req.on('error', () => {});
}

const get = (path: string): string => rawRequest('GET', path);
const beginning = (count: number): Promise<void> => until(`${count} have begun`, () => begun.length === count);

/** Whatever is on its way through the loopback has come. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await turnOfTheLoop();
}

describe('requests of one connection', () => {
  beforeEach(() => start(LONG_TIMEOUT_MS));

  it('are carried out one after the other, in the order in which they came', async () => {
    client.send(rawRequest('PUT', '/a', { body: 'value' }) + rawRequest('DELETE', '/a') + get('/a'));
    for (const expected of [['PUT /a'], ['PUT /a', 'DELETE /a'], ['PUT /a', 'DELETE /a', 'GET /a']]) {
      await beginning(expected.length);
      await settled();
      expect(begun).toEqual(expected);
      answer();
      expect((await client.response()).status).toBe(200);
    }
  });

  it('go on as soon as the one before has been taken in full, whatever its size, and bodies come whole', async () => {
    client.send(get('/large') + rawRequest('PUT', '/put', { body: LARGE }) + get('/behind'));
    await beginning(1);
    answer(8 * 2 ** 20);
    expect((await client.response()).body).toHaveLength(8 * 2 ** 20);
    await until('the body is there', () => received.get('/put') === LARGE.length);
    answer();
    await beginning(3);
    answer();
    for (let count = 0; count < 2; count++) expect((await client.response()).status).toBe(200);
    client.send(get('/later'));
    await beginning(4);
  });

  it('do not hold up those of another one', async () => {
    client.send(get('/held'));
    await beginning(1);
    const other = await RawClient.connect((server.address() as AddressInfo).port);
    other.send(get('/other'));
    await beginning(2);
    other.leave();
  });

  it('are told to continue in turn', async () => {
    const headers = { Expect: '100-continue', 'Content-Length': '5' };
    client.send(get('/a') + rawRequest('PUT', '/b', { headers }));
    await beginning(1);
    await settled();
    answer();
    expect((await client.response()).status).toBe(200);
    expect((await client.response()).status).toBe(100);
    client.send('value');
    await until('the body is there', () => received.get('/b') === 5);
    answer();
    expect((await client.response()).status).toBe(200);
  });

  it.each<[string, () => void]>([
    ['its client leaves', () => client.leave()],
    ['its client sends what is not HTTP', () => client.send('nonsense\r\n\r\n')],
    ['the server cuts it', () => server.closeAllConnections()],
  ])('are not carried out when it ends while they wait: %s', async (_, end) => {
    client.send(get('/held') + rawRequest('DELETE', '/waits'));
    await until('both are there', () => arrived === 2);
    end();
    await until('it is gone', () => isUnconnected());
    answer();
    await settled();
    expect(begun).toEqual(['GET /held']);
  });

  it('are not carried out behind the answer that ends it', async () => {
    adapter.sendAway();
    client.send(get('/last') + rawRequest('DELETE', '/behind'));
    await beginning(1);
    answer();
    expect(await client.rest()).toMatch(/^HTTP\/1\.1 200 /);
    expect(begun).toEqual(['GET /last']);
  });

  it('are taken a few kilobytes at a time while one is under way', async () => {
    const count = 100_000;
    client.send(get('/flood').repeat(count));
    await until('some are there', () => arrived > 1);
    await settled();
    // As many as have come at once.
    expect(arrived).toBeLessThan(count / 20);
    expect(begun).toHaveLength(1);
  });
});

const EXPECTING = { Expect: '100-continue' };

/** Requests that can't arrive in time: of what their clients send nothing is taken, or they wait for the word to send it. */
const HELD: readonly [what: string, behind: number, first: string, rest: string][] = [
  ['a body behind many requests', MANY, ...cut(rawRequest('PUT', '/late', { body: LARGE }), -1)],
  ['a head behind many requests', MANY, ...cut(rawRequest('PUT', '/late', { body: 'value' }), 10)],
  [
    'a body that waits to be asked for',
    1,
    ...cut(rawRequest('PUT', '/late', { headers: EXPECTING, body: 'value' }), -5),
  ],
  ['a body that is not read before the answer', 0, ...cut(rawRequest('PUT', UNREAD, { body: LARGE }), -1)],
  ['so is one that was asked for', 0, ...cut(rawRequest('PUT', UNREAD, { headers: EXPECTING, body: LARGE }), -1)],
];

function cut(text: string, at: number): [first: string, rest: string] {
  return [text.slice(0, at), text.slice(at)];
}

describe.each(HELD)('a request that is held: %s', (_, behind, first, rest) => {
  const isRead = !first.includes(UNREAD);

  /** Of the next one that is an answer. */
  async function status(): Promise<number> {
    const { status } = await client.response();
    return status === 100 ? (await client.response()).status : status;
  }

  beforeEach(async () => {
    await start(REQUEST_TIMEOUT_MS);
    client.send(get('/before').repeat(behind) + first);
    await beginning(1);
    await once(server, 'clientError');
    for (let count = 1; count <= (isRead ? behind : 1); count++) {
      if (count > 1) await beginning(count);
      answer();
      expect(await status()).toBe(200);
    }
  });

  it('is not told that it is late', async () => {
    client.send(rest);
    if (isRead) {
      await until('it has come', () => received.has('/late'));
      answer();
      expect(await status()).toBe(200);
    }
    client.send(get('/next'));
    await until('the next one begins', () => begun.at(-1) === 'GET /next');
    answer();
    expect(await status()).toBe(200);
  });

  it('is told so when its client sends no more though it is held no more', async () => {
    expect(await status()).toBe(408);
    expect(received.has('/late')).toBe(false);
  });
});

function isUnconnected(): Promise<boolean> {
  return new Promise((resolve) => server.getConnections((_, count) => resolve(count === 0)));
}
