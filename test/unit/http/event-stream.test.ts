// Does an event come whole to who takes it slowly? A server and a client over a real socket.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EMPTY_VECTOR } from '../../../src/clock/version-vector.js';
import { Batch } from '../../../src/controllers/changes/batch.js';
import { EventStream, writeStreamHead } from '../../../src/controllers/changes/event-stream.js';
import type { HubReader } from '../../../src/controllers/changes/hub-reader.js';
import { listen, stopListening } from '../../support/local-server.js';
import { RawClient, rawRequest } from '../../support/raw-client.js';
import { takeSlowly } from '../../support/slow-client.js';
import { until } from '../../support/until.js';

/** More than the sockets of both sides hold. */
const BODY = 'x'.repeat(25_000_000);
const CURSOR = { clock: EMPTY_VECTOR, ended: { wallMs: 0, key: '' } };

/** It stands at a cursor, is told of one batch, and of no other. */
function readerOfOne(): HubReader {
  const batches = [new Batch(CURSOR, 'token', 1, 0, 'session', BODY)];
  return { token: 'before', next: async () => batches.shift(), close: () => {} } as Partial<HubReader> as HubReader;
}

describe('an event of many megabytes', () => {
  let server: Server;
  let url: string;
  let hasEnded: boolean;

  beforeEach(async () => {
    hasEnded = false;
    server = createServer((req, res) => {
      writeStreamHead(res);
      const stream = new EventStream(res, readerOfOne(), () => {}, Number(req.url!.slice(1)));
      void stream.follow().then(() => (hasEnded = true));
    });
    url = await listen(server);
  });
  afterEach(() => stopListening(server));

  it('comes after the cursor at which the reader stood: who loses the connection at once goes on from there', async () => {
    const bytes = await (await fetch(`${url}/1000`)).text();
    expect(bytes.split('\n\n', 2)).toEqual([`retry: 1000\nid: before`, expect.stringMatching(/^data: x/)]);
  });

  it('has its cursor in its last line: who takes that as it comes has not lost an event that was cut before it', async () => {
    const bytes = await (await fetch(`${url}/1000`)).text();
    expect(bytes.slice(-30)).toBe(`${'x'.repeat(18)}\nid: token\n\n`);
  });

  it('comes whole to a reader that takes it slowly, for longer than one may take nothing', async () => {
    const bytes = await takeSlowly(`${url}/1000`, { bytes: 500_000, everyMs: 50 });
    expect(bytes).toBe(`retry: 1000\nid: before\n\ndata: ${BODY}\nid: token\n\n`.length);
  });

  it('is sent no more to a reader that takes nothing', async () => {
    const client = await RawClient.connect((server.address() as AddressInfo).port);
    client.pause().send(rawRequest('GET', '/300'));
    await until('the stream has ended', () => hasEnded);
    expect((await client.resume().rest()).length).toBeLessThan(BODY.length);
  });
});
