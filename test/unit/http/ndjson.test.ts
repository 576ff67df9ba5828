// Are lines made no faster than the client takes them? A server and a client over a real socket.

import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { writeLines } from '../../../src/controllers/http/ndjson.js';
import { RawClient, rawRequest } from '../../support/raw-client.js';
import { takeSlowly } from '../../support/slow-client.js';
import { until } from '../../support/until.js';

const LINE = { text: 'x'.repeat(1000) };
const LINES = 25_000;
/** What the sockets of both sides and one piece may hold; twenty-five megabytes would be made without back-pressure. */
const HELD_LINES_MAX = 15_000;

/** More than the sockets of both sides hold: most of it waits in the server until the client takes it. */
const LONG_LINE = { text: 'x'.repeat(40_000_000) };

let server: Server;
/** Of the test's own writer; that of the test before may still be ending. */
let writer: { made: number; hasEnded: boolean };

beforeEach(async () => {
  const own = { made: 0, hasEnded: false };
  writer = own;
  function* lines(): Generator<unknown> {
    for (; own.made < LINES; own.made++) yield LINE;
  }
  async function* asyncLines(): AsyncGenerator<unknown> {
    yield* lines();
  }
  server = createServer((req, res) => {
    void linesOf(req.url!, res).then(() => (own.hasEnded = true));
  });
  function linesOf(url: string, res: ServerResponse): Promise<void> {
    const stalledMsMax = /^\/long\?(\d+)$/.exec(url)?.[1];
    if (stalledMsMax !== undefined) return writeLines(res, [LONG_LINE], Number(stalledMsMax));
    return writeLines(res, url === '/async' ? asyncLines() : lines());
  }
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

async function paused(path: string): Promise<RawClient> {
  const client = await RawClient.connect((server.address() as AddressInfo).port);
  client.pause().send(rawRequest('GET', path));
  await until('no more is made', async () => {
    const before = writer.made;
    await new Promise((resolve) => setTimeout(resolve, 100));
    return before > 0 && writer.made === before;
  });
  return client;
}

describe.each(['/sync', '/async'])('lines from %s', (path) => {
  it('are not made while the client takes none', async () => {
    const client = await paused(path);
    expect(writer.made).toBeLessThan(HELD_LINES_MAX);
    expect(writer.hasEnded).toBe(false);
    client.leave();
  });

  it('are made no more once the client has left', async () => {
    const client = await paused(path);
    client.leave();
    await until('the writer has ended', () => writer.hasEnded);
    expect(writer.made).toBeLessThan(HELD_LINES_MAX);
  });

  it('all come to a client that takes them', async () => {
    const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`);
    expect((await response.text()).split('\n')).toHaveLength(LINES + 1);
  });
});

describe('a line of many megabytes', () => {
  it('comes whole to a client that takes it slowly, for longer than one may take nothing', async () => {
    const { port } = server.address() as AddressInfo;
    const bytes = await takeSlowly(`http://127.0.0.1:${port}/long?1000`, { bytes: 1_000_000, everyMs: 50 });
    expect(bytes).toBe(JSON.stringify(LONG_LINE).length + 1);
    expect(writer.hasEnded).toBe(true);
  });

  it('is sent no more to a client that takes nothing', async () => {
    const client = await RawClient.connect((server.address() as AddressInfo).port);
    client.pause().send(rawRequest('GET', '/long?300'));
    await until('the writer has ended', () => writer.hasEnded);
    expect((await client.resume().rest()).length).toBeLessThan(LONG_LINE.text.length);
  });
});
