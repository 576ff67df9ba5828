// What becomes of connections beyond the limit, and who hears of them?

import { once } from 'node:events';
import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';
import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { Refusals } from '../../../src/controllers/http/refusals.js';

const sockets: Socket[] = [];
let server: Server;
let warned: jest.SpiedFunction<Logger['warn']>;
let now: jest.SpiedFunction<typeof performance.now>;

beforeEach(() => {
  server = createServer((socket) => void sockets.push(socket));
  warned = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
  now = jest.spyOn(performance, 'now').mockReturnValue(0);
});

afterEach(() => {
  jest.restoreAllMocks();
  for (const socket of sockets.splice(0)) socket.destroy();
  server.close();
});

async function listening(connectionsMax: number): Promise<Refusals> {
  const refusals = new Refusals();
  refusals.limit(server, connectionsMax);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return refusals;
}

function connection(): Socket {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => {});
  sockets.push(socket);
  return socket;
}

async function accepted(): Promise<Socket> {
  const socket = connection();
  await once(server, 'connection');
  return socket;
}

test('A connection too many ends at once and is counted; the others stay, and when one of them ends another has its place', async () => {
  const refusals = await listening(2);
  const first = await accepted();
  const second = await accepted();
  await once(connection(), 'close');
  expect([refusals.count, first.destroyed, second.destroyed]).toEqual([1, false, false]);
  first.destroy();
  while ((await connectionsOf(server)) > 1) await new Promise((resolve) => setImmediate(resolve));
  await accepted();
  expect(refusals.count).toBe(1);
});

test('They are told of once a minute, with their number, the limit and an address', async () => {
  const refusals = await listening(1);
  await accepted();
  for (const seconds of [0, 1, 59, 61]) {
    now.mockReturnValue(1000 * seconds);
    await once(connection(), 'close');
  }
  expect(refusals.count).toBe(4);
  const line = (count: number) =>
    'there are 1 connections, as many as file descriptors allow (ulimit -n): others are refused, ' +
    `${count} since this was last said, of them one from 127.0.0.1`;
  expect(warned.mock.calls).toEqual([[line(1)], [line(3)]]);
});

function connectionsOf(of: Server): Promise<number> {
  return new Promise((resolve) => of.getConnections((_error, count) => resolve(count)));
}
