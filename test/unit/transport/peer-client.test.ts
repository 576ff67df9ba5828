import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { PeerClient } from '../../../src/replication/transport/peer-client.js';

let server: Server;

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

async function serve(listener: RequestListener): Promise<string> {
  server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function message(url: string, timeoutMs = 5000) {
  return { url: `${url}/put_remote`, headers: { 'Content-Type': 'application/octet-stream' }, body: BODY, timeoutMs };
}

const BODY = Buffer.from('a message');

describe('a message to a peer', () => {
  it('is posted with the headers that were asked for and no others, and its answer comes back whole', async () => {
    const url = await serve((req, res) => {
      const chunks: Buffer[] = [];
      req.on('data', (chunk: Buffer) => chunks.push(chunk));
      req.on('end', () => {
        res.writeHead(201, { 'Content-Encoding': 'deflate' });
        res.write(`${req.method} ${req.url} ${JSON.stringify(req.rawHeaders)} `);
        setTimeout(() => res.end(Buffer.concat(chunks)), 20);
      });
    });
    const { status, encoding, body } = await new PeerClient(1000).post(message(url));
    const host = new URL(url).host;
    const headers = ['Content-Type', 'application/octet-stream', 'Content-Length', '9', 'Host', host];
    expect(body.toString()).toBe(`POST /put_remote ${JSON.stringify(headers)} a message`);
    expect([status, encoding]).toEqual([201, 'deflate']);
  });

  it('goes over the connection that the last one left', async () => {
    const ports = new Set<number | undefined>();
    const url = await serve((req, res) => {
      ports.add(req.socket.remotePort);
      res.removeHeader('Connection');
      res.end(String(ports.size));
    });
    const client = new PeerClient(1000);
    for (let i = 0; i < 5; i++) expect((await client.post(message(url))).body.toString()).toBe('1');
  });

  it.each<[string, RequestListener, RegExp]>([
    ['no answer comes in time', () => {}, /no answer within 100 ms/],
    ['the answer does not end in time', (_, res) => void res.write('begun'), /no answer within 100 ms/],
    ['the connection ends first', (req) => void req.socket.destroy(), /socket hang up|ECONNRESET/],
    [
      'it ends within the answer',
      (_, res) => void res.writeHead(200, { 'Content-Length': 100 }).write('part', () => res.socket!.destroy()),
      /aborted|ended before/,
    ],
    ['the answer is too long', (_, res) => void res.end(Buffer.alloc(1001)), /longer than 1000 bytes/],
    ['it is no HTTP', (req) => void req.socket.end('nonsense\r\n\r\n'), /Parse Error/],
  ])('fails when %s, and leaves no connection', async (_, listener, problem) => {
    const url = await serve(listener);
    const connected = once(server, 'connection');
    await expect(new PeerClient(1000).post(message(url, 100))).rejects.toThrow(problem);
    const [socket] = (await connected) as [Socket];
    if (!socket.closed) await once(socket, 'close');
  });

  it('goes over a new connection after one that failed, and after one that its peer has ended', async () => {
    let count = 0;
    const url = await serve((_, res) => {
      count++;
      if (count === 2) res.setHeader('Connection', 'close');
      if (count !== 1) res.end(String(count));
    });
    const client = new PeerClient(1000);
    await expect(client.post(message(url, 50))).rejects.toThrow('no answer within 50 ms');
    for (const answer of ['2', '3', '4']) expect((await client.post(message(url))).body.toString()).toBe(answer);
    server.closeIdleConnections();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect((await client.post(message(url))).body.toString()).toBe('5');
  });

  it('fails when nobody listens', async () => {
    const url = await serve(() => {});
    server.close();
    await once(server, 'close');
    await expect(new PeerClient(1000).post(message(url))).rejects.toThrow('ECONNREFUSED');
  });
});
