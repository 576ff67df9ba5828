// What does a client get that asks for what cannot be? Every code of the registry is provoked here. Each answer has the
// registered status, code and outcome; nothing has changed after it, and the replica goes on serving.

import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { problemBody, PROBLEMS, type ProblemCode } from '../../src/controllers/http/problem.js';
import { problemOf } from '../../src/controllers/http/send-problem.js';
import { Tokens } from '../../src/controllers/http/tokens.js';
import { encodeRequest, PROTOCOL } from '../../src/replication/transport/message-codec.js';
import { versionsKey } from '../../src/store/keyspace.js';
import { LevelStore } from '../../src/store/level/level-store.js';
import { startCluster } from '../support/in-process-cluster.js';
import { contextOf, InProcessNode, type RequestOptions } from '../support/in-process-node.js';
import { RawClient, rawExchange, rawRequest, type RawResponse } from '../support/raw-client.js';
import { until } from '../support/until.js';
import { vector } from '../support/clock-arbitraries.js';
import { toldBy } from '../support/engine-parts.js';

const MIB = 1024 * 1024;
const SECRET = 'the secret of this cluster';
const WITNESS = 'witness';

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly header: (name: string) => string | undefined;
}

interface Provocation {
  readonly code: ProblemCode;
  readonly what: string;
  readonly provoke: () => Promise<Response | RawResponse>;
  /** What the answer has besides its body. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The route, where OpenAPI must list the code. */
  readonly operation?: readonly [method: string, path: string];
}

let node: InProcessNode;
/** With a secret, and a budget of one small body. */
let guarded: InProcessNode;
/** Another cluster without a secret, as `node` is. */
let stranger: InProcessNode;
/** By code, what provoked it. */
const provoked = new Map<ProblemCode, string[]>();
/** OpenAPI operations that answered with a code. */
const answered: { readonly operation: readonly [string, string]; readonly code: ProblemCode }[] = [];

beforeAll(async () => {
  [node, guarded, stranger] = await Promise.all([
    InProcessNode.start(),
    InProcessNode.start({ clusterSecret: SECRET, bodyBytesMax: 1000, requestTimeoutMs: 300 }),
    InProcessNode.start({ name: 'n9' }),
  ]);
  for (const each of [node, guarded]) await each.write(WITNESS, 'unharmed');
});
afterAll(() => Promise.all([node, guarded, stranger].map((each) => each.remove())));

async function answerOf(response: Response | RawResponse): Promise<Answer> {
  if ('ok' in response) {
    const body = await response.text();
    return { status: response.status, body, header: (name) => response.headers.get(name) ?? undefined };
  }
  const { status, body, headers } = response;
  return { status, body, header: (name) => headers.get(name.toLowerCase()) };
}

/** The answer is the problem `code` and nothing else. */
async function expectProblem(response: Response | RawResponse, code: ProblemCode, at = node): Promise<Answer> {
  const answer = await answerOf(response);
  expect(answer.header('Content-Type')).toBe('application/problem+json');
  const body = JSON.parse(answer.body) as Record<string, unknown>;
  expect(body).toEqual({
    type: 'about:blank',
    title: PROBLEMS[code].title,
    status: PROBLEMS[code].status,
    detail: expect.any(String),
    code,
    outcome: PROBLEMS[code].outcome,
  });
  expect(answer.status).toBe(PROBLEMS[code].status);
  // Neither where the code lies nor where the data does is a client's business.
  expect(answer.body).not.toMatch(/\\n\s+at |node_modules|\.[jt]s\b|file:/);
  expect(answer.body).not.toContain(at.config.data);
  expect(answer.body).not.toContain(process.cwd());
  provoked.set(code, [...(provoked.get(code) ?? []), body['detail'] as string]);
  return answer;
}

/** All that a request could have changed. */
async function stateOf(each: InProcessNode): Promise<unknown> {
  const { actor, clock } = await each.cluster();
  const listed = (await (await each.request('/v1/kv?limit=1000')).json()) as Record<string, unknown>;
  // The cursor moves with the time of day.
  const { cursor: _, ...page } = listed;
  return { actor, clock, page, witness: await (await each.get(WITNESS)).text() };
}

/** `[path]` or `[path, options]` at `node`. */
/** One of the files that `/docs` needs. */
const ASSET = '/docs/swagger-ui.css';

function asking(
  code: ProblemCode,
  what: string,
  path: string,
  options: RequestOptions = {},
  headers = {},
): Provocation {
  const method = (options.method ?? 'GET').toLowerCase();
  const route = path
    .replace(/\?.*/, '')
    .replace(/^\/v1\/(kv|counters|sets|maps)\/.*/, '/v1/$1/{key}')
    .replace(/(?<=\/members\/).*/, '{name}');
  const provoke = () => node.request(path, options);
  return { code, what, provoke, headers, operation: [method, route] };
}

function putting(
  code: ProblemCode,
  what: string,
  path: string,
  headers: Record<string, string>,
  body = 'x',
): Provocation {
  return asking(code, what, path, { method: 'PUT', headers, body });
}

/** An operation on a counter, a set or a map. */
function changing(code: ProblemCode, what: string, path: string, json: string, headers = {}): Provocation {
  const method = path.startsWith('/v1/maps/') ? 'PATCH' : 'POST';
  return asking(code, what, path, { method, headers: { ...JSON_TYPE, ...headers }, body: json });
}

/** A batch at `node`. */
function batching(code: ProblemCode, what: string, body: string, headers = {}, query = ''): Provocation {
  return asking(code, what, `/v1/batch${query}`, { method: 'POST', headers: { ...JSON_TYPE, ...headers }, body });
}

/** A message to `/put_remote`. */
function sending(code: ProblemCode, what: string, body: () => Uint8Array, headers = {}): Provocation {
  const provoke = () =>
    node.request('/put_remote', {
      method: 'POST',
      headers: { 'Content-Type': 'application/octet-stream', ...headers },
      body: new Uint8Array(body()),
    });
  return { code, what, provoke };
}

function compareTo(to: string, from = 'n2'): Buffer {
  return encodeRequest({ from, to, message: { kind: 'compare', ...toldBy('n2', { 'n2.b': 1 }) } });
}

const JSON_TYPE = { 'Content-Type': 'application/json' };
const A_DATE = { 'If-Unmodified-Since': new Date().toUTCString() };
const LONG_KEY = 'k'.repeat(1025);
const MANY = Array.from({ length: 10_001 }, (_, place) => `${place}`);
const MANY_FIELDS = Object.fromEntries(MANY.map((field) => [field, 1]));
const LONG_WIDE_KEY = encodeURIComponent(`${'😀'.repeat(256)}a`);
/** What the original interface has no meaning for. */
const STRINGS_HAVE_NO = [
  'If-Match',
  'If-None-Match',
  'If-Unmodified-Since',
  'Idempotency-Key',
  'Quartet-Context',
  'Quartet-Session',
];
const rawAt = (request: string) => () => rawExchange(node.port, request);

const PROVOCATIONS: Provocation[] = [
  asking('INVALID_KEY', 'a broken escape', '/v1/kv/%zz'),
  asking('INVALID_KEY', 'an escape that is cut', '/v1/kv/a%2'),
  asking('INVALID_KEY', 'bytes that are not UTF-8', '/v1/kv/%ff'),
  asking('INVALID_KEY', 'half a surrogate pair in UTF-8', '/v1/kv/%ed%a0%80'),
  asking('INVALID_KEY', 'an overlong slash', '/v1/kv/%c0%af'),
  asking('INVALID_KEY', 'no key', '/v1/kv/'),
  asking('INVALID_KEY', 'a write of no key', '/v1/kv/', { method: 'PUT', body: 'x' }),
  asking('INVALID_KEY', 'a slash that is not encoded', '/v1/kv/a/b'),
  asking('INVALID_KEY', 'a slash at the end', '/v1/kv/a/'),
  asking('INVALID_KEY', 'a broken escape in a write', '/v1/kv/%zz', { method: 'PUT', body: 'x' }),
  asking('INVALID_KEY', 'a broken escape in a delete', '/v1/kv/%zz', { method: 'DELETE' }),
  putting('INVALID_KEY', 'an empty key in JSON', '/put', JSON_TYPE, '{"key":"","value":"x"}'),
  putting('INVALID_KEY', 'half a surrogate pair in JSON', '/put', JSON_TYPE, '{"key":"\\ud83d","value":"x"}'),
  asking('INVALID_KEY', 'an empty key in a query', '/get?key='),

  asking('KEY_TOO_LONG', '1025 bytes', `/v1/kv/${LONG_KEY}`),
  asking('KEY_TOO_LONG', '1025 bytes in 257 characters', `/v1/kv/${LONG_WIDE_KEY}`, { method: 'PUT', body: 'x' }),
  asking('KEY_TOO_LONG', '1025 bytes to delete', `/v1/kv/${LONG_KEY}`, { method: 'DELETE' }),
  asking('KEY_TOO_LONG', '1025 bytes in a query', `/get?key=${LONG_KEY}`),
  putting('KEY_TOO_LONG', '1025 bytes in JSON', '/put', JSON_TYPE, JSON.stringify({ key: LONG_KEY, value: 'x' })),

  asking('INVALID_QUERY', 'a parameter that there is not', '/v1/kv/a?resolv=latest'),
  asking('INVALID_QUERY', 'a parameter of another route', '/v1/kv/a?w=1'),
  asking('INVALID_QUERY', 'a parameter twice', '/v1/kv/a?resolve=order&resolve=order'),
  asking('INVALID_QUERY', 'a choice that there is not', '/v1/kv/a?resolve=newest'),
  asking('INVALID_QUERY', 'a number that is none', '/v1/kv/a?timeout=soon'),
  asking('INVALID_QUERY', 'a number that is too large', '/v1/kv/a?timeout=60001'),
  asking('INVALID_QUERY', 'a number below zero', '/v1/kv/a?timeout=-1'),
  asking('INVALID_QUERY', 'a broken escape', '/v1/kv/a?resolve=%zz'),
  asking('INVALID_QUERY', 'an empty name', '/v1/kv/a?=x'),
  putting('INVALID_QUERY', 'more replicas than there are', '/v1/kv/a?w=2', {}),
  asking('INVALID_QUERY', 'a parameter of a delete', '/v1/kv/a?ttl=5', { method: 'DELETE' }),
  asking('INVALID_QUERY', 'a page of none', '/v1/kv?limit=0'),
  asking('INVALID_QUERY', 'too large a page', '/v1/kv?limit=1001'),
  asking('INVALID_QUERY', 'values=maybe', '/v1/kv?values=maybe'),
  asking('INVALID_QUERY', 'changes of none', '/v1/changes?limit=0'),
  asking('INVALID_QUERY', 'too many changes', '/v1/changes?limit=1001'),
  asking('INVALID_QUERY', 'a feed that there is not', '/v1/changes?feed=continuous'),
  asking('INVALID_QUERY', 'too long a poll', '/v1/changes?feed=longpoll&timeout=60001'),
  asking('INVALID_QUERY', 'a parameter of the listing', '/v1/changes?after=a'),
  asking('INVALID_TOKEN', 'a cursor that is none', '/v1/changes?since=1'),
  asking('INVALID_TOKEN', 'an empty cursor', '/v1/changes?since='),
  asking('INVALID_TOKEN', 'a cursor of a stream that is none', '/v1/changes?feed=eventsource', {
    headers: { 'Last-Event-ID': '57' },
  }),
  asking('INVALID_QUERY', 'a parameter of the cluster', '/v1/cluster?verbose'),
  asking('INVALID_QUERY', 'a parameter of a probe', '/livez?verbose'),
  asking('INVALID_QUERY', 'a parameter of readiness', '/readyz?detail'),
  asking('INVALID_QUERY', 'a parameter of the metrics', '/metrics?name=x'),
  asking('INVALID_QUERY', 'a read that names no key', '/get'),
  asking('INVALID_QUERY', 'an unknown field of /put', '/put?key=a&value=b&ttl=1', { method: 'PUT' }),

  putting('INVALID_HEADER', 'a Content-Type that is too long', '/v1/kv/a', { 'Content-Type': 'x'.repeat(256) }),
  putting('INVALID_HEADER', 'a Content-Type beyond ASCII', '/v1/kv/a', { 'Content-Type': 'text/\u00fc' }),
  putting('INVALID_HEADER', 'a part of a value', '/v1/kv/a', { 'Content-Range': 'bytes 0-0/2' }),
  putting('INVALID_HEADER', 'a date as a condition', '/v1/kv/a', A_DATE),
  ...['kv', 'counters', 'sets', 'maps'].map((type) =>
    asking('INVALID_HEADER', `a date as a condition of a read of ${type}`, `/v1/${type}/a`, { headers: A_DATE }),
  ),
  ...['/v1/kv', '/v1/changes', '/v1/snapshot', '/v1/cluster', '/metrics', '/openapi.json', '/nothing'].map((path) =>
    asking('INVALID_HEADER', `a misspelt session at ${path}`, path, { headers: { 'Quartet-Sesion': 'any' } }),
  ),

  putting('INVALID_BODY', 'what is not JSON', '/put', JSON_TYPE, '{"key":"a",'),
  putting('INVALID_BODY', 'an array', '/put', JSON_TYPE, '["a","b"]'),
  putting('INVALID_BODY', 'null', '/put', JSON_TYPE, 'null'),
  putting('INVALID_BODY', 'a number for a value', '/put', JSON_TYPE, '{"key":"a","value":1}'),
  putting('INVALID_BODY', 'an object for a key', '/put', JSON_TYPE, '{"key":{},"value":"x"}'),
  putting('INVALID_BODY', 'no value', '/put', JSON_TYPE, '{"key":"a"}'),
  putting('INVALID_BODY', 'half a surrogate pair as a value', '/put', JSON_TYPE, '{"key":"a","value":"\\udc00"}'),
  asking('INVALID_BODY', 'nothing at all', '/put', { method: 'POST' }),
  putting('INVALID_BODY', 'a lifetime of a string', '/put', JSON_TYPE, '{"key":"a","value":"x","ttl":60}'),
  putting(
    'INVALID_QUERY',
    'a body beside query parameters',
    '/put?key=a&value=x',
    JSON_TYPE,
    '{"key":"a","value":"y"}',
  ),
  ...STRINGS_HAVE_NO.map((name) =>
    putting('INVALID_HEADER', `${name} of a string`, '/put', { ...JSON_TYPE, [name]: '*' }, '{"key":"a","value":"x"}'),
  ),
  putting('UNSUPPORTED_MEDIA_TYPE', 'a string that is packed', '/put', { ...JSON_TYPE, 'Content-Encoding': 'gzip' }),
  ...STRINGS_HAVE_NO.map((name) =>
    asking('INVALID_HEADER', `a read of a string with ${name}`, `/get?key=${WITNESS}`, { headers: { [name]: '*' } }),
  ),
  changing('INVALID_BODY', 'an addition of nothing', '/v1/counters/a', '{}'),
  changing('INVALID_BODY', 'an addition of a fraction', '/v1/counters/a', '{"add":0.5}'),
  changing('INVALID_BODY', 'an addition that is not exact', '/v1/counters/a', '{"add":9007199254740993}'),
  changing('INVALID_BODY', 'an addition of a word', '/v1/counters/a', '{"add":"five"}'),
  changing('INVALID_BODY', 'an addition of too many digits', '/v1/counters/a', `{"add":"1${'0'.repeat(40)}"}`),
  changing('INVALID_BODY', 'an unknown field', '/v1/counters/a', '{"add":1,"by":2}'),
  changing('INVALID_BODY', 'an empty change', '/v1/sets/a', '{}'),
  changing('INVALID_BODY', 'elements that are no strings', '/v1/sets/a', '{"add":[1]}'),
  changing('INVALID_BODY', 'an element that is no list', '/v1/sets/a', '{"add":"a"}'),
  changing('INVALID_BODY', 'an element to add and to remove', '/v1/sets/a', '{"add":["x"],"remove":["x"]}'),
  changing('INVALID_BODY', 'half a surrogate pair as an element', '/v1/sets/a', '{"add":["\\ud83d"]}'),
  changing('INVALID_BODY', 'an element that is too long', '/v1/sets/a', `{"add":["${'x'.repeat(1025)}"]}`),
  changing('INVALID_BODY', 'fields that are a list', '/v1/maps/a', '{"set":["a"]}'),
  changing('INVALID_BODY', 'a field to put and to remove', '/v1/maps/a', '{"set":{"x":1},"remove":["x"]}'),
  changing('INVALID_BODY', 'a field with too long a name', '/v1/maps/a', `{"set":{"${'x'.repeat(1025)}":1}}`),
  changing('INVALID_BODY', 'a number that no double holds', '/v1/maps/a', '{"set":{"x":[{"y":-1e400}]}}'),
  changing('INVALID_BODY', 'JSON without a bottom', '/v1/maps/a', `{"set":{"x":${'['.repeat(1e5)}${']'.repeat(1e5)}}}`),
  changing('INVALID_HEADER', 'a context of an addition', '/v1/counters/a', '{"add":1}', {
    'Quartet-Context': new Tokens(undefined).context('a', new Map()),
  }),
  changing('UNSUPPORTED_MEDIA_TYPE', 'a form', '/v1/sets/a', 'add=a', { 'Content-Type': 'text/plain' }),
  changing('INVALID_QUERY', 'a lifetime of a set', '/v1/sets/a?ttl=5', '{"add":["x"]}'),
  changing('INVALID_KEY', 'a slash in the key of a map', '/v1/maps/a/b', '{"set":{}}'),
  putting('INVALID_HEADER', 'a condition without its quotes', '/v1/kv/a', { 'If-None-Match': 'n1.a:1' }),
  putting('INVALID_HEADER', 'a condition of nothing', '/v1/kv/a', { 'If-None-Match': '' }),
  putting('INVALID_HEADER', 'a star among entity tags', '/v1/kv/a', { 'If-Match': '"x", *' }),
  putting('PRECONDITION_FAILED', 'a star in quotes, which is a tag', `/v1/kv/${WITNESS}`, { 'If-Match': '"*"' }),
  asking('PRECONDITION_FAILED', 'a read of another state', `/v1/kv/${WITNESS}`, { headers: { 'If-Match': '"x"' } }),
  putting('INVALID_QUERY', 'a lifetime of nothing', '/v1/kv/a?ttl=0', {}),
  putting('INVALID_QUERY', 'a lifetime of a while', '/v1/kv/a?ttl=1.5', {}),
  putting('INVALID_QUERY', 'a lifetime beyond ten years', '/v1/kv/a?ttl=315360001', {}),

  changing('WRONG_TYPE', 'an addition to a plain value', `/v1/counters/${WITNESS}`, '{"add":1}'),
  changing('WRONG_TYPE', 'elements for a plain value', `/v1/sets/${WITNESS}`, '{"add":["x"]}'),
  changing('WRONG_TYPE', 'fields for a plain value', `/v1/maps/${WITNESS}`, '{"set":{"x":1}}'),
  asking('WRONG_TYPE', 'a plain value as a counter', `/v1/counters/${WITNESS}`),
  asking('WRONG_TYPE', 'a plain value as a set', `/v1/sets/${WITNESS}`),
  asking('WRONG_TYPE', 'a plain value as a map', `/v1/maps/${WITNESS}`),
  asking('WRONG_TYPE', 'a delete of a plain value as a map', `/v1/maps/${WITNESS}`, { method: 'DELETE' }),

  changing('COLLECTION_TOO_LARGE', 'more elements than a key has', '/v1/sets/a', JSON.stringify({ add: MANY })),
  changing('COLLECTION_TOO_LARGE', 'more fields than a key has', '/v1/maps/a', JSON.stringify({ set: MANY_FIELDS })),
  changing('VALUE_TOO_LARGE', 'a body that is too large', '/v1/maps/a', `{"set":{"a":"${'x'.repeat(1024 * 1024)}"}}`),
  asking(
    'METHOD_NOT_ALLOWED',
    'PUT of a counter',
    '/v1/counters/a',
    { method: 'PUT', body: '1' },
    { Allow: 'GET, HEAD, POST, DELETE' },
  ),
  asking(
    'METHOD_NOT_ALLOWED',
    'POST of a map',
    '/v1/maps/a',
    { method: 'POST', body: '{}' },
    { Allow: 'GET, HEAD, PATCH, DELETE' },
  ),
  asking('KEY_NOT_FOUND', 'a counter that is not there', '/v1/counters/a'),
  asking('KEY_NOT_FOUND', 'a set that is not there', '/v1/sets/a'),
  asking('KEY_NOT_FOUND', 'a map that is not there', '/v1/maps/a'),
  {
    code: 'INVALID_BODY',
    what: 'JSON that is not UTF-8',
    provoke: rawAt(rawRequest('PUT', '/put', { headers: JSON_TYPE, body: '{"key":"a","value":"\xff"}' })),
  },

  batching('INVALID_BODY', 'an object for a batch', '{"op":"put","key":"a","value":"x"}'),
  batching('INVALID_BODY', 'a batch that is cut', '[{"op":"put","key":"a","value":"x"}'),
  batching('BATCH_TOO_LARGE', 'an operation too many', `[${'{},'.repeat(10_000)}{}]`),
  batching('BATCH_TOO_LARGE', 'a byte too many in a batch', `[${' '.repeat(16 * MIB - 1)}]`),
  batching('INVALID_HEADER', 'a condition on a batch', '[]', { 'If-None-Match': '*' }),
  batching('UNSUPPORTED_MEDIA_TYPE', 'a batch as plain text', '[]', { 'Content-Type': 'text/plain' }),
  batching('INVALID_QUERY', 'a batch for more replicas than there are', '[]', {}, '?w=2'),
  asking('METHOD_NOT_ALLOWED', 'POST of the document', '/openapi.json', { method: 'POST' }, { Allow: 'GET, HEAD' }),
  asking('METHOD_NOT_ALLOWED', 'PUT of the pages', '/docs', { method: 'PUT' }, { Allow: 'GET, HEAD' }),
  asking('METHOD_NOT_ALLOWED', 'DELETE of strings', '/get', { method: 'DELETE' }, { Allow: 'GET, HEAD' }),
  asking('INVALID_HEADER', 'a range beyond a file', ASSET, { headers: { Range: 'bytes=99999999-' } }),
  asking('PRECONDITION_FAILED', 'a file in another state', ASSET, { headers: { 'If-Match': '"x"' } }),
  asking('METHOD_NOT_ALLOWED', 'GET of batches', '/v1/batch', {}, { Allow: 'POST' }),

  sending('INVALID_MESSAGE', 'what is no message', () => Buffer.from(`${String.fromCharCode(PROTOCOL)}hello`)),
  sending('INVALID_MESSAGE', 'a message that is cut', () => compareTo('n1').subarray(0, -1)),
  sending('INVALID_MESSAGE', 'a message with something behind it', () =>
    Buffer.concat([compareTo('n1'), Buffer.of(0)]),
  ),
  sending('INVALID_MESSAGE', 'nothing', () => new Uint8Array()),
  sending('INVALID_MESSAGE', 'what cannot be inflated', () => compareTo('n1'), { 'Content-Encoding': 'deflate' }),
  sending('PROTOCOL_VERSION', 'a later version', () => Buffer.concat([Buffer.of(99), compareTo('n1').subarray(1)])),
  sending('MISDIRECTED', 'a message for another', () => compareTo('n8')),
  sending('MISDIRECTED', 'a message from itself', () => compareTo('n1', 'n1')),

  { code: 'MALFORMED_REQUEST', what: 'what is not HTTP', provoke: rawAt('hello, is anybody there?\r\n\r\n') },
  {
    code: 'MALFORMED_REQUEST',
    what: 'a header without a colon',
    provoke: rawAt('GET /livez HTTP/1.1\r\nno colon\r\n\r\n'),
  },
  ...(
    [
      ['a key', 'PUT', '/v1/kv/Z\xc3\xbcrich'],
      ['a byte of a key', 'DELETE', '/v1/kv/\xff'],
      ['a prefix', 'GET', '/v1/kv?prefix=\xc3\xbc'],
      ['a value', 'PUT', '/put?key=a&value=gr\xc3\xb6\xc3\x9fe'],
      ['a parameter of replicas', 'POST', '/put_remote?\xc3\xbc'],
    ] as const
  ).map(([what, method, target]) => ({
    code: 'MALFORMED_REQUEST' as const,
    what: `${what} that is not ASCII and not encoded`,
    provoke: rawAt(rawRequest(method, target)),
  })),
  {
    code: 'MALFORMED_REQUEST',
    what: 'two lengths',
    provoke: rawAt('PUT /v1/kv/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'),
  },
  {
    code: 'MALFORMED_REQUEST',
    what: 'a length and chunks',
    provoke: rawAt(
      'PUT /v1/kv/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ),
  },
  {
    code: 'MALFORMED_REQUEST',
    what: 'a chunk that is none',
    provoke: rawAt(rawRequest('PUT', '/v1/kv/a', { headers: { 'Transfer-Encoding': 'chunked' }, body: 'zz\r\n' })),
  },
  {
    code: 'HEADERS_TOO_LARGE',
    what: 'a header of 20 KiB',
    provoke: rawAt(`GET /livez HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`),
  },
  {
    code: 'HEADERS_TOO_LARGE',
    what: 'a path of 20 KiB',
    provoke: rawAt(`GET /v1/kv/${'x'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`),
  },

  asking('NO_SUCH_ROUTE', 'another path', '/v2/kv/a'),
  asking('NO_SUCH_ROUTE', 'the root', '/'),
  asking('NO_SUCH_ROUTE', 'a path in capitals', '/V1/KV/a'),
  asking('NO_SUCH_ROUTE', 'a slash behind a path', '/put/', { method: 'PUT' }),
  asking('NO_SUCH_ROUTE', 'an encoded path', '/v1/%6bv/a'),
  asking('NO_SUCH_ROUTE', 'a broken escape in another path', '/nothing/%zz'),
  ...['abc://h', 'http://['].map((target) => ({
    code: 'NO_SUCH_ROUTE' as const,
    what: `a target that has no path: ${target}`,
    provoke: rawAt(rawRequest('GET', target)),
  })),

  asking('NO_SUCH_MEMBER', 'the removal of a stranger', '/v1/cluster/members/n7', { method: 'DELETE' }),
  asking('NO_SUCH_MEMBER', 'the removal of what is no name', '/v1/cluster/members/N%207', { method: 'DELETE' }),
  asking('MEMBER_NOT_REMOVABLE', 'the removal of itself', '/v1/cluster/members/n1', { method: 'DELETE' }),
  asking('INVALID_QUERY', 'a parameter of a removal', '/v1/cluster/members/n1?force=1', { method: 'DELETE' }),

  asking('KEY_NOT_FOUND', 'a key never written', '/v1/kv/never'),
  asking('KEY_NOT_FOUND', 'all siblings of none', '/v1/kv/never?siblings=all'),
  asking('KEY_NOT_FOUND', 'a key never written, as /get', '/get?key=never'),

  asking(
    'METHOD_NOT_ALLOWED',
    'POST of a key',
    '/v1/kv/a',
    { method: 'POST', body: 'x' },
    { Allow: 'GET, HEAD, PUT, DELETE' },
  ),
  asking(
    'METHOD_NOT_ALLOWED',
    'PATCH of a key',
    '/v1/kv/a',
    { method: 'PATCH', body: 'x' },
    { Allow: 'GET, HEAD, PUT, DELETE' },
  ),
  asking('METHOD_NOT_ALLOWED', 'PUT of all keys', '/v1/kv', { method: 'PUT', body: 'x' }, { Allow: 'GET, HEAD' }),
  asking('METHOD_NOT_ALLOWED', 'DELETE of all keys', '/v1/kv', { method: 'DELETE' }, { Allow: 'GET, HEAD' }),
  asking(
    'METHOD_NOT_ALLOWED',
    'OPTIONS of a key',
    '/v1/kv/a',
    { method: 'OPTIONS' },
    { Allow: 'GET, HEAD, PUT, DELETE' },
  ),
  asking('METHOD_NOT_ALLOWED', 'POST of changes', '/v1/changes', { method: 'POST' }, { Allow: 'GET, HEAD' }),
  asking('METHOD_NOT_ALLOWED', 'GET of /put', '/put', {}, { Allow: 'PUT, POST' }),
  asking('METHOD_NOT_ALLOWED', 'POST of /get', '/get', { method: 'POST' }, { Allow: 'GET, HEAD' }),
  asking('METHOD_NOT_ALLOWED', 'GET of /put_remote', '/put_remote', {}, { Allow: 'POST' }),
  asking('METHOD_NOT_ALLOWED', 'POST of the cluster', '/v1/cluster', { method: 'POST' }, { Allow: 'GET, HEAD' }),
  asking('METHOD_NOT_ALLOWED', 'GET of a member', '/v1/cluster/members/n1', {}, { Allow: 'DELETE' }),
  asking('METHOD_NOT_ALLOWED', 'DELETE of a probe', '/livez', { method: 'DELETE' }, { Allow: 'GET, HEAD' }),
  asking('METHOD_NOT_ALLOWED', 'PUT of a probe', '/readyz', { method: 'PUT' }, { Allow: 'GET, HEAD' }),
  asking('METHOD_NOT_ALLOWED', 'PUT of the metrics', '/metrics', { method: 'PUT' }, { Allow: 'GET, HEAD' }),

  putting('PRECONDITION_FAILED', 'a value where there must be none', `/v1/kv/${WITNESS}`, { 'If-None-Match': '*' }),
  putting('PRECONDITION_FAILED', 'another value than there is', `/v1/kv/${WITNESS}`, { 'If-Match': '"n1.a:1"' }),
  putting('PRECONDITION_FAILED', 'no value where there must be one', '/v1/kv/never', { 'If-Match': '*' }),
  asking('PRECONDITION_FAILED', 'a delete of another value', `/v1/kv/${WITNESS}`, {
    method: 'DELETE',
    headers: { 'If-Match': '"x"' },
  }),

  putting('VALUE_TOO_LARGE', 'an announced byte too many', '/v1/kv/a', {}, 'x'.repeat(MIB + 1)),
  putting(
    'VALUE_TOO_LARGE',
    'a string that is too long',
    '/put',
    JSON_TYPE,
    JSON.stringify({ key: 'a', value: 'x'.repeat(MIB + 1) }),
  ),
  putting('VALUE_TOO_LARGE', 'JSON that is too long', '/put', JSON_TYPE, ' '.repeat(7 * MIB)),
  {
    code: 'VALUE_TOO_LARGE',
    what: 'a byte too many in chunks',
    provoke: rawAt(
      rawRequest('PUT', '/v1/kv/a', {
        headers: { 'Transfer-Encoding': 'chunked' },
        body: `${(MIB + 1).toString(16)}\r\n${'x'.repeat(MIB + 1)}\r\n0\r\n\r\n`,
      }),
    ),
  },
  {
    code: 'VALUE_TOO_LARGE',
    what: 'an announcement alone',
    provoke: rawAt('PUT /v1/kv/a HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n'),
  },

  putting('UNSUPPORTED_MEDIA_TYPE', 'a compressed value', '/v1/kv/a', { 'Content-Encoding': 'gzip' }),
  ...(
    [
      ['a value', 'PUT', '/v1/kv/a'],
      ['a string', 'POST', '/put'],
      ['a set', 'POST', '/v1/sets/a'],
      ['a batch', 'POST', '/v1/batch'],
    ] as const
  ).map(([what, method, path]) => ({
    code: 'UNSUPPORTED_MEDIA_TYPE' as const,
    what: `${what} that was compressed on its way`,
    provoke: rawAt(
      rawRequest(method, path, {
        headers: { ...JSON_TYPE, 'Transfer-Encoding': 'deflate, chunked' },
        body: '2\r\n{}\r\n0\r\n\r\n',
      }),
    ),
  })),
  putting('UNSUPPORTED_MEDIA_TYPE', 'a plain text', '/put', { 'Content-Type': 'text/plain' }),
  sending('UNSUPPORTED_MEDIA_TYPE', 'JSON for a message', () => Buffer.from('{}'), JSON_TYPE),
  sending('UNSUPPORTED_MEDIA_TYPE', 'another compression', () => compareTo('n1'), { 'Content-Encoding': 'gzip' }),
];

describe('a replica', () => {
  it.each(PROVOCATIONS)(
    'answers $code, changes nothing and goes on: $what',
    async ({ code, provoke, headers, operation }) => {
      const before = await stateOf(node);
      const answer = await expectProblem(await provoke(), code);
      for (const [name, value] of Object.entries(headers ?? {})) expect(answer.header(name)).toBe(value);
      expect(await stateOf(node)).toEqual(before);
      if (operation !== undefined) answered.push({ operation, code });
    },
  );

  it('answers the same to a HEAD, without the body', async () => {
    for (const path of ['/v1/kv/%zz', '/v1/kv/never', '/v1/kv/a?x=y', '/nothing', '/put']) {
      const [get, head] = [await node.request(path), await node.request(path, { method: 'HEAD' })];
      expect(head.status).toBe(get.status);
      expect(head.headers.get('Content-Type')).toBe('application/problem+json');
      expect(await head.text()).toBe('');
    }
  });

  it('keeps the connection after a refusal', async () => {
    const client = await RawClient.connect(node.port);
    client.send(rawRequest('PUT', '/v1/kv/a?w=9', { body: 'refused' }));
    expect((await client.response()).status).toBe(400);
    client.send(rawRequest('GET', `/v1/kv/${WITNESS}`));
    expect((await client.response()).body).toBe('unharmed');
    client.leave();
  });
});

describe('an operation of a batch', () => {
  it('that cannot be done is INVALID_OPERATION, and changes nothing', async () => {
    const before = await stateOf(node);
    const headers = JSON_TYPE;
    const body = JSON.stringify([
      { op: 'put', key: WITNESS },
      { op: 'destroy', key: WITNESS },
    ]);
    const response = await node.request('/v1/batch', { method: 'POST', headers, body });
    const { results } = (await response.json()) as { results: { problem: { code: ProblemCode; detail: string } }[] };
    expect(results.map(({ problem }) => problem.code)).toEqual(['INVALID_OPERATION', 'INVALID_OPERATION']);
    provoked.set('INVALID_OPERATION', [results[0]!.problem.detail]);
    expect(await stateOf(node)).toEqual(before);
  });
});

describe('a token', () => {
  let context: string, session: string;
  beforeAll(async () => {
    const response = await node.get(WITNESS);
    context = contextOf(response);
    session = response.headers.get('Quartet-Session')!;
  });

  async function expectRefused(code: ProblemCode, headers: Record<string, string>, key = WITNESS): Promise<void> {
    const before = await stateOf(node);
    await expectProblem(await node.put(key, 'harm', { headers }), code);
    await expectProblem(await node.delete(key, { headers }), code);
    answered.push({ operation: ['put', '/v1/kv/{key}'], code }, { operation: ['delete', '/v1/kv/{key}'], code });
    expect(await stateOf(node)).toEqual(before);
  }

  it('is INVALID_TOKEN when it is damaged, at whichever character', async () => {
    const before = await stateOf(node);
    for (const [name, token] of [
      ['Quartet-Context', context],
      ['Quartet-Session', session],
    ] as const) {
      for (let place = 0; place < token.length; place++) {
        const damaged = token.slice(0, place) + (token[place] === 'A' ? 'B' : 'A') + token.slice(place + 1);
        await expectProblem(await node.put(WITNESS, 'harm', { headers: { [name]: damaged } }), 'INVALID_TOKEN');
      }
    }
    expect(await stateOf(node)).toEqual(before);
  });

  it.each([
    ['cut', (token: string) => token.slice(0, -1)],
    ['cut short', (token: string) => token.slice(0, 4)],
    ['empty', () => ''],
    ['longer', (token: string) => `${token}AAAA`],
    ['padded', (token: string) => `${token}=`],
    ['in the other alphabet', (token: string) => `${token.slice(0, -1)}+`],
    ['twice', (token: string) => `${token}, ${token}`],
    ['very long', () => 'A'.repeat(9000)],
  ])('is INVALID_TOKEN when it is %s', async (_, change) => {
    await expectRefused('INVALID_TOKEN', { 'Quartet-Context': change(context) });
    await expectRefused('INVALID_TOKEN', { 'Quartet-Session': change(session) });
  });

  it('is INVALID_TOKEN when it is of the other kind', async () => {
    await expectRefused('INVALID_TOKEN', { 'Quartet-Context': session });
    await expectRefused('INVALID_TOKEN', { 'Quartet-Session': context });
    await expectProblem(await node.get(WITNESS, { session: context }), 'INVALID_TOKEN');
    answered.push({ operation: ['get', '/v1/kv/{key}'], code: 'INVALID_TOKEN' });
  });

  it('is INVALID_TOKEN when a cluster with another secret gave it out', async () => {
    const foreign = await guarded.get(WITNESS);
    await expectRefused('INVALID_TOKEN', { 'Quartet-Context': contextOf(foreign) });
    await expectRefused('INVALID_TOKEN', { 'Quartet-Session': foreign.headers.get('Quartet-Session')! });
  });

  it('is INVALID_TOKEN when it was made up without the secret', async () => {
    const forger = new Tokens('a guess');
    const everything = vector({ [(await guarded.cluster()).actor]: 2 ** 50 });
    const before = await stateOf(guarded);
    for (const headers of [
      { 'Quartet-Context': forger.context(WITNESS, everything) },
      { 'Quartet-Session': forger.session(everything) },
    ]) {
      await expectProblem(await guarded.put(WITNESS, 'harm', { headers }), 'INVALID_TOKEN', guarded);
    }
    expect(await stateOf(guarded)).toEqual(before);
  });

  it('is CONTEXT_OF_ANOTHER_KEY when it was read from another key', async () => {
    const other = contextOf(await node.get('another key'));
    await expectRefused('CONTEXT_OF_ANOTHER_KEY', { 'Quartet-Context': other });
  });

  it('is NOT_CAUGHT_UP as a cursor that has seen what this replica has not', async () => {
    await stranger.write('elsewhere', 'value');
    const elsewhere = await stranger.request('/v1/changes?since=now');
    const cursor = elsewhere.headers.get('Quartet-Cursor')!;
    for (const feed of ['poll', 'longpoll', 'eventsource']) {
      const response = await node.request(`/v1/changes?since=${cursor}&feed=${feed}&timeout=10`);
      expect(response.headers.get('Retry-After')).toBe('1');
      await expectProblem(response, 'NOT_CAUGHT_UP');
      answered.push({ operation: ['get', '/v1/changes'], code: 'NOT_CAUGHT_UP' });
    }
  });

  it('is NOT_CAUGHT_UP when it has seen what this replica has not, and says when to try again', async () => {
    const elsewhere = await stranger.write('elsewhere', 'value');
    const before = await stateOf(node);
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE']) {
      const headers = { 'Quartet-Session': elsewhere.session };
      const body = method === 'PUT' ? { body: 'harm' } : {};
      const response = await node.request(`/v1/kv/${WITNESS}?timeout=10`, { method, headers, ...body });
      expect(response.headers.get('Retry-After')).toBe('1');
      if (method === 'HEAD') expect(response.status).toBe(503);
      else await expectProblem(response, 'NOT_CAUGHT_UP');
      if (method !== 'HEAD')
        answered.push({ operation: [method.toLowerCase(), '/v1/kv/{key}'], code: 'NOT_CAUGHT_UP' });
    }
    expect(await stateOf(node)).toEqual(before);
  });
});

describe('a replica that reaches no other', () => {
  it('answers QUORUM_NOT_REACHED to who wants to read from two', async () => {
    const peers = [{ name: 'n2', url: 'http://127.0.0.1:1', isNamed: true }];
    const lonely = await InProcessNode.start({ peers });
    try {
      const before = await stateOf(lonely);
      const response = await lonely.get(WITNESS, { query: 'r=2&timeout=20' });
      expect(response.headers.get('Retry-After')).toBe('1');
      await expectProblem(response, 'QUORUM_NOT_REACHED', lonely);
      answered.push({ operation: ['get', '/v1/kv/{key}'], code: 'QUORUM_NOT_REACHED' });
      expect(await stateOf(lonely)).toEqual(before);
    } finally {
      await lonely.remove();
    }
  });
});

describe('the name of a request', () => {
  it('is IDEMPOTENCY_KEY_REUSED when it names another request', async () => {
    const headers = { 'Idempotency-Key': 'name' };
    await node.put('named', 'value', { headers });
    const before = await stateOf(node);
    await expectProblem(await node.put('named', 'other', { headers }), 'IDEMPOTENCY_KEY_REUSED');
    await expectProblem(await node.delete('named', { headers }), 'IDEMPOTENCY_KEY_REUSED');
    expect(await stateOf(node)).toEqual(before);
  });
});

describe('the route between replicas', () => {
  const message = { method: 'POST', body: new Uint8Array(compareTo('n1')) };
  const type = { 'Content-Type': 'application/octet-stream' };

  it.each([
    ['UNAUTHENTICATED', 'no secret', {}],
    ['UNAUTHENTICATED', 'another scheme', { Authorization: `Basic ${SECRET}` }],
    ['FORBIDDEN', 'another secret', { Authorization: 'Bearer guess' }],
    ['FORBIDDEN', 'a part of the secret', { Authorization: `Bearer ${SECRET.slice(0, -1)}` }],
  ] as const)('answers %s to a caller with %s', async (code, _, headers) => {
    const before = await stateOf(guarded);
    const response = await guarded.request('/put_remote', { ...message, headers: { ...type, ...headers } });
    const answer = await expectProblem(response, code, guarded);
    expect(answer.header('WWW-Authenticate')).toBe(code === 'UNAUTHENTICATED' ? 'Bearer' : undefined);
    expect(answer.body).not.toContain(SECRET);
    expect(await stateOf(guarded)).toEqual(before);
  });

  it('lets in who shows the secret', async () => {
    const headers = { ...type, Authorization: `Bearer ${SECRET}` };
    expect((await guarded.request('/put_remote', { ...message, headers })).status).toBe(200);
  });
});

describe('a client that is slow', () => {
  it('gets REQUEST_TIMEOUT, and nothing of what it sends then is done', async () => {
    const before = await stateOf(guarded);
    const halves = [
      ['PUT /v1/kv/slow HTTP/1.1\r\nHost: quartet\r\nX-Unfin', 'ished: now\r\n\r\n'],
      [rawRequest('PUT', '/v1/kv/slow', { headers: { 'Content-Length': '900' }, body: 'half' }), 'x'.repeat(896)],
      ['', rawRequest('DELETE', `/v1/kv/${WITNESS}`)],
    ] as const;
    const clients = await Promise.all(
      halves.map(async ([first, second]) => {
        const client = await RawClient.connect(guarded.port);
        await expectProblem(await client.send(first).response(), 'REQUEST_TIMEOUT', guarded);
        return client.send(second);
      }),
    );
    answered.push({ operation: ['put', '/v1/kv/{key}'], code: 'REQUEST_TIMEOUT' });
    // A batch of no operations.
    const batch = { method: 'POST', headers: JSON_TYPE, body: `[${' '.repeat(200)}]` };
    await until('the body has given its room back', async () => (await guarded.request('/v1/batch', batch)).ok);
    for (const client of clients) expect(await client.rest()).toBe('');
    expect(await stateOf(guarded)).toEqual(before);
    for (const client of clients) client.leave();
  });
});

describe('a cursor that the log does not reach back to', () => {
  it('is CURSOR_EXPIRED, however it is asked for', async () => {
    await until('the log is empty', async () => (await node.cluster()).log.entries === 0);
    for (const feed of ['poll', 'longpoll', 'eventsource']) {
      await expectProblem(await node.request(`/v1/changes?feed=${feed}`), 'CURSOR_EXPIRED');
      answered.push({ operation: ['get', '/v1/changes'], code: 'CURSOR_EXPIRED' });
    }
  });
});

describe('readers of changes that are too many', () => {
  it('are OVERLOADED', async () => {
    const crowded = await InProcessNode.start({ feedReadersMax: 0 });
    try {
      await crowded.write(WITNESS, 'unharmed');
      for (const feed of ['longpoll', 'eventsource']) {
        const response = await crowded.request(`/v1/changes?since=now&feed=${feed}`);
        expect(response.headers.get('Retry-After')).toBe('1');
        await expectProblem(response, 'OVERLOADED', crowded);
        answered.push({ operation: ['get', '/v1/changes'], code: 'OVERLOADED' });
      }
    } finally {
      await crowded.remove();
    }
  });
});

describe('bodies that together are too large', () => {
  it('are OVERLOADED, until the one that took the room is gone', async () => {
    const before = await stateOf(guarded);
    const slow = await RawClient.connect(guarded.port);
    slow.send('PUT /v1/kv/half HTTP/1.1\r\nHost: quartet\r\nContent-Length: 900\r\nExpect: 100-continue\r\n\r\n');
    expect((await slow.response()).status).toBe(100);
    for (const path of ['/v1/kv/other', '/put']) {
      const response = await guarded.request(path, { method: 'PUT', headers: JSON_TYPE, body: ' '.repeat(200) });
      expect(response.headers.get('Retry-After')).toBe('1');
      await expectProblem(response, 'OVERLOADED', guarded);
      answered.push({ operation: ['put', path === '/put' ? path : '/v1/kv/{key}'], code: 'OVERLOADED' });
    }
    expect(await stateOf(guarded)).toEqual(before);
    slow.leave();
    await until('there is room', async () => (await guarded.put('roomy', ' '.repeat(200))).ok);
  });
});

describe('a key with very many siblings', () => {
  it('takes no more of them: TOO_MANY_SIBLINGS, until a client writes that has seen them', async () => {
    const context = contextOf(await node.get('crowded'));
    for (let i = 0; i < 64; i++) await node.write('crowded', `${i}`, { context });
    const before = await stateOf(node);
    const answer = await expectProblem(await node.put('crowded', 'one more', { context }), 'TOO_MANY_SIBLINGS');
    answered.push({ operation: ['put', '/v1/kv/{key}'], code: 'TOO_MANY_SIBLINGS' });
    expect(answer.header('Quartet-Siblings')).toBe('64');
    expect(await stateOf(node)).toEqual(before);
    const seen = await node.siblings('crowded');
    expect((await node.write('crowded', 'merged', { context: seen.context })).siblings).toBe(1);
  });
});

describe('a full disk', () => {
  it('makes writes STORE_FULL, while reads and the replica go on', async () => {
    await node.restart({ diskFreeBytesMin: Number.MAX_SAFE_INTEGER });
    const before = await stateOf(node);
    const writes: [string, RequestOptions][] = [
      [`/v1/kv/${WITNESS}`, { method: 'PUT', body: 'harm' }],
      [`/v1/kv/${WITNESS}`, { method: 'DELETE' }],
      ['/put?key=a&value=b', { method: 'PUT' }],
      ['/v1/batch', { method: 'POST', headers: JSON_TYPE, body: `[{"op":"delete","key":"${WITNESS}"}]` }],
    ];
    for (const [path, options] of writes) {
      const { body } = await expectProblem(await node.request(path, options), 'STORE_FULL');
      expect((JSON.parse(body) as { readonly detail: string }).detail).toMatch(
        /^\d+ bytes are free, .* 9007199254740991 .*\(QUARTET_DISK_FREE_MIN_BYTES\)/,
      );
      const route = path.replace(/\?.*/, '').replace(/\/kv\/.*/, '/kv/{key}');
      answered.push({ operation: [options.method!.toLowerCase(), route], code: 'STORE_FULL' });
    }
    expect(await stateOf(node)).toEqual(before);
    const readiness = await node.request('/readyz?verbose');
    expect(readiness.status).toBe(200);
    expect(await readiness.text()).toMatch(/disk: nearly full/);
    await node.restart();
  });
});

describe('a replica that the others have removed', () => {
  it('is FORGOTTEN to whoever writes there, and readiness is red, while reads go on', async () => {
    const cluster = await startCluster(2);
    try {
      const [n1, n2] = cluster.nodes as [InProcessNode, InProcessNode];
      await n1.write(WITNESS, 'unharmed', { query: 'w=all' });
      expect((await n1.request('/v1/cluster/members/n2', { method: 'DELETE' })).status).toBe(204);
      await until('n2 knows', async () => (await n2.request('/readyz')).status === 503);
      const before = await stateOf(n2);
      const writes: [method: string, path: string, operation: string][] = [
        ['PUT', `/v1/kv/${WITNESS}`, '/v1/kv/{key}'],
        ['DELETE', `/v1/kv/${WITNESS}`, '/v1/kv/{key}'],
        ['PUT', '/put?key=a&value=b', '/put'],
        ['POST', '/put?key=a&value=b', '/put'],
      ];
      for (const [method, path, operation] of writes) {
        await expectProblem(await n2.request(path, { method }), 'FORGOTTEN', n2);
        answered.push({ operation: [method.toLowerCase(), operation], code: 'FORGOTTEN' });
      }
      expect(await stateOf(n2)).toEqual(before);
      expect(await (await n2.get(WITNESS)).text()).toBe('unharmed');
    } finally {
      await cluster.remove();
    }
  });
});

describe('a member that is known by its address only', () => {
  it('is MEMBER_NOT_REMOVABLE: the others could not be told whom to forget', async () => {
    const peers = [{ name: '127-0-0-1-1', url: 'http://127.0.0.1:1', isNamed: false }];
    const bare = await InProcessNode.start({ peers });
    try {
      const before = await stateOf(bare);
      const response = await bare.request('/v1/cluster/members/127-0-0-1-1', { method: 'DELETE' });
      await expectProblem(response, 'MEMBER_NOT_REMOVABLE', bare);
      expect(await stateOf(bare)).toEqual(before);
    } finally {
      await bare.remove();
    }
  });
});

describe('a damaged record', () => {
  it('is CORRUPT_RECORD, never a value and never an absence, while other keys go on', async () => {
    const damaged = await InProcessNode.start();
    try {
      await damaged.write(WITNESS, 'unharmed');
      await damaged.write('broken', 'value');
      await flipBit(damaged, 'broken');
      const before = await damaged.clock();
      const requests: [method: string, path: string, operation: string][] = [
        ['GET', '/v1/kv/broken', '/v1/kv/{key}'],
        ['GET', '/v1/kv/broken?siblings=all', '/v1/kv/{key}'],
        ['PUT', '/v1/kv/broken', '/v1/kv/{key}'],
        ['DELETE', '/v1/kv/broken', '/v1/kv/{key}'],
        ['GET', '/get?key=broken', '/get'],
        ['PUT', '/put?key=broken&value=new', '/put'],
        ['GET', '/v1/kv', '/v1/kv'],
      ];
      for (const [method, path, operation] of requests) {
        await expectProblem(await damaged.request(path, { method }), 'CORRUPT_RECORD', damaged);
        answered.push({ operation: [method.toLowerCase(), operation], code: 'CORRUPT_RECORD' });
      }
      expect(await damaged.clock()).toEqual(before);
      expect(await (await damaged.get(WITNESS)).text()).toBe('unharmed');
      expect((await damaged.put('another', 'value')).status).toBe(201);
      expect((await damaged.request('/readyz')).status).toBe(200);
      expect(damaged.failures).toEqual([]);
    } finally {
      await damaged.remove();
    }
  });

  async function flipBit(damaged: InProcessNode, key: string): Promise<void> {
    await damaged.stop();
    const store = await LevelStore.open(join(damaged.config.data, 'level'));
    const snapshot = store.snapshot();
    const record = Buffer.from(snapshot.get(versionsKey(key))!);
    snapshot.close();
    record[record.length - 1]! ^= 1;
    await store.commit([{ type: 'put', key: versionsKey(key), value: record }]);
    await store.close();
    await damaged.restart();
  }
});

describe('a disk that fails', () => {
  it('stops the replica: REPLICA_STOPPED, its outcome unknown, and readiness red', async () => {
    const failing = await InProcessNode.start();
    try {
      await failing.write(WITNESS, 'unharmed');
      await rm(failing.config.data, { recursive: true });
      // The database needs a new file after some megabytes, and finds no folder to make it in.
      const value = new Uint8Array(MIB);
      let response = await failing.put('filler', value);
      for (let i = 0; response.ok && i < 64; i++) response = await failing.put('filler', value);
      await expectProblem(response, 'REPLICA_STOPPED', failing);
      expect(failing.failures).toHaveLength(1);
      await expectProblem(await failing.put(WITNESS, 'more'), 'REPLICA_STOPPED', failing);
      await expectProblem(await failing.delete(WITNESS), 'REPLICA_STOPPED', failing);
      await expectProblem(await failing.request('/put?key=a&value=b', { method: 'PUT' }), 'REPLICA_STOPPED', failing);
      const removal = await failing.request('/v1/cluster/members/n2', { method: 'DELETE' });
      await expectProblem(removal, 'REPLICA_STOPPED', failing);
      for (const [method, route] of [
        ['delete', '/v1/cluster/members/{name}'],
        ['put', '/v1/kv/{key}'],
        ['delete', '/v1/kv/{key}'],
        ['put', '/put'],
      ] as const) {
        answered.push({ operation: [method, route], code: 'REPLICA_STOPPED' });
      }
      expect((await failing.request('/readyz')).status).toBe(503);
      expect((await failing.request('/livez')).status).toBe(200);
      expect(await (await failing.request('/readyz?verbose')).text()).toMatch(/^\[-\] store: failed/m);
    } finally {
      await failing.remove().catch(() => {});
    }
  });
});

describe('an error that no layer has a name for', () => {
  it('is INTERNAL, and its answer says nothing of its inside', () => {
    const problem = problemOf(new TypeError('cannot read properties of /some/path'));
    expect(problem.code).toBe('INTERNAL');
    expect(problemBody(problem)).not.toMatch(/TypeError|path/);
    provoked.set('INTERNAL', [problem.message]);
  });
});

describe('the registry of problems', () => {
  it('holds no code that nothing above has provoked', () => {
    expect([...provoked.keys()].sort()).toEqual(Object.keys(PROBLEMS).sort());
  });

  it('agrees with its table in docs/api.md, row by row', async () => {
    const text = await readFile('docs/api.md', 'utf8');
    const rows = [...text.matchAll(/^\| +(\d{3}) +\| +`(\w+)` +\| +(\w+) +\| +(.*\S) +\|$/gm)].map(
      ([, status, code, outcome, title]) => [code, { status: Number(status), outcome, title }],
    );
    expect(Object.fromEntries(rows)).toEqual(PROBLEMS);
    expect(rows).toHaveLength(Object.keys(PROBLEMS).length);
  });

  it('agrees with OpenAPI: every code that a route answered is listed there', async () => {
    interface Operations {
      readonly paths: Record<string, Record<string, { responses: Record<string, { description: string }> }>>;
    }
    const { paths } = (await (await node.request('/openapi.json')).json()) as Operations;
    const missing = answered
      .filter(({ operation: [method, path] }) => paths[path]?.[method] !== undefined)
      .filter(({ operation: [method, path], code }) => {
        const listed = paths[path]![method]!.responses[PROBLEMS[code].status]?.description ?? '';
        return !listed.includes(`\`${code}\``);
      })
      .map(({ operation, code }) => `${operation.join(' ')}: ${code}`);
    expect([...new Set(missing)]).toEqual([]);
  });
});
