// Does what is taken for a plain request mean the same to a parser of HTTP? Node's own is the oracle: it gets the same bytes.

import { createServer, type IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { PlainReader, PlainRequest } from '../../../src/controllers/http/plain/plain-request.js';

const RUNS = 4000;

interface Understood {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** What Node makes of these bytes: requests in full, and whether anything went wrong or is still to come. */
async function nodesView(bytes: Buffer): Promise<{ requests: Understood[]; error: unknown }> {
  const requests: Understood[] = [];
  let error: unknown;
  let asked = 0;
  const server = createServer((req, res) => {
    asked++;
    if (!res.shouldKeepAlive || req.httpVersion !== '1.1') error = new Error('the connection would end');
    const pieces: Buffer[] = [];
    req.on('data', (piece: Buffer) => pieces.push(piece));
    req.on('end', () => {
      const { method, url, headers } = req;
      requests.push({ method: method!, url: url!, headers, body: Buffer.concat(pieces).toString('latin1') });
      res.end();
    });
  });
  server.on('clientError', (failure) => (error = failure));
  server.on('checkContinue', () => (error = new Error('the client waits for a word')));
  const socket = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  server.emit('connection', socket);
  socket.push(bytes);
  // Nothing here waits for a disk or a network: what can happen has happened some turns later.
  for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
  socket.destroy();
  if (asked > requests.length) error ??= new Error('a request is not complete');
  return { requests, error };
}

function plain(request: unknown): Understood | undefined {
  if (!(request instanceof PlainRequest)) return undefined;
  const { method, url, headers, body } = request;
  return { method, url, headers: { ...headers }, body: body.toString('latin1') };
}

const read = (text: string): ReturnType<PlainReader['read']> => new PlainReader().read(Buffer.from(text, 'latin1'));

function mostly<T>(usual: readonly T[], rare: readonly T[]): fc.Arbitrary<T> {
  return fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...usual) }, fc.constantFrom(...rare));
}

const field = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom('Accept: */*', 'User-Agent: x/1 (y; z)', 'Connection: keep-alive') },
  {
    weight: 10,
    arbitrary: fc
      .tuple(fc.constantFrom('X-A', 'If-Match', 'x_y', 'Host', 'Prefer'), fc.string({ maxLength: 6 }))
      .map(([name, value]) => `${name}: ${value}`),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'Connection: close',
      'Transfer-Encoding: chunked',
      'Transfer-Encoding: identity',
      'Content-Length: 3',
      'Upgrade: h2c',
      'Expect: 100-continue',
      'X-Tab:\ta',
      'X-Folded: a\r\n b',
      'X-Latin: \xe4',
      'X-Empty:',
      'X-Spaces:  a ',
      'Keep-Alive: timeout=5',
      '__proto__: a',
      'constructor: a',
      'X-Bare: a\nb',
    ),
  },
);

const requestText = fc
  .record({
    method: mostly(['GET', 'PUT', 'PUT', 'PUT', 'HEAD', 'POST', 'DELETE'], ['PATCH', 'get', 'M-SEARCH']),
    target: mostly(
      ['/v1/kv/a', '/v1/kv/%41?w=1&x=+', '/', '//a'],
      ['*', 'http://a/v1/kv/a', '/a#b', '/\xe4', '/a b', '/[a]', '/a|b'],
    ),
    version: mostly(['HTTP/1.1'], ['HTTP/1.0', 'HTTP/2.0', 'HTTP/1.1 ']),
    fields: fc.array(field, { maxLength: 4 }),
    host: mostly([['Host: h']], [[], ['Host: h', 'Host: i'], ['Host:']]),
    length: mostly(
      [(bytes: number) => [`Content-Length: ${bytes}`]],
      [
        () => [],
        (bytes) => [`Content-Length: +${bytes}`],
        (bytes) => [`Content-Length: 0${bytes}`],
        (bytes) => [`Content-Length: 0x${bytes}`],
        (bytes) => [`Content-Length: ${bytes}, ${bytes}`],
        (bytes) => [`Content-Length : ${bytes}`],
        (bytes) => [`Content-Length: ${bytes}`, 'Transfer-Encoding: chunked'],
      ],
    ),
    body: fc.constantFrom('', 'abc', '5\r\nabcde\r\n0\r\n\r\n', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'),
  })
  .map(({ method, target, version, fields, host, length, body }) => {
    const all = [...host, ...fields, ...length(body.length)];
    return `${method} ${target} ${version}\r\n${all.map((line) => `${line}\r\n`).join('')}\r\n${body}`;
  });

/** The same with some bytes lost, doubled or replaced. */
const damagedText = fc
  .tuple(
    requestText,
    fc.array(fc.tuple(fc.nat(), fc.constantFrom('', '\r', '\n', ' ', ':', '\0', '\xff', 'GET ')), { maxLength: 2 }),
  )
  .map(([text, changes]) =>
    changes.reduce((changed, [where, by]) => {
      const place = where % (changed.length + 1);
      return changed.slice(0, place) + by + changed.slice(place + 1);
    }, text),
  );

describe('a plain request', () => {
  it.each([
    [
      'curl',
      'PUT /v1/kv/a HTTP/1.1\r\nHost: localhost:5000\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\nContent-Length: 3\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\nabc',
    ],
    [
      'fetch',
      'GET /v1/kv/a HTTP/1.1\r\nhost: 127.0.0.1:5000\r\nconnection: keep-alive\r\naccept: */*\r\naccept-language: *\r\nsec-fetch-mode: cors\r\nuser-agent: node\r\naccept-encoding: gzip, deflate\r\n\r\n',
    ],
    [
      'Python',
      'PUT /v1/kv/a?w=2 HTTP/1.1\r\nHost: localhost:5000\r\nUser-Agent: python-requests/2.32\r\nAccept-Encoding: gzip, deflate\r\nAccept: */*\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nabc',
    ],
    [
      'Go',
      'DELETE /v1/kv/a HTTP/1.1\r\nHost: localhost:5000\r\nUser-Agent: Go-http-client/1.1\r\nAccept-Encoding: gzip\r\n\r\n',
    ],
    [
      'a replica',
      'POST /put_remote HTTP/1.1\r\ncontent-type: application/octet-stream\r\ncontent-length: 3\r\nHost: a:5000\r\nConnection: keep-alive\r\n\r\n\0\x01\xff',
    ],
  ])('is what %s sends, and means to Node what it means here', async (_, text) => {
    const { requests, error } = await nodesView(Buffer.from(text, 'latin1'));
    expect(error).toBeUndefined();
    expect(plain(read(text))).toEqual(requests[0]);
  });

  it('means the same to Node, whatever is taken for one', async () => {
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(fc.oneof(requestText, damagedText), async (text) => {
        const bytes = Buffer.from(text, 'latin1');
        const found = new PlainReader().read(bytes);
        if (found instanceof PlainRequest) {
          taken++;
          expect(await nodesView(bytes)).toEqual({ requests: [plain(found)], error: undefined });
        } else if (found !== undefined && found.bytes > 0) {
          const { requests, error } = await nodesView(Buffer.concat([bytes], found.bytes));
          expect(error).toBeUndefined();
          expect(requests).toHaveLength(1);
        }
      }),
      { numRuns: RUNS },
    );
    // Else nothing was compared.
    expect(taken).toBeGreaterThan(RUNS / 10);
  });

  it('is never read of less than its bytes, and of all of them always the same', () => {
    const text = 'PUT /v1/kv/a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nvalue';
    for (let length = 1; length < text.length; length++) {
      const headEnd = text.indexOf('\r\n\r\n') + 4;
      expect(read(text.slice(0, length))).toEqual({ bytes: length < headEnd ? 0 : text.length });
    }
    expect(plain(read(text))).toMatchObject({ method: 'PUT', url: '/v1/kv/a', body: 'value' });
  });

  it('is not begun by what no plain request begins with', () => {
    for (const text of ['\r\nGET / HTTP/1.1\r\n', 'PATCH /', 'get /', 'GETS', 'GET *', '\x16\x03\x01', 'nonsense']) {
      expect(read(text)).toBeUndefined();
    }
  });

  it('has no longer head than 8 KiB, and no body that was not expected', () => {
    const head = (bytes: number): string => `GET /a HTTP/1.1\r\nHost: a\r\nX-A: ${'x'.repeat(bytes - 35)}\r\n\r\n`;
    expect(plain(read(head(8192)))).toBeDefined();
    expect(read(head(8193))).toBeUndefined();
    expect(read(head(9000).slice(0, 8100))).toEqual({ bytes: 0 });
    expect(read(head(9000).slice(0, 8192))).toBeUndefined();
    expect(read('GET /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx')).toBeUndefined();
    expect(read('GET /a HTTP/1.1\r\nHost: a\r\n\r\nx')).toBeUndefined();
  });

  it.each([
    ['of another version', 'GET /a HTTP/1.0\r\nHost: a\r\n\r\n'],
    ['that ends the connection', 'GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'],
    ['that asks first', 'PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nExpect: 100-continue\r\n\r\n'],
    ['for another protocol', 'GET /a HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\n\r\n'],
    ['in chunks', 'PUT /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['with a header of ours that there is not', 'GET /a HTTP/1.1\r\nHost: a\r\nQuartet-Contxt: a\r\n\r\n'],
    ['for no host', 'GET /a HTTP/1.1\r\n\r\n'],
    ['for a whole address', 'GET http://a/a HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['with another one behind it', 'GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n'],
  ])('is none %s', (_, text) => {
    expect(read(text)).toBeUndefined();
  });

  it('has the headers that stand in it, also when the one before had others', () => {
    const reader = new PlainReader();
    const sent = (field: string): string | undefined => {
      const found = reader.read(Buffer.from(`GET /a HTTP/1.1\r\nHost: a\r\n${field}\r\n\r\n`));
      return found instanceof PlainRequest ? (found.headers['prefer'] as string) : undefined;
    };
    expect([sent('Prefer: a'), sent('Prefer: a'), sent('Prefer: b'), sent('Prefer:'), sent('Prefer: a')]).toEqual([
      'a',
      'a',
      'b',
      '',
      'a',
    ]);
    expect(sent('Prefer: a\r\nPrefer: b')).toBeUndefined();
    expect(sent('Prefer: a\r\nPrefer: b')).toBeUndefined();
  });
});
