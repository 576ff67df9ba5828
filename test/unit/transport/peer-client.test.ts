import { execFile as execFileCallback } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from '@jest/globals';
import { PeerClient } from '../../../src/replication/transport/peer-client.js';
import { until } from '../../support/until.js';

const execFile = promisify(execFileCallback);

let server: Server;

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

async function serve(listener: RequestListener, host = '127.0.0.1'): Promise<string> {
  server = createServer(listener).listen(0, host);
  await once(server, 'listening');
  return `http://${host.includes(':') ? `[${host}]` : host}:${(server.address() as AddressInfo).port}`;
}

function message(url: string, timeoutMs = 5000) {
  return { url: `${url}/put_remote`, headers: { 'Content-Type': 'application/octet-stream' }, body: BODY, timeoutMs };
}

const BODY = Buffer.from('a message');

/** What stands between replicas, now and then: answers are in chunks. */
function inChunks(listener: RequestListener): RequestListener {
  return (req, res) => {
    res.setHeader('Transfer-Encoding', 'chunked');
    listener(req, res);
  };
}

/** By its own reader, and by Node's client, once an answer has shown that the other will not do. */
const WAYS: readonly (readonly [way: string, between: (listener: RequestListener) => RequestListener])[] = [
  ['plain answers', (listener) => listener],
  ['answers in chunks', inChunks],
];

describe.each(WAYS)('a message to a peer, with %s', (way, between) => {
  const isPlain = way === 'plain answers';

  /** Node's client is used from the first message on. */
  async function clientOf(url: string): Promise<PeerClient> {
    const client = new PeerClient(1000);
    if (isPlain) return client;
    const listeners = server.listeners('request') as RequestListener[];
    server.removeAllListeners('request');
    server.on(
      'request',
      inChunks((_, res) => void res.setHeader('Connection', 'close').end('first')),
    );
    expect((await client.post(message(url))).body.toString()).toBe('first');
    server.removeAllListeners('request');
    for (const listener of listeners) server.on('request', listener);
    return client;
  }

  it('is posted with the headers that were asked for and no others, and its answer comes back whole', async () => {
    const url = await serve((req, res) => {
      const chunks: Buffer[] = [];
      req.on('data', (chunk: Buffer) => chunks.push(chunk));
      req.on('end', () => {
        const answer = `${req.method} ${req.url} ${JSON.stringify(req.headers)} ${Buffer.concat(chunks).toString()}`;
        res.writeHead(200, { 'Content-Encoding': 'deflate', ...(isPlain ? { 'Content-Length': answer.length } : {}) });
        res.write(answer.slice(0, 20));
        setTimeout(() => res.end(answer.slice(20)), 20);
      });
    });
    const { status, encoding, body } = await (await clientOf(url)).post(message(url));
    expect([status, encoding]).toEqual([200, 'deflate']);
    const [method, path, headers, sent] = body.toString().split(/ (?=[/{a])/);
    expect([method, path, sent]).toEqual(['POST', '/put_remote', 'a message']);
    const { host } = new URL(url);
    expect(JSON.parse(headers!)).toEqual({ host, 'content-type': 'application/octet-stream', 'content-length': '9' });
  });

  it('goes over the connection that the last one left', async () => {
    const ports = new Set<number | undefined>();
    const url = await serve(
      between((req, res) => {
        ports.add(req.socket.remotePort);
        res.removeHeader('Connection');
        res.end(String(ports.size));
      }),
    );
    server.keepAliveTimeout = 60_000;
    const client = await clientOf(url);
    for (let i = 0; i < 5; i++) expect((await client.post(message(url))).body.toString()).toBe('1');
  });

  it('lets its process end once it is answered, though the connection stays', async () => {
    const url = await serve(between((_, res) => void setTimeout(() => res.end('answered'), 50)));
    server.keepAliveTimeout = 60_000;
    const posting = `
      import { PeerClient } from './src/replication/transport/peer-client.ts';
      const message = { url: '${url}', headers: {}, body: Buffer.from('a message'), timeoutMs: 60_000 };
      const client = new PeerClient(1000);
      for (let round = 0; round < 2; round++) console.log((await client.post(message)).body.toString());
    `;
    const { stdout } = await execFile(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', posting], {
      timeout: 20_000,
    });
    expect(stdout).toBe('answered\nanswered\n');
  });

  it('goes beside another one', async () => {
    const waiting: (() => void)[] = [];
    const url = await serve(
      between((req, res) => {
        waiting.push(() => res.end(String(req.socket.remotePort)));
        if (waiting.length === 3) for (const answer of waiting) answer();
      }),
    );
    const client = await clientOf(url);
    const answers = await Promise.all([1, 2, 3].map(() => client.post(message(url))));
    expect(new Set(answers.map(({ body }) => body.toString())).size).toBe(3);
  });

  it.each<[string, RequestListener, RegExp, timeoutMs?: number]>([
    ['no answer comes in time', () => {}, /no answer within 100 ms/, 100],
    ['the answer does not end in time', (_, res) => void res.write('begun'), /no answer within 100 ms/, 100],
    ['the connection ends first', (req) => void req.socket.end(), /socket hang up|ended before/],
    ['the connection is reset', (req) => void req.socket.resetAndDestroy(), /socket hang up|ECONNRESET/],
    [
      'it ends within the answer',
      (_, res) => void res.writeHead(200, { 'Content-Length': 100 }).write('part', () => res.socket!.destroy()),
      /aborted|ended before/,
    ],
    ['the answer is too long', (_, res) => void res.end(Buffer.alloc(1001)), /longer than 1000 bytes/],
    ['it is no HTTP', (req) => void req.socket.end('nonsense\r\n\r\n'), /Parse Error/],
  ])('fails when %s, and leaves no connection', async (_, listener, problem, timeoutMs = 5000) => {
    const url = await serve(listener);
    const client = await clientOf(url);
    const sockets = new Set<Socket>();
    server.on('connection', (socket: Socket) => sockets.add(socket));
    await expect(client.post(message(url, timeoutMs))).rejects.toThrow(problem);
    await until('one has come and gone', () => sockets.size > 0 && [...sockets].every(({ closed }) => closed));
  });

  it('goes over a new connection after one that failed, and after one that its peer has ended', async () => {
    let count = 0;
    const url = await serve(
      between((_, res) => {
        count++;
        if (count === 2) res.setHeader('Connection', 'close');
        if (count !== 1) res.end(String(count));
      }),
    );
    const client = await clientOf(url);
    // Who has a new disk waits for peers that are silent, and goes by this code.
    const late = { message: 'no answer within 500 ms', code: 'ETIMEDOUT' };
    await expect(client.post(message(url, 500))).rejects.toMatchObject(late);
    for (const answer of ['2', '3', '4']) expect((await client.post(message(url))).body.toString()).toBe(answer);
    server.closeIdleConnections();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect((await client.post(message(url))).body.toString()).toBe('5');
  });

  it('fails when nobody listens', async () => {
    const url = await serve(() => {});
    const client = await clientOf(url);
    server.close();
    await once(server, 'close');
    await expect(client.post(message(url))).rejects.toThrow('ECONNREFUSED');
  });
});

describe('a message to a peer', () => {
  it('has no header that would be two', async () => {
    const url = await serve((_, res) => void res.end());
    const headers = { Authorization: 'Bearer a\r\nX-Other: b' };
    await expect(new PeerClient(1000).post({ ...message(url), headers })).rejects.toThrow('Invalid character');
  });

  it('gets its own answer, whatever came before it was sent', async () => {
    const sockets = new Set<Socket>();
    const url = await serve((req, res) => {
      sockets.add(req.socket);
      res.end('its own');
    });
    server.keepAliveTimeout = 60_000;
    const client = new PeerClient(1000);
    await client.post(message(url));
    for (const socket of sockets) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nanother');
    await Promise.all([...sockets].map((socket) => once(socket, 'close')));
    expect((await client.post(message(url))).body.toString()).toBe('its own');
    expect(sockets.size).toBe(2);
  });

  it('goes over another connection when the one before was answered before it had gone', async () => {
    const sockets = new Set<Socket>();
    const url = await serve((req, res) => {
      sockets.add(req.socket);
      // Nothing reads the body of the first.
      if (sockets.size > 1) req.resume();
      res.end(String(sockets.size));
    });
    const client = new PeerClient(1000);
    const large = { ...message(url), body: Buffer.alloc(32 * 1024 * 1024) };
    expect((await client.post(large)).body.toString()).toBe('1');
    expect((await client.post(message(url, 3000))).body.toString()).toBe('2');
  });

  it('is answered at length', async () => {
    const answer = Buffer.alloc(5_000_000, 'answer');
    const url = await serve((_, res) => void res.end(answer));
    expect((await new PeerClient(answer.length).post(message(url))).body.equals(answer)).toBe(true);
  });

  it('finds its way by a numeric address of either kind', async () => {
    for (const host of ['127.0.0.1', '::1']) {
      const url = await serve((req, res) => void res.end(req.headers.host), host);
      expect((await new PeerClient(1000).post(message(url))).body.toString()).toBe(new URL(url).host);
      server.close();
    }
  });

  it('leaves no more connections after many at once than one client may', async () => {
    const sockets = new Set<Socket>();
    const waiting: (() => void)[] = [];
    const url = await serve((req, res) => {
      sockets.add(req.socket);
      waiting.push(() => void res.end());
      if (waiting.length === 300) for (const answer of waiting) answer();
    });
    const client = new PeerClient(1000);
    await Promise.all(Array.from({ length: 300 }, () => client.post(message(url))));
    await until('the others have ended', () => [...sockets].filter(({ closed }) => closed).length === 44);
  });

  it('leaves no plain connection to where answers are not plain', async () => {
    const plainOnes = new Set<Socket>();
    let isPlain = true;
    const url = await serve((req, res) => {
      if (isPlain) plainOnes.add(req.socket);
      else res.setHeader('Transfer-Encoding', 'chunked');
      setTimeout(() => res.end(), 20);
    });
    server.keepAliveTimeout = 60_000;
    const client = new PeerClient(1000);
    await Promise.all([client.post(message(url)), client.post(message(url))]);
    isPlain = false;
    expect((await client.post(message(url))).status).toBe(200);
    expect(plainOnes.size).toBe(2);
    await until('both have ended', () => [...plainOnes].every(({ closed }) => closed));
  });

  it('fails when more than an answer comes', async () => {
    const url = await serve(({ socket }) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef'));
    await expect(new PeerClient(1000).post(message(url))).rejects.toThrow(/Parse Error/);
  });

  it('has no more time when it is sent once more', async () => {
    const url = await serve(inChunks((_, res) => void setTimeout(() => res.end('late'), 150)));
    await expect(new PeerClient(1000).post(message(url, 250))).rejects.toThrow('no answer within 250 ms');
  });

  it('is sent once more, by Node’s client, when its answer is not a plain one, and no other ever is', async () => {
    const bodies: string[] = [];
    const url = await serve(
      inChunks((req, res) => {
        req.on('data', (chunk: Buffer) => bodies.push(chunk.toString()));
        req.on('end', () => res.end(String(bodies.length)));
      }),
    );
    const client = new PeerClient(1000);
    for (const answer of ['2', '3', '4']) expect((await client.post(message(url))).body.toString()).toBe(answer);
  });
});
