// How long does a body take room from others?

import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BodyBudget, readBody, withBody } from '../../../src/controllers/http/body.js';
import { ClientGoneError } from '../../../src/controllers/http/send-problem.js';

const BYTES_MAX = 100;

describe('a body', () => {
  const server = createServer();
  let port: number;

  beforeEach(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
  });

  afterEach(async () => {
    server.close();
    await once(server, 'close');
  });

  it.each([
    ['half sent', '0123'],
    ['sent in full', '0123456789'],
  ])('is given up when its client leaves before anybody reads it, when it was %s', async (_, sent) => {
    const budget = new BodyBudget(BYTES_MAX);
    const client = connect(port, '127.0.0.1');
    const requested = once(server, 'request') as Promise<[IncomingMessage]>;
    client.write(`PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n${sent}`);
    const [req] = await requested;
    const closed = new Promise((resolve) => req.once('close', resolve));
    client.destroy();
    await closed;

    const limit = { bytesMax: BYTES_MAX, tooLarge: 'VALUE_TOO_LARGE', budget } as const;
    await expect(readBody(req, limit)).rejects.toThrow(ClientGoneError);
    budget.reserve(BYTES_MAX);
    expect(() => budget.reserve(1)).toThrow();
  });

  it('counts until whoever waits with it has done, however that ends', async () => {
    const budget = new BodyBudget(BYTES_MAX);
    const client = connect(port, '127.0.0.1');
    const requested = once(server, 'request') as Promise<[IncomingMessage]>;
    client.write('PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789');
    const [req] = await requested;
    let fail: (error: Error) => void = () => {};
    const begun = new Promise<void>((begin) => {
      const limit = { bytesMax: BYTES_MAX, tooLarge: 'VALUE_TOO_LARGE', budget } as const;
      const waiting = (): Promise<never> => {
        begin();
        return new Promise((_, reject) => (fail = reject));
      };
      withBody(req, limit, waiting).catch(() => {});
    });
    await begun;
    expect(() => budget.reserve(BYTES_MAX - 9)).toThrow();
    fail(new Error('no answer'));
    await new Promise((resolve) => setImmediate(resolve));
    budget.reserve(BYTES_MAX);
    client.destroy();
  });

  it('in chunks counts as the largest that may come, and for what it is once it has come', async () => {
    const budget = new BodyBudget(BYTES_MAX);
    const client = connect(port, '127.0.0.1');
    const requested = once(server, 'request') as Promise<[IncomingMessage]>;
    client.write('PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
    const [req] = await requested;
    let answer: () => void = () => {};
    let answered: Promise<string> | undefined;
    const begun = new Promise<void>((begin) => {
      const limit = { bytesMax: BYTES_MAX, tooLarge: 'VALUE_TOO_LARGE', budget } as const;
      answered = withBody(req, limit, (body) => {
        begin();
        return new Promise((resolve) => (answer = () => resolve(body.toString())));
      });
    });
    expect(() => budget.reserve(1)).toThrow();
    client.write('a\r\n0123456789\r\n0\r\n\r\n');
    await begun;
    expect(() => budget.reserve(BYTES_MAX - 9)).toThrow();
    budget.reserve(BYTES_MAX - 10);
    budget.release(BYTES_MAX - 10);
    answer();
    expect(await answered).toBe('0123456789');
    budget.reserve(BYTES_MAX);
    expect(() => budget.reserve(1)).toThrow();
    client.destroy();
  });
});
