// What becomes of answers that nobody takes? A server with room for few of them, and clients over real sockets: on plain
// connections and on Node's, with answers given whole and in pieces.

import type { Server } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { Express } from 'express';
import { afterEach, beforeEach, describe, expect, it, jest, test } from '@jest/globals';
import { Answer } from '../../../src/controllers/http/answer.js';
import { deliver } from '../../../src/controllers/http/drained.js';
import { writeLines } from '../../../src/controllers/http/ndjson.js';
import { ServerAdapter } from '../../../src/controllers/http/server-adapter.js';
import { holdingWhile, Unsent } from '../../../src/controllers/http/unsent.js';
import { Metrics } from '../../../src/observability/metrics.js';
import { listen, stopListening } from '../../support/local-server.js';
import { RawClient, rawRequest } from '../../support/raw-client.js';
import { takeSlowly } from '../../support/slow-client.js';
import { until } from '../../support/until.js';

const MIB = 2 ** 20;
/** More than the sockets of both sides take. */
const ANSWER = Buffer.alloc(16 * MIB, 'answer ');
/** Whose sixteenth part is more than the system's buffers take at one time. */
const HUGE = Buffer.alloc(64 * MIB, 'huge ');
/** What may be held besides: a head, or a piece of the answer. */
const BESIDES = 100_000;
const GRACE_MS = 100;

const WAYS = {
  'of a plain connection': rawRequest('GET', '/plain'),
  "of Node's": rawRequest('GET', '/whole'),
  'in pieces': rawRequest('GET', '/pieces'),
  'in lines': rawRequest('GET', '/lines'),
  'that is made of much while it is sent': rawRequest('GET', '/kept'),
};
const EVERY_WAY = Object.entries(WAYS);

let unsent: Unsent;
let server: Server;
let port: number;
let warned: jest.SpiedFunction<Logger['warn']>;
let clients: RawClient[];

beforeEach(() => {
  warned = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
  clients = [];
});
afterEach(() => {
  for (const client of clients) client.leave();
  stopListening(server);
  jest.restoreAllMocks();
});

/** @param answers that there is room for, of this size */
async function serve(answers: number, graceMs = GRACE_MS): Promise<void> {
  unsent = new Unsent(answers * (ANSWER.length + BESIDES), graceMs);
  const adapter = new ServerAdapter({ requestTimeoutMs: 30_000, hasPeerPort: false }, unsent);
  adapter.initHttpServer();
  adapter.routeEarly((req, res) => {
    if (req.url === '/plain') new Answer(res).end(200, ANSWER);
    else if (req.url === '/small') res.end('small');
    else return false;
    return true;
  });
  adapter.getInstance<Express>().use((req, res) => {
    if (req.url === '/pieces') void deliver(res, ANSWER).then((isTaken) => isTaken && res.end());
    else if (req.url === '/lines') void writeLines(res, [ANSWER.toString()]);
    else if (req.url === '/kept') void holdingWhile(res, ANSWER.length, () => writeLines(res, manyLines()));
    else res.end(req.url === '/huge' ? HUGE : ANSWER);
  });
  server = adapter.getHttpServer() as Server;
  port = Number(new URL(await listen(server)).port);
}

/** As long as the answer. */
function* manyLines(): Generator<string> {
  const line = 'x'.repeat(10_000);
  for (let bytes = 0; bytes < ANSWER.length; bytes += line.length) yield line;
}

async function reader(request: string): Promise<RawClient> {
  const client = await RawClient.connect(port);
  clients.push(client);
  return client.send(request);
}

/** One more that asks and takes nothing. */
async function idler(request: string): Promise<RawClient> {
  const before = unsent.bytes;
  const client = (await reader(request)).pause();
  await until('its answer is held', () => unsent.bytes > before);
  return client;
}

/** What has come of the answer when it has ended, one way or the other. */
async function bytesOf(client: RawClient): Promise<number> {
  return (await client.resume().rest()).length;
}

describe.each(EVERY_WAY)('an answer %s', (_, request) => {
  it('is held while its client takes nothing, and no longer than until it has taken all', async () => {
    await serve(1);
    const client = await idler(request);
    expect(unsent.bytes).toBeGreaterThanOrEqual(ANSWER.length);
    expect(unsent.bytes).toBeLessThan(ANSWER.length + BESIDES);
    client.resume();
    await until('it is held no more', () => unsent.bytes === 0);
    expect(unsent.cuts).toBe(0);
  });

  it('is held no longer when its client leaves', async () => {
    await serve(1);
    (await idler(request)).leave();
    await until('it is held no more', () => unsent.bytes === 0);
    expect(unsent.cuts).toBe(0);
  });

  it('stays as long as its client likes while there is room', async () => {
    await serve(1, 10);
    await idler(request);
    await pause(60);
    expect(unsent.bytes).toBeGreaterThanOrEqual(ANSWER.length);
    expect(unsent.cuts).toBe(0);
  });

  it('is cut when it has been left for longest and there is no room for all, and no other is', async () => {
    await serve(2);
    const first = await idler(request);
    await idler(request);
    await pause(1.5 * GRACE_MS);
    expect(unsent.cuts).toBe(0);
    (await reader(request)).pause();
    await until('it is cut', () => unsent.cuts > 0);
    expect(await bytesOf(first)).toBeLessThan(ANSWER.length);
    expect(unsent.cuts).toBe(1);
    expect(unsent.bytes).toBeGreaterThanOrEqual(2 * ANSWER.length);
  });
});

test('Who takes all the while is not cut, however little room there is; who takes next to nothing is', async () => {
  await serve(0, 400);
  const answers = `http://127.0.0.1:${port}`;
  const takingLittle = takeSlowly(`${answers}/huge`, { bytes: 65_536, everyMs: 15 });
  const taken = ['/plain', '/whole', '/pieces', '/kept'].map((path) =>
    takeSlowly(`${answers}${path}`, { bytes: 65_536, everyMs: 4 }),
  );
  await expect(takingLittle).rejects.toThrow();
  const { length } = ANSWER;
  expect(await Promise.all(taken)).toEqual([length, length, length, expect.any(Number)]);
  expect(unsent.cuts).toBe(1);
});

test('Nobody is cut within the grace time, nor for time in which the process stood still', async () => {
  await serve(0, 400);
  await idler(WAYS['of a plain connection']);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
  await pause(50);
  expect(unsent.cuts).toBe(0);
  expect(unsent.bytes).toBeGreaterThan(0);
});

test('Small answers are not counted', async () => {
  await serve(0);
  const hold = jest.spyOn(unsent, 'hold');
  const client = await reader(rawRequest('GET', '/small'));
  expect((await client.response()).body).toBe('small');
  expect(hold).not.toHaveBeenCalled();
});

test('Cuts are counted, and told once a minute', async () => {
  const now = jest.spyOn(performance, 'now');
  await serve(0, 50);
  const metrics = new Metrics('n1');
  metrics.watchUnsent(unsent);
  for (const [cuts, seconds] of [0, 30, 61].entries()) {
    now.mockReturnValue(1000 * seconds);
    (await reader(WAYS["of Node's"])).pause();
    await until('it is cut', () => unsent.cuts > cuts);
  }
  const [first, ...more] = warned.mock.calls.map(([text]) => String(text));
  expect(first).toMatch(/^answers that are not taken have 167\d+ bytes, more than 0: .* 1 since .* from 127\.0\.0\.1$/);
  expect(more).toEqual([expect.stringMatching(/ 2 since /)]);
  const text = await metrics.registry.metrics();
  expect(text).toContain('quartet_unsent_cut_total{node="n1"} 3\n');
  expect(text).toContain('quartet_unsent_bytes{node="n1"} 0\n');
});
