// Is a long JSON text made no faster than the client takes it? A server and a client over a real socket.

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { writeJsonPieces } from '../../../src/controllers/http/json-pieces.js';
import { RawClient, rawRequest } from '../../support/raw-client.js';
import { until } from '../../support/until.js';

const LONG = 'ü'.repeat(500_000);
/** Twice as many would be made without waiting. */
const HELD_MAX = 20;

let server: Server;
let made: number;
let hasEnded: boolean;

beforeEach(async () => {
  [made, hasEnded] = [0, false];
  function* pieces(count: number, text: string): Generator<string> {
    yield '[0';
    for (made = 0; made < count; made++) yield `,${JSON.stringify(text)}`;
    yield ']';
  }
  server = createServer((req, res) => {
    const texts = req.url === '/short' ? pieces(2, 'ü') : pieces(2 * HELD_MAX, LONG);
    void writeJsonPieces(res, texts).then(() => (hasEnded = true));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const port = (): number => (server.address() as AddressInfo).port;

test('A short one is sent with its length', async () => {
  const response = await fetch(`http://127.0.0.1:${port()}/short`);
  expect(response.headers.get('Content-Length')).toBe('13');
  expect(await response.json()).toEqual([0, 'ü', 'ü']);
});

test('A long one comes whole', async () => {
  const response = await fetch(`http://127.0.0.1:${port()}/long`);
  expect(response.headers.get('Content-Length')).toBeNull();
  const items = (await response.json()) as string[];
  expect(items).toHaveLength(1 + 2 * HELD_MAX);
  expect(items.slice(1).every((item) => item === LONG)).toBe(true);
});

test('Of a long one no more is made while the client takes none, and nothing once it has left', async () => {
  const client = await RawClient.connect(port());
  client.pause().send(rawRequest('GET', '/long'));
  await until('no more is made', async () => {
    const before = made;
    await new Promise((resolve) => setTimeout(resolve, 100));
    return before > 0 && made === before;
  });
  expect(made).toBeLessThan(HELD_MAX);
  client.leave();
  await until('the writer has ended', () => hasEnded);
  expect(made).toBeLessThan(HELD_MAX);
});
