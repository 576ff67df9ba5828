// How long does a body take room from others?

import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BodyBudget, readBody, withBody, type BodyLimit } from '../../../src/controllers/http/body.js';
import { ClientGoneError } from '../../../src/controllers/http/send-problem.js';
import { until } from '../../support/until.js';

const BYTES_MAX = 100;
const MIB = 1024 * 1024;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

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

  it.each([1, 7, 69, 70, 99, BYTES_MAX])('of %i bytes comes whole, whatever chunks it comes in', async (length) => {
    const bytes = Array.from({ length }, (_, place) => String.fromCharCode(48 + (place % 60))).join('');
    for (const size of [1, 2, 33, BYTES_MAX]) {
      const { client, req } = await chunked();
      const body = readBody(req, limited(BYTES_MAX));
      for (let from = 0; from < length; from += size) client.write(chunkOf(bytes.slice(from, from + size)));
      client.write('0\r\n\r\n');
      expect((await body).toString()).toBe(bytes);
      client.destroy();
    }
  });

  it('keeps none of the chunks that it comes in', async () => {
    const { client, req } = await chunked();
    const chunks: WeakRef<Buffer>[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(new WeakRef(chunk)));
    const body = readBody(req, limited(BYTES_MAX));
    client.write(chunkOf('a') + chunkOf('b') + chunkOf('c'));
    await until('they have come', () => chunks.length === 3);
    await until('they are let go', () => {
      collectGarbage();
      return chunks.every((chunk) => chunk.deref() === undefined);
    });
    client.write('0\r\n\r\n');
    expect((await body).toString()).toBe('abc');
    client.destroy();
  });

  it('that is refused is let go, though its request stays', async () => {
    const { client, req } = await chunked();
    const sent = 'x'.repeat(16 * MIB);
    collectGarbage();
    const before = process.memoryUsage().arrayBuffers;
    const body = readBody(req, limited(sent.length - 1));
    client.write(`${sent.length.toString(16)}\r\n`);
    client.write(sent);
    await expect(body).rejects.toMatchObject({ code: 'VALUE_TOO_LARGE' });
    await until('it is let go', () => {
      collectGarbage();
      return process.memoryUsage().arrayBuffers < before + 4 * MIB;
    });
    expect(req.destroyed).toBe(false);
    client.destroy();
  });

  /** A request whose body is still to come, in chunks. */
  async function chunked(): Promise<{ client: Socket; req: IncomingMessage }> {
    const client = connect(port, '127.0.0.1');
    const requested = once(server, 'request') as Promise<[IncomingMessage]>;
    client.write('PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
    const [req] = await requested;
    return { client, req };
  }

  const chunkOf = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;

  const limited = (bytesMax: number): BodyLimit => ({
    bytesMax,
    tooLarge: 'VALUE_TOO_LARGE',
    budget: new BodyBudget(bytesMax),
  });
});
