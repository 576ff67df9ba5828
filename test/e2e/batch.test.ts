// `POST /v1/batch`: what happens to many operations that share one commit?

import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { startCluster, type InProcessCluster } from '../support/in-process-cluster.js';
import { contextOf, InProcessNode, sessionOf } from '../support/in-process-node.js';
import { RawClient, rawRequest } from '../support/raw-client.js';
import { until } from '../support/until.js';

interface Result {
  readonly key?: string;
  readonly status: number;
  readonly dot?: string;
  readonly etag?: string;
  readonly siblings?: number;
  readonly contentType?: string;
  readonly value?: string;
  readonly base64?: string;
  readonly context?: string;
  readonly problem?: { readonly code: string; readonly detail: string; readonly status: number };
}

let node: InProcessNode;
beforeAll(async () => {
  node = await InProcessNode.start();
});
afterAll(() => node.remove());

const JSON_TYPE = 'application/json';
const NDJSON_TYPE = 'application/x-ndjson';

function post(
  at: InProcessNode,
  body: string,
  {
    type = JSON_TYPE,
    query = '',
    headers = {},
  }: { type?: string; query?: string; headers?: Record<string, string> } = {},
): Promise<Response> {
  const path = `/v1/batch${query === '' ? '' : `?${query}`}`;
  return at.request(path, { method: 'POST', headers: { 'Content-Type': type, ...headers }, body });
}

async function run(at: InProcessNode, operations: readonly unknown[]): Promise<readonly Result[]> {
  const response = await post(at, JSON.stringify(operations));
  expect(response.status).toBe(200);
  return ((await response.json()) as { results: Result[] }).results;
}

async function linesOf(response: Response): Promise<readonly Result[]> {
  const text = await response.text();
  expect(text === '' || text.endsWith('\n')).toBe(true);
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Result);
}

function ndjson(operations: readonly unknown[]): string {
  return operations.map((operation) => `${JSON.stringify(operation)}\n`).join('');
}

function statuses(results: readonly Result[]): readonly number[] {
  return results.map(({ status }) => status);
}

describe('a batch', () => {
  it('puts, gets and deletes, with one status for each operation, in order', async () => {
    await node.write('b old', 'before');
    const results = await run(node, [
      { op: 'put', key: 'b new', value: 'value', contentType: 'text/plain' },
      { op: 'put', key: 'b old', value: 'after' },
      { op: 'put', key: 'b bytes', base64: '/wA=' },
      { op: 'get', key: 'b bytes' },
      { op: 'delete', key: 'b new' },
      { op: 'get', key: 'b never' },
    ]);
    expect(statuses(results)).toEqual([201, 200, 201, 200, 204, 404]);
    expect(results.map(({ key }) => key)).toEqual(['b new', 'b old', 'b bytes', 'b bytes', 'b new', 'b never']);
    expect(results[3]).toMatchObject({ base64: '/wA=', contentType: 'application/octet-stream', siblings: 1 });
    expect(results[5]!.problem).toMatchObject({ code: 'KEY_NOT_FOUND', status: 404 });
    expect((await node.get('b new')).status).toBe(404);
    const old = await node.get('b old');
    expect(await old.text()).toBe('after');
    expect(old.headers.get('ETag')).toBe(results[1]!.etag);
    expect(new Uint8Array(await (await node.get('b bytes')).arrayBuffer())).toEqual(new Uint8Array([255, 0]));
  });

  it('keeps the content type of a put', async () => {
    await run(node, [{ op: 'put', key: 'b type', value: '{}', contentType: 'application/json' }]);
    expect((await node.get('b type')).headers.get('Content-Type')).toBe('application/json');
  });

  it('has its reads see what the operations before them have done, and nothing of those after', async () => {
    await node.write('b order', 'zero');
    const get = { op: 'get', key: 'b order' };
    const results = await run(node, [
      get,
      { op: 'put', key: 'b order', value: 'one' },
      get,
      { op: 'put', key: 'b order', value: 'two' },
      get,
      { op: 'delete', key: 'b order' },
      get,
    ]);
    expect(results.filter((_, i) => i % 2 === 0).map(({ value, status }) => value ?? status)).toEqual([
      'zero',
      'one',
      'two',
      404,
    ]);
  });

  it('gives each write a dot of its own, in order, in one commit', async () => {
    const { actor, clock } = await node.cluster();
    const first = (clock[actor] ?? 0) + 1;
    const puts = Array.from({ length: 500 }, (_, i) => ({ op: 'put', key: `b dots ${i % 7}`, value: `${i}` }));
    const dots = (await run(node, puts)).map(({ dot }) => dot);
    expect(dots).toEqual(puts.map((_, i) => `${actor}:${first + i}`));
  });

  it('replaces what its contexts have seen, and makes siblings of what they have not', async () => {
    const { context } = await node.write('b context', 'read');
    await node.write('b context', 'unseen');
    const [put, get] = await run(node, [
      { op: 'put', key: 'b context', value: 'late', context },
      { op: 'get', key: 'b context' },
    ]);
    expect(put).toMatchObject({ status: 200, siblings: 2 });
    const [merged, deleted] = await run(node, [
      { op: 'put', key: 'b context', value: 'merged', context: get!.context },
      { op: 'delete', key: 'b context', context: get!.context },
    ]);
    expect(merged!.siblings).toBe(1);
    // The delete's author had not seen the merge.
    expect(deleted).toMatchObject({ status: 204, siblings: 1 });
    expect((await node.write('b context', 'last', { context: merged!.context! })).siblings).toBe(1);
  });

  it('does what can be done beside what cannot, and says why for each', async () => {
    const { context } = await node.write('b other key', 'value');
    const value = 'x';
    const bad: readonly (readonly [unknown, string])[] = [
      [{ op: 'put', key: '', value }, 'INVALID_KEY'],
      [{ op: 'put', key: 'k'.repeat(1025), value }, 'KEY_TOO_LONG'],
      [{ op: 'put', key: '\ud83d', value }, 'INVALID_KEY'],
      [{ op: 'put', value }, 'INVALID_KEY'],
      [{ op: 'put', key: 7, value }, 'INVALID_OPERATION'],
      [{ op: 'put', key: 'b bad' }, 'INVALID_OPERATION'],
      [{ op: 'put', key: 'b bad', value, base64: 'eA==' }, 'INVALID_OPERATION'],
      [{ op: 'put', key: 'b bad', value: 1 }, 'INVALID_OPERATION'],
      [{ op: 'put', key: 'b bad', value: null }, 'INVALID_OPERATION'],
      [{ op: 'put', key: 'b bad', value: '\udc00' }, 'INVALID_OPERATION'],
      [{ op: 'put', key: 'b bad', base64: 'eA' }, 'INVALID_OPERATION'],
      [{ op: 'put', key: 'b bad', base64: '?' }, 'INVALID_OPERATION'],
      [{ op: 'put', key: 'b bad', value, contentType: '' }, 'INVALID_OPERATION'],
      [{ op: 'put', key: 'b bad', value, contentType: 'text/ü' }, 'INVALID_OPERATION'],
      [{ op: 'put', key: 'b bad', value, contentType: `${'x'.repeat(256)}` }, 'INVALID_OPERATION'],
      [{ op: 'put', key: 'b bad', value, w: 2 }, 'INVALID_OPERATION'],
      [{ op: 'put', key: 'b bad', value: 'x'.repeat(1024 * 1024 + 1) }, 'VALUE_TOO_LARGE'],
      [{ op: 'put', key: 'b bad', value, context: 'x' }, 'INVALID_TOKEN'],
      [{ op: 'put', key: 'b bad', value, context }, 'CONTEXT_OF_ANOTHER_KEY'],
      [{ op: 'get', key: 'b bad', context }, 'INVALID_OPERATION'],
      [{ op: 'delete', key: 'b bad', value }, 'INVALID_OPERATION'],
      [{ op: 'post', key: 'b bad' }, 'INVALID_OPERATION'],
      [{ op: '__proto__', key: 'b bad' }, 'INVALID_OPERATION'],
      [{ op: 'constructor', key: 'b bad' }, 'INVALID_OPERATION'],
      [{ key: 'b bad' }, 'INVALID_OPERATION'],
      [{}, 'INVALID_OPERATION'],
      [null, 'INVALID_OPERATION'],
      ['put', 'INVALID_OPERATION'],
      [[], 'INVALID_OPERATION'],
      [7, 'INVALID_OPERATION'],
    ];
    const operations = bad.flatMap(([operation], i) => [operation, { op: 'put', key: `b good ${i}`, value: `${i}` }]);
    const results = await run(node, operations);
    expect(results).toHaveLength(operations.length);
    bad.forEach(([operation, code], i) => {
      const { key, status, problem } = results[2 * i]!;
      expect({ operation, code: problem?.code }).toEqual({ operation, code });
      expect(status).toBe(problem!.status);
      expect(key).toBe((operation as { key?: string } | null)?.key === key ? key : undefined);
      expect(results[2 * i + 1]).toMatchObject({ key: `b good ${i}`, status: 201 });
    });
    expect((await node.get('b bad')).status).toBe(404);
    expect(await (await node.get('b good 29')).text()).toBe('29');
  });

  it('takes a key named __proto__ as any other', async () => {
    const body = '[{"op":"put","key":"__proto__","value":"x"},{"op":"get","key":"__proto__"}]';
    const { results } = (await (await post(node, body)).json()) as { results: Result[] };
    expect(results[1]).toMatchObject({ key: '__proto__', status: 200, value: 'x' });
  });

  it('of nothing is answered by nothing', async () => {
    const { actor, clock } = await node.cluster();
    expect(await run(node, [])).toEqual([]);
    expect(await linesOf(await post(node, '', { type: NDJSON_TYPE }))).toEqual([]);
    expect((await node.cluster()).clock[actor]).toBe(clock[actor]);
  });

  it('has up to 10,000 operations, and is refused whole with one more', async () => {
    const puts = Array.from({ length: 10_001 }, (_, i) => ({ op: 'put', key: `b many ${i}`, value: `${i}` }));
    const refused = await post(node, ndjson(puts), { type: NDJSON_TYPE });
    expect(refused.status).toBe(413);
    expect(await refused.json()).toMatchObject({ code: 'BATCH_TOO_LARGE' });
    expect((await node.get('b many 0')).status).toBe(404);
    const results = await linesOf(await post(node, ndjson(puts.slice(1)), { type: NDJSON_TYPE }));
    expect(results).toHaveLength(10_000);
    expect(new Set(statuses(results))).toEqual(new Set([201]));
    expect(await (await node.get('b many 10000')).text()).toBe('10000');
  }, 30_000);

  it('is on disk when it is answered: a replica that starts again has all of it', async () => {
    const own = await InProcessNode.start({ name: 'n5' });
    try {
      const puts = Array.from({ length: 200 }, (_, i) => ({ op: 'put', key: `${i}`, value: `${i}` }));
      await run(own, puts);
      await own.restart();
      expect((await own.listing()).map(({ key }) => key).sort()).toEqual(puts.map(({ key }) => key).sort());
    } finally {
      await own.remove();
    }
  });

  it('reads no more than its bound in all, and says so for what goes beyond', async () => {
    const value = 'v'.repeat(1024 * 1024 - 100);
    await node.write('b large', value);
    const gets = Array.from({ length: 18 }, () => ({ op: 'get', key: 'b large' }));
    const results = await run(node, gets);
    expect(statuses(results)).toEqual([...Array.from({ length: 16 }, () => 200), 413, 413]);
    expect(results[17]!.problem!.code).toBe('BATCH_TOO_LARGE');
    expect(results[0]!.value).toHaveLength(value.length);
  });

  it('writes to no key any more once its writes have found as much as they may, and says so for each', async () => {
    const add = Array.from({ length: 10_000 }, (_, i) => `${i}`);
    const headers = { 'Content-Type': JSON_TYPE };
    await node.request('/v1/sets/b%20set', { method: 'POST', headers, body: JSON.stringify({ add }) });
    const puts = Array.from({ length: 20 }, () => ({ op: 'put', key: 'b set', value: 'x' }));
    const results = await run(node, [
      { op: 'put', key: 'b before', value: 'x' },
      ...puts,
      { op: 'delete', key: 'b before' },
    ]);
    const codes = results.map(({ problem }) => problem?.code);
    expect(codes.slice(0, 2)).toEqual([undefined, 'WRONG_TYPE']);
    expect(codes.slice(-2)).toEqual(['BATCH_TOO_LARGE', 'BATCH_TOO_LARGE']);
    expect((await node.get('b before')).status).toBe(200);
  });
});

describe('a batch in NDJSON', () => {
  it('is answered in NDJSON, a line for a line, in order', async () => {
    const operations = [
      { op: 'put', key: 'nd a', value: 'line\nbreak' },
      { op: 'frobnicate' },
      { op: 'get', key: 'nd a' },
    ];
    const response = await post(node, ndjson(operations), { type: `${NDJSON_TYPE}; charset=utf-8` });
    expect(response.headers.get('Content-Type')).toBe(NDJSON_TYPE);
    expect(response.headers.get('Quartet-Acks')).toBe('1');
    const results = await linesOf(response);
    expect(statuses(results)).toEqual([201, 400, 200]);
    expect(results[2]!.value).toBe('line\nbreak');
    expect((await node.get('nd a', { session: sessionOf(response) })).status).toBe(200);
  });

  it('needs no line feed behind its last line', async () => {
    const body = ndjson([{ op: 'put', key: 'nd last', value: 'x' }]).trimEnd();
    expect(statuses(await linesOf(await post(node, body, { type: NDJSON_TYPE })))).toEqual([201]);
  });

  it('is streamed: a client that takes nothing, and one that leaves, hold up nobody', async () => {
    const value = 'v'.repeat(1024 * 1024 - 100);
    await node.write('nd large', value);
    const body = ndjson(Array.from({ length: 15 }, () => ({ op: 'get', key: 'nd large' })));
    const request = rawRequest('POST', '/v1/batch', { headers: { 'Content-Type': NDJSON_TYPE }, body });
    const leaver = await RawClient.connect(node.port);
    leaver.pause().send(request);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((await node.get('nd large')).status).toBe(200);
    leaver.leave();
    const reader = await post(node, body, { type: NDJSON_TYPE });
    expect(await linesOf(reader)).toHaveLength(15);
  });
});

describe('a body that is no batch', () => {
  it.each([
    ['an object', JSON_TYPE, '{"op":"put","key":"harm","value":"x"}', 'INVALID_BODY'],
    ['nothing', JSON_TYPE, '', 'INVALID_BODY'],
    ['a cut array', JSON_TYPE, '[{"op":"put","key":"harm","value":"x"}', 'INVALID_BODY'],
    ['lines for an array', JSON_TYPE, ndjson([{ op: 'put', key: 'harm', value: 'x' }, {}]), 'INVALID_BODY'],
    ['a cut line', NDJSON_TYPE, `${ndjson([{ op: 'put', key: 'harm', value: 'x' }])}{"op":"put"`, 'INVALID_BODY'],
    ['an empty line', NDJSON_TYPE, `${ndjson([{ op: 'put', key: 'harm', value: 'x' }])}\n{}\n`, 'INVALID_BODY'],
    ['another type', 'text/plain', '[]', 'UNSUPPORTED_MEDIA_TYPE'],
    ['a type that only begins like it', 'application/jsonx', '[]', 'UNSUPPORTED_MEDIA_TYPE'],
  ])('%s is refused whole, and nothing of it is done', async (_, type, body, code) => {
    const { clock } = await node.cluster();
    const response = await post(node, body, { type });
    expect(await response.json()).toMatchObject({ code, outcome: 'definite' });
    expect((await node.cluster()).clock).toEqual(clock);
    expect((await node.get('harm')).status).toBe(404);
  });

  it('says in which line it is wrong', async () => {
    const body = `${ndjson([{ op: 'get', key: 'a' }])}{oops}\n`;
    const problem = (await (await post(node, body, { type: NDJSON_TYPE })).json()) as { detail: string };
    expect(problem.detail).toMatch(/^line 2 is not JSON/);
  });

  it('with too many bytes is BATCH_TOO_LARGE', async () => {
    const response = await post(node, `[${' '.repeat(16 * 1024 * 1024)}]`);
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ code: 'BATCH_TOO_LARGE' });
  });

  it.each([
    [{ 'Content-Encoding': 'gzip' }, 'UNSUPPORTED_MEDIA_TYPE'],
    [{ 'If-Match': '*' }, 'INVALID_HEADER'],
    [{ 'If-None-Match': '*' }, 'INVALID_HEADER'],
    [{ 'Quartet-Context': 'x' }, 'INVALID_HEADER'],
    [{ 'Quartet-Session': 'x' }, 'INVALID_TOKEN'],
  ])('and headers that it does not take: %j', async (headers: Record<string, string>, code) => {
    const response = await post(node, '[]', { headers });
    expect(await response.json()).toMatchObject({ code });
  });

  it.each(['w=2', 'w=0', 'r=1', 'resolve=latest', 'timeout=never'])('refuses %s', async (query) => {
    expect(await (await post(node, '[]', { query })).json()).toMatchObject({ code: 'INVALID_QUERY' });
  });
});

describe('a batch in a cluster', () => {
  let cluster: InProcessCluster;
  let n1: InProcessNode, n2: InProcessNode, n3: InProcessNode;
  beforeAll(async () => {
    cluster = await startCluster(3);
    [n1, n2, n3] = cluster.nodes as [InProcessNode, InProcessNode, InProcessNode];
  });
  afterEach(() => cluster.restore());
  afterAll(() => cluster.remove());

  const puts = (name: string, count: number) =>
    Array.from({ length: count }, (_, i) => ({ op: 'put', key: `${name} ${i}`, value: `${i}` }));

  it.each([
    ['w=1', 1],
    ['w=2', 2],
    ['w=majority', 2],
    ['w=all', 3],
  ])(
    'with %s is answered once %d replicas have committed all of it',
    async (query, acks) => {
      const response = await post(n1, JSON.stringify(puts(query, 300)), { query: `${query}&timeout=20000` });
      expect(response.status).toBe(200);
      const body = (await response.json()) as { acks: number; results: Result[] };
      expect(body.acks).toBeGreaterThanOrEqual(acks);
      expect(response.headers.get('Quartet-Acks')).toBe(String(body.acks));
      const found = await Promise.all(
        cluster.nodes.map(async (each) => (await each.get(`${query} 299`)).status === 200),
      );
      expect(found.filter(Boolean).length).toBeGreaterThanOrEqual(acks);
    },
    30_000,
  );

  it('is 202 with 202 for each write when replicas are missing, says how far it got, and undoes nothing', async () => {
    cluster.isolate(n1);
    const response = await post(n1, JSON.stringify([...puts('partly', 2), { op: 'get', key: 'partly 0' }]), {
      query: 'w=2&timeout=100',
    });
    expect(response.status).toBe(202);
    const body = (await response.json()) as { acks: number; results: Result[] };
    expect(body.acks).toBe(1);
    expect(statuses(body.results)).toEqual([202, 202, 200]);
    cluster.heal();
    await until('n2 has it', async () => (await n2.get('partly 1')).status === 200);
  });

  it('keeps what it has read while it waits for others only as far as bodies may be kept: the next read is not done', async () => {
    await n1.write('large', 'x'.repeat(2000), { query: 'w=all' });
    await cluster.restart(n1, { bodyBytesMax: 4500 });
    cluster.isolate(n1);
    const operations = [...puts('waits', 1), ...Array.from({ length: 3 }, () => ({ op: 'get', key: 'large' }))];
    const { results } = (await (await post(n1, JSON.stringify(operations), { query: 'w=2&timeout=100' })).json()) as {
      results: Result[];
    };
    expect(statuses(results)).toEqual([202, 200, 200, 429]);
    expect(results[3]!.problem!.code).toBe('OVERLOADED');
    await cluster.restart(n1);
  });

  it('gives one session for all of it, which no replica serves that lacks any', async () => {
    cluster.isolate(n3);
    const response = await post(n1, JSON.stringify(puts('session', 50)));
    const session = sessionOf(response);
    expect(((await response.json()) as { session: string }).session).toBe(session);
    expect(await (await n2.get('session 49', { session })).text()).toBe('49');
    expect((await n3.get('session 0', { session, query: 'timeout=0' })).status).toBe(503);
  });

  it('waits for the session that it is sent with, and does nothing when that is in vain', async () => {
    cluster.isolate(n3);
    const { session } = await n1.write('first', 'value');
    const headers = { 'Quartet-Session': session };
    const body = JSON.stringify([{ op: 'get', key: 'first' }, ...puts('second', 1)]);
    expect(await (await post(n3, body, { headers, query: 'timeout=50' })).json()).toMatchObject({
      code: 'NOT_CAUGHT_UP',
    });
    expect((await n3.get('second 0')).status).toBe(404);
    const { results } = (await (await post(n2, body, { headers })).json()) as { results: Result[] };
    expect(statuses(results)).toEqual([200, 201]);
  });

  it('takes contexts of other replicas', async () => {
    cluster.isolate(n2);
    const { context } = await n1.write('travelling', 'old');
    const [put] = await run(n2, [{ op: 'put', key: 'travelling', value: 'new', context }]);
    expect(put).toMatchObject({ status: 201, siblings: 1 });
    cluster.heal();
    await cluster.converge();
    const read = await n3.get('travelling');
    expect(await read.text()).toBe('new');
    expect((await n1.put('travelling', 'last', { context: contextOf(read) })).headers.get('Quartet-Siblings')).toBe(
      '1',
    );
  });
});
