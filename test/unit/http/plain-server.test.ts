// Can a client tell who answers, a plain connection or Node's server? One echo answers at both, and what comes over the
// connection must be the same to the byte, however the requests are cut into pieces. And how does a plain connection end?

import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Answer } from '../../../src/controllers/http/answer.js';
import type { Request, Response } from '../../../src/controllers/http/exchange.js';
import { PlainServer, type PlainRoute } from '../../../src/controllers/http/plain/plain-server.js';
import { Problem } from '../../../src/controllers/http/problem.js';
import { sendProblem } from '../../../src/controllers/http/send-problem.js';
import { Unsent } from '../../../src/controllers/http/unsent.js';
import { RequestMeter } from '../../../src/observability/request-meter.js';
import { RawClient, rawRequest } from '../../support/raw-client.js';
import { until } from '../../support/until.js';

const LOOK_MS = 50;
const KEEP_ALIVE_MS = 1000;
const REQUEST_TIMEOUT_MS = 400;
const STALLED_MS = 250;

const OPTIONS = {
  keepAliveTimeout: KEEP_ALIVE_MS,
  connectionsCheckingInterval: LOOK_MS,
  requestTimeout: REQUEST_TIMEOUT_MS,
  headersTimeout: REQUEST_TIMEOUT_MS,
  stalledMsMax: STALLED_MS,
};

/** What the server of these tests says of Node's own error. */
const TIMED_OUT = 'refused: ERR_HTTP_REQUEST_TIMEOUT';

const MIB = 2 ** 20;
const LARGE = Buffer.alloc(8 * MIB, 'large ');
/** The system's buffers tell of what is taken in steps of a megabyte or more: it has many of them. */
const HUGE = Buffer.alloc(48 * MIB, 'huge ');

/** Tells what it got, in the way that the path asks for. */
function echo(req: Request, res: Response, body: Buffer): void {
  const path = req.url!.split('?')[0]!.slice('/echo/'.length);
  const answer = new Answer(res);
  answer.setHeader('X-Got', `${req.method} ${req.url}`);
  answer.setHeader('X-Prefer', String(req.headers['prefer']));
  switch (path) {
    case 'bytes':
      answer.setHeader('Content-Type', 'application/octet-stream');
      return answer.end(200, body);
    case 'many-bytes':
      return answer.end(200, LARGE.subarray(0, 5000));
    case 'large':
      return answer.end(200, LARGE);
    case 'huge':
      return answer.end(200, HUGE);
    case 'text':
      return answer.endText(201, `{"text":"${body.toString()} ä"}`);
    case 'nothing':
      return answer.end(204);
    case 'unchanged':
      return answer.end(304);
    case 'problem':
      answer.release();
      return sendProblem(res, new Problem('KEY_NOT_FOUND', 'no such key', { 'Retry-After': '1', 'x-got': 'no' }));
    case 'silent':
      res.sendDate = false;
      if (!res.hasHeader('Connection')) res.removeHeader('Connection');
      res.setHeader('Content-Length', body.length);
      return void res.end(body);
    case 'unsafe':
      try {
        answer.setHeader('X-Unsafe', 'a\r\nX-Injected: b');
        return answer.end(200);
      } catch {
        return sendProblem(res, new Problem('INTERNAL', 'not said'));
      }
    default:
      return sendProblem(res, new Problem('NO_SUCH_ROUTE', path));
  }
}

const listener: RequestListener = (req: IncomingMessage, res) => {
  const pieces: Buffer[] = [];
  req.on('data', (piece: Buffer) => pieces.push(piece));
  req.on('end', () => echo(req, res, Buffer.concat(pieces)));
};

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const PATHS = ['bytes', 'many-bytes', 'text', 'nothing', 'unchanged', 'problem', 'silent', 'other?a=b'];
const LAST = 'GET /echo/nothing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

let server: PlainServer;
let port: number;
/** What was answered without Node's server, by url. */
let plainly: string[];
/** Answers of requests for `/echo/later`, to be given by the test. */
let later: (() => void)[];

beforeEach(async () => {
  plainly = [];
  later = [];
  const route: PlainRoute = (req, res) => {
    if (req.method === 'POST' || !req.url.startsWith('/echo/')) return false;
    plainly.push(req.url);
    if (req.url === '/echo/later') later.push(() => new Answer(res).end(200, Buffer.from('late')));
    // Sometimes at once, sometimes when the handler has waited for something.
    else if (req.body.length % 2 === 0) echo(req, res, req.body);
    else setImmediate(() => echo(req, res, req.body));
    return true;
  };
  server = new PlainServer(OPTIONS, route, listener);
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => socket.end(`refused: ${error.code}`));
  port = await listening(server);
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const get = (path: string): string => `GET /echo/${path} HTTP/1.1\r\nHost: a\r\n\r\n`;

/** A request that is answered when the test says so. */
async function underWay(client: RawClient): Promise<void> {
  client.send(get('later'));
  await until('it is under way', () => later.length === 1);
}

function connections(): Promise<number> {
  return new Promise((resolve, reject) =>
    server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  );
}

const pause = (ms: number): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, ms));

describe('a connection with plain requests', () => {
  it('gives the answers that Node would give, to the byte, however its bytes come', async () => {
    const nodes = createServer(OPTIONS, listener);
    // Requests in pieces are whole in time, also when this process stands still for a moment.
    for (const each of [server, nodes]) Object.assign(each, { requestTimeout: 30_000, headersTimeout: 30_000 });
    const nodesPort = await listening(nodes);
    const request = fc.oneof(
      {
        weight: 8,
        arbitrary: fc
          .tuple(
            fc.constantFrom('GET', 'HEAD', 'PUT', 'DELETE'),
            fc.constantFrom(...PATHS),
            fc.constantFrom('', 'a', 'ab', 'x'.repeat(3000)),
            fc.constantFrom<Record<string, string>>({}, { Prefer: 'a' }, { Prefer: 'b', Connection: 'keep-alive' }),
          )
          .map(([method, path, body, headers]) =>
            rawRequest(method, `/echo/${path}`, { headers, body: method === 'PUT' ? body : '' }),
          ),
      },
      { weight: 1, arbitrary: fc.constant(rawRequest('POST', '/echo/text', { body: 'posted' })) },
      {
        weight: 1,
        arbitrary: fc.constant(
          rawRequest('PUT', '/echo/bytes', {
            headers: { 'Transfer-Encoding': 'chunked' },
            body: '3\r\nabc\r\n0\r\n\r\n',
          }),
        ),
      },
      { weight: 1, arbitrary: fc.constant(get('bytes') + get('text') + get('nothing')) },
    );
    const conversation = fc.record({
      requests: fc.array(request, { minLength: 1, maxLength: 6 }),
      /** Places at which the bytes of all are cut, besides the ends of requests. */
      cuts: fc.array(fc.nat(), { maxLength: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(conversation, async ({ requests, cuts }) => {
        const text = [...requests, LAST].join('');
        const places = new Set(cuts.map((cut) => cut % text.length));
        let end = 0;
        for (const { length } of requests) places.add((end += length));
        const pieces = [0, ...places].sort((a, b) => a - b).map((from, i, all) => text.slice(from, all[i + 1]));
        const [plain, node] = await Promise.all([said(port, pieces), said(nodesPort, pieces)]);
        expect(plain).toBe(node);
      }),
      { numRuns: 150 },
    );
    expect(plainly.length).toBeGreaterThan(100);
    nodes.close();
  });

  /** All that comes back, but for dates. */
  async function said(to: number, pieces: readonly string[]): Promise<string> {
    const client = await RawClient.connect(to);
    for (const piece of pieces) {
      client.send(piece);
      // Most of them come alone, some with the next one.
      for (let turn = 0; turn < 6; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
    const text = await client.rest();
    client.leave();
    return text.replaceAll(/Date: [^\r]*/g, 'Date: some');
  }

  it('stays with this server for any number of them, and goes over to Node with the first other one', async () => {
    const client = await RawClient.connect(port);
    for (let count = 0; count < 3; count++) await client.send(get('nothing')).response();
    expect(plainly).toHaveLength(3);
    expect((await client.send(rawRequest('POST', '/echo/text', { body: 'a' })).response()).status).toBe(201);
    expect((await client.send(get('nothing')).response()).status).toBe(204);
    expect(plainly).toHaveLength(3);
    client.leave();
  });

  it('lets no header begin another one', async () => {
    const client = await RawClient.connect(port);
    const answer = await client.send(get('unsafe')).response();
    expect(answer.status).toBe(500);
    expect(answer.headers.has('x-injected')).toBe(false);
    client.leave();
  });

  it('answers requests that come while one is under way in their order', async () => {
    const client = await RawClient.connect(port);
    await underWay(client);
    client.send(get('nothing'));
    client.send(rawRequest('POST', '/echo/text', { body: 'a' }));
    await pause(LOOK_MS);
    later[0]!();
    expect((await client.response()).body).toBe('late');
    expect((await client.response()).status).toBe(204);
    expect((await client.response()).status).toBe(201);
    client.leave();
  });

  it('sends an answer of any size, as fast as the client takes it', async () => {
    const client = await RawClient.connect(port);
    client.pause().send(get('large'));
    await until('it is being answered', () => plainly.length === 1);
    client.send(get('nothing'));
    await pause(2 * LOOK_MS);
    expect(plainly).toHaveLength(1);
    client.resume();
    expect((await client.response()).body.length).toBe(LARGE.length);
    expect((await client.response()).status).toBe(204);
    client.leave();
  });
});

describe('a large answer', () => {
  it('comes whole to who takes it slowly, for much longer than one may take nothing', async () => {
    const client = connect(port, '127.0.0.1');
    client.write(get('huge'));
    let taken = 0;
    let rests = 1;
    for await (const chunk of client) {
      taken += (chunk as Buffer).length;
      if (taken > HUGE.length) break;
      if (taken < rests * MIB) continue;
      rests++;
      await pause(20);
    }
    expect(taken).toBeGreaterThan(HUGE.length);
    expect(plainly).toEqual(['/echo/huge']);
  });

  it('is cut when its client takes nothing for so long', async () => {
    const client = await RawClient.connect(port);
    client.pause().send(get('large'));
    await until('it is cut', async () => plainly.length === 1 && (await connections()) === 0);
    expect((await client.resume().rest()).length).toBeLessThan(LARGE.length);
  });
});

describe('a plain connection', () => {
  it('gets its answer when the client has ended its side meanwhile, and ends then', async () => {
    const client = await RawClient.connect(port);
    await underWay(client);
    client.end();
    await pause(LOOK_MS);
    later[0]!();
    const answeredAt = performance.now();
    expect((await client.response()).body).toBe('late');
    expect(await client.rest()).toBe('');
    // Not only when its time as an idle one is over.
    expect(performance.now() - answeredAt).toBeLessThan(KEEP_ALIVE_MS - LOOK_MS);
  });

  it('ends when its client ends it, or leaves, in the middle of anything', async () => {
    const idle = await RawClient.connect(port);
    await idle.send(get('nothing')).response();
    idle.end();
    expect(await idle.rest()).toBe('');
    const within = await RawClient.connect(port);
    within.send('GET /echo/noth').end();
    expect(await within.rest()).toBe('refused: HPE_INVALID_EOF_STATE');
    const gone = await RawClient.connect(port);
    await underWay(gone);
    gone.leave();
    await pause(LOOK_MS);
    later[0]!();
    await until('all are gone', async () => (await connections()) === 0);
  });

  it('is timed out by Node when it sends nothing, or no whole request', async () => {
    const clients = await Promise.all([1, 2, 3].map(() => RawClient.connect(port)));
    const [silent, within, body] = clients as [RawClient, RawClient, RawClient];
    within.send('GET /echo/noth');
    body.send('PUT /echo/bytes HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab');
    for (const client of [silent, within, body]) expect(await client.rest()).toBe(TIMED_OUT);
    for (const client of clients) client.leave();
  });

  it('has no more time for a request that comes byte by byte', async () => {
    for (const begun of ['GET /', 'PUT /echo/bytes HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n']) {
      const client = await RawClient.connect(port);
      client.send(begun);
      const trickle = setInterval(() => client.send('a'), LOOK_MS / 2);
      expect(await client.rest()).toBe(TIMED_OUT);
      clearInterval(trickle);
      client.leave();
    }
  });

  it('has nothing done that came behind a request when it has been cut', async () => {
    const client = await RawClient.connect(port);
    await underWay(client);
    client.send(get('nothing'));
    await pause(LOOK_MS);
    server.closeAllConnections();
    await until('it is gone', async () => (await connections()) === 0);
    later[0]!();
    await pause(LOOK_MS);
    expect(plainly).toEqual(['/echo/later']);
  });

  it.each([
    ['has what came behind answered when the client sends nothing more, though the server leaves', get('nothing'), 204],
    [
      'ends without an answer to what is for Node when the client sends nothing more',
      rawRequest('POST', '/echo/text', { body: 'a' }),
      undefined,
    ],
  ])('%s', async (_, behind, status) => {
    const client = await RawClient.connect(port);
    await underWay(client);
    client.send(behind);
    await pause(LOOK_MS);
    client.end();
    await pause(LOOK_MS);
    server.leavePlain();
    later[0]!();
    expect((await client.response()).body).toBe('late');
    if (status !== undefined) expect((await client.response()).status).toBe(status);
    expect(await client.rest()).toBe('');
  });

  it('has all answered, one after the other, that came behind in pieces before the client said that it sends nothing more', async () => {
    const client = await RawClient.connect(port);
    await underWay(client);
    for (const path of ['text?1', 'text?2', 'text?3']) {
      client.send(get(path));
      await pause(LOOK_MS / 5);
    }
    client.end();
    await pause(LOOK_MS);
    later[0]!();
    expect((await client.response()).body).toBe('late');
    for (const path of ['text?1', 'text?2', 'text?3'])
      expect((await client.response()).headers.get('x-got')).toBe(`GET /echo/${path}`);
    expect(await client.rest()).toBe('');
    expect(plainly).toEqual(['/echo/later', '/echo/text?1', '/echo/text?2', '/echo/text?3']);
  });

  it('refuses a second answer to its handler, and goes on', async () => {
    const client = await RawClient.connect(port);
    await underWay(client);
    later[0]!();
    expect(later[0]).toThrow('the request has its answer');
    expect((await client.response()).body).toBe('late');
    expect(later[0]).toThrow('the request has its answer');
    expect((await client.send(get('nothing')).response()).status).toBe(204);
    client.leave();
  });

  it('has its first request answered that is on its way when the server closes', async () => {
    const client = await RawClient.connect(port);
    await until('it is there', async () => (await connections()) === 1);
    server.close();
    expect((await client.send(get('nothing')).response()).status).toBe(204);
    client.leave();
  });

  it('stays for its time when nothing more comes, then ends without a word', async () => {
    const client = await RawClient.connect(port);
    const startedAt = performance.now();
    await client.send(get('nothing')).response();
    expect(await client.rest()).toBe('');
    expect(performance.now() - startedAt).toBeGreaterThan(KEEP_ALIVE_MS - 2 * LOOK_MS);
    client.leave();
  });

  it('is not ended for its age while it is answered', async () => {
    const client = await RawClient.connect(port);
    await underWay(client);
    await pause(KEEP_ALIVE_MS + 4 * LOOK_MS);
    later[0]!();
    expect((await client.response()).body).toBe('late');
    client.leave();
  });

  it('holds no more than 64 KiB of a request that comes in pieces', async () => {
    const client = await RawClient.connect(port);
    client.send(rawRequest('PUT', '/echo/bytes', { body: 'x'.repeat(70_000) }));
    expect((await client.response()).body.length).toBe(70_000);
    expect(plainly).toEqual([]);
    client.leave();
  });

  it('goes over to Node with its next request when the server is leaving', async () => {
    const client = await RawClient.connect(port);
    await client.send(get('nothing')).response();
    server.leavePlain();
    expect((await client.send(get('nothing')).response()).status).toBe(204);
    expect(plainly).toHaveLength(1);
    client.leave();
  });

  it('ends with the server: at once when it is idle, after its answer when it is not', async () => {
    const [idle, busy] = [await RawClient.connect(port), await RawClient.connect(port)];
    await idle.send(get('nothing')).response();
    await underWay(busy);
    const closed = once(server, 'close');
    server.close();
    expect(await idle.rest()).toBe('');
    later[0]!();
    expect((await busy.response()).body).toBe('late');
    server.closeIdleConnections();
    expect(await busy.rest()).toBe('');
    await closed;
  });

  it('ends in the middle of a request when all are closed', async () => {
    const client = await RawClient.connect(port);
    await underWay(client);
    server.closeAllConnections();
    expect(await client.rest()).toBe('');
  });
});

describe('a plain request that the route leaves', () => {
  it('is for Node, with all its bytes', async () => {
    const client = await RawClient.connect(port);
    const answer = await client.send(rawRequest('POST', '/echo/bytes', { body: 'posted' })).response();
    expect(answer.body).toBe('posted');
    client.leave();
  });
});

describe('requests that come together', () => {
  /** Who asks at one moment, and this process takes notice of all at once. */
  async function askTogether(paths: readonly string[]): Promise<readonly RawClient[]> {
    const clients = await Promise.all(paths.map(() => RawClient.connect(port)));
    await until('all are there', async () => (await connections()) === paths.length);
    for (const [place, path] of paths.entries()) clients[place]!.send(get(path));
    const sentAt = performance.now();
    // The system has what was sent when it is asked next.
    while (performance.now() < sentAt + 20);
    return clients;
  }

  /** Tells which steps it does, in their order. */
  async function restarted(route: PlainRoute): Promise<string[]> {
    server.close();
    const steps: string[] = [];
    const requests = new RequestMeter();
    requests.answered = (_, url) => steps.push(`answered ${url}`);
    const noted: PlainRoute = (req, res) => {
      steps.push(`taken ${req.url}`);
      return route(req, res);
    };
    server = new PlainServer(OPTIONS, noted, listener, { unsent: new Unsent(), requests });
    port = await listening(server);
    return steps;
  }

  it('are all carried out before any is answered', async () => {
    const steps = await restarted((req, res) => {
      echo(req, res, req.body);
      return true;
    });
    const clients = await askTogether(['text?1', 'text?2', 'text?3']);
    for (const client of clients) expect((await client.response()).status).toBe(201);
    expect(steps.map((step) => step.split(' ')[0])).toEqual([...Array(3).fill('taken'), ...Array(3).fill('answered')]);
    for (const client of clients) client.leave();
  });

  it('are not carried out when their connection has ended by their turn', async () => {
    const steps = await restarted(() => {
      server.closeAllConnections();
      return true;
    });
    const clients = await askTogether(['nothing?1', 'nothing?2', 'nothing?3']);
    for (const client of clients) expect(await client.rest()).toBe('');
    expect(steps).toHaveLength(1);
  });
});
