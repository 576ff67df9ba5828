// Does what is taken for a plain answer mean the same to a parser of HTTP? Node's own client is the oracle: it gets the same
// bytes.

import { request } from 'node:http';
import { Duplex } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readHead } from '../../../src/replication/transport/plain-answer.js';

const RUNS = 4000;

interface Understood {
  readonly status: number;
  readonly encoding: string | undefined;
  readonly body: string;
  readonly isLast: boolean;
}

/** What Node makes of these bytes; undefined: no answer, or not the whole of one, or more than that. */
async function nodesView(bytes: Buffer): Promise<Understood | undefined> {
  const socket = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  let understood: Understood | undefined;
  let isOver = false;
  const sent = request({
    method: 'POST',
    createConnection: () => socket as never,
    headers: { connection: 'keep-alive' },
  });
  sent.on('error', () => (isOver = true));
  sent.on('information', () => (isOver = true));
  sent.on('upgrade', () => (isOver = true));
  sent.on('response', (response) => {
    const pieces: Buffer[] = [];
    response.on('data', (piece: Buffer) => pieces.push(piece));
    response.on('error', () => {});
    response.on('end', () => {
      const { statusCode, headers } = response;
      const body = Buffer.concat(pieces).toString('latin1');
      understood = { status: statusCode!, encoding: headers['content-encoding'], body, isLast: !sent.shouldKeepAlive };
    });
  });
  sent.end();
  await turns();
  socket.push(bytes);
  await turns();
  socket.destroy();
  await turns();
  return isOver && understood === undefined ? undefined : understood;
}

/** Nothing here waits for a disk or a network: what can happen has happened some turns later. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}

function plain(bytes: Buffer): Understood | undefined {
  const head = readHead(bytes);
  if (head === undefined || head === 'unfinished' || head.end !== bytes.length) return undefined;
  const { status, encoding, isLast, bodyFrom } = head;
  return { status, encoding, isLast, body: bytes.toString('latin1', bodyFrom) };
}

function mostly<T>(usual: readonly T[], rare: readonly T[]): fc.Arbitrary<T> {
  return fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...usual) }, fc.constantFrom(...rare));
}

const field = mostly(
  ['Content-Type: application/octet-stream', 'Content-Encoding: deflate', 'Date: today', 'Connection: keep-alive'],
  [
    'Connection: close',
    'Connection: Keep-Alive, close',
    'Connection: upgrade',
    'Proxy-Connection: close',
    'Upgrade: h2c',
    'Transfer-Encoding: chunked',
    'Transfer-Encoding: identity',
    'Content-Length: 3',
    'Content-Length: 0',
    'content-length: 12',
    'Keep-Alive: timeout=5',
    'Trailer: x',
    'X-Tab:\ta',
    'X-Folded: a\r\n b',
    'X-Latin: \xe4',
    'X-Empty:',
    'X-Spaces:  a ',
    'x_y: a',
    'no colon',
    ': no name',
  ],
);

const answer = fc
  .record({
    line: mostly(
      ['HTTP/1.1 200 OK', 'HTTP/1.1 404 Not Found', 'HTTP/1.1 503 '],
      [
        'HTTP/1.0 200 OK',
        'HTTP/1.1 204 No Content',
        'HTTP/1.1 304 x',
        'HTTP/1.1 100 Continue',
        'HTTP/1.1 101 x',
        'http/1.1 200 OK',
        'HTTP/1.1  200 OK',
        'HTTP/1.1 200',
        '',
      ],
    ),
    fields: fc.array(field, { maxLength: 4 }),
    body: fc.string({ maxLength: 12 }),
    length: mostly([0], [-1, 1, undefined]),
    change: fc.option(
      fc.record({ at: fc.nat(200), to: fc.constantFrom('\r', '\n', '\r\n', ' ', ':', '0', '\0', '') }),
      { freq: 4 },
    ),
  })
  .map(({ line, fields, body, length, change }) => {
    const announced = length === undefined ? [] : [`Content-Length: ${Math.max(0, body.length + length)}`];
    const text = [line, ...fields, ...announced, '', body].join('\r\n');
    const at = change === null ? 0 : change.at % text.length;
    return change === null ? text : text.slice(0, at) + change.to + text.slice(at + 1);
  })
  .map((text) => Buffer.from(text, 'latin1'));

const OURS = 'HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: 4\r\n\r\nbody';

describe('A plain answer', () => {
  it('means the same to Node’s client', async () => {
    let plainOnes = 0;
    await fc.assert(
      fc.asyncProperty(answer, async (bytes) => {
        const taken = plain(bytes);
        if (taken === undefined) return;
        plainOnes++;
        const nodes = await nodesView(bytes);
        // A connection may be given up that could have stayed, never the other way round.
        expect({ ...nodes, isLast: nodes!.isLast || taken.isLast }).toEqual(taken);
      }),
      { numRuns: RUNS },
    );
    expect(plainOnes).toBeGreaterThan(RUNS / 8);
  });

  it.each([
    ['of a replica', OURS, { status: 200, encoding: undefined, body: 'body', isLast: false }],
    ['deflated', OURS.replace('OK\r\n', 'OK\r\nContent-Encoding: deflate\r\n'), { encoding: 'deflate' }],
    ['of one that stops', OURS.replace('OK\r\n', 'OK\r\nConnection: close\r\n'), { isLast: true }],
    [
      'of Node’s server',
      OURS.replace('OK\r\n', 'OK\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\n'),
      { isLast: false },
    ],
    ['that refuses', OURS.replace('200 OK', '403 Forbidden'), { status: 403 }],
  ])('is one %s', (_, text, expected) => {
    expect(plain(Buffer.from(text))).toMatchObject(expected);
  });

  it('is known by its beginning, however it comes in pieces', () => {
    const bytes = Buffer.from(OURS);
    const headBytes = bytes.indexOf('\r\n\r\n') + 4;
    for (let length = 1; length < headBytes; length++) expect(readHead(bytes.subarray(0, length))).toBe('unfinished');
    for (let length = headBytes; length <= bytes.length; length++) {
      expect(readHead(bytes.subarray(0, length))).toMatchObject({ bodyFrom: headBytes, end: bytes.length });
    }
  });

  it.each([
    ['no HTTP', 'nonsense'],
    ['in chunks', OURS.replace('Content-Length: 4', 'Transfer-Encoding: chunked')],
    ['with an end that nobody tells', OURS.replace('Content-Length: 4\r\n', '')],
    ['with two lengths', OURS.replace('OK\r\n', 'OK\r\nContent-Length: 4\r\n')],
    ['without a body of its own', OURS.replace('200 OK', '204 No Content')],
    ['with a head that has no end', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(8192)}`],
  ])('is not one %s', (_, text) => {
    expect(readHead(Buffer.from(text))).toBeUndefined();
  });
});
