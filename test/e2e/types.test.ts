// Counters, sets and maps over HTTP: every row of their interface, and what becomes of them when replicas change them at once.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startCluster, type InProcessCluster } from '../support/in-process-cluster.js';
import { InProcessNode, type RequestOptions, type SiblingsBody } from '../support/in-process-node.js';
import { rawExchange, rawRequest } from '../support/raw-client.js';

type Kind = 'counters' | 'sets' | 'maps';

interface Changed {
  readonly dot: string;
  /** Of a counter. */
  readonly value: unknown;
}

let node: InProcessNode;
beforeAll(async () => {
  node = await InProcessNode.start();
});
afterAll(() => node.remove());

function ask(at: InProcessNode, kind: Kind, key: string, options: RequestOptions & { query?: string } = {}) {
  const query = options.query === undefined ? '' : `?${options.query}`;
  return at.request(`/v1/${kind}/${encodeURIComponent(key)}${query}`, options);
}

function change(
  at: InProcessNode,
  kind: Kind,
  key: string,
  body: unknown,
  { headers = {}, query }: { headers?: Record<string, string>; query?: string } = {},
): Promise<Response> {
  return ask(at, kind, key, {
    method: kind === 'maps' ? 'PATCH' : 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...(query === undefined ? {} : { query }),
  });
}

async function changed(at: InProcessNode, kind: Kind, key: string, body: unknown): Promise<Changed> {
  const response = await change(at, kind, key, body);
  const text = await response.text();
  if (!response.ok) throw new Error(`${kind} ${key}: ${response.status} ${text}`);
  return JSON.parse(text) as Changed;
}

async function value(at: InProcessNode, kind: Kind, key: string, query?: string): Promise<unknown> {
  const response = await ask(at, kind, key, query === undefined ? {} : { query });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${kind} ${key}: ${response.status} ${text}`);
  return JSON.parse(text);
}

async function versionsOf(at: InProcessNode, kind: Kind, key: string): Promise<SiblingsBody> {
  const response = await ask(at, kind, key, { query: 'siblings=all' });
  return (await response.json()) as SiblingsBody;
}

describe('POST /v1/counters/{key}', () => {
  it('makes a counter, adds to it, negative amounts too, and answers with what it has then', async () => {
    const first = await change(node, 'counters', 'visits', { add: 5 });
    expect(first.status).toBe(201);
    expect(await first.json()).toEqual({
      key: 'visits',
      dot: expect.stringMatching(/^n1\.\w+:\d+$/),
      context: first.headers.get('quartet-context'),
      session: first.headers.get('quartet-session'),
      siblings: 1,
      acks: 1,
      value: 5,
    });
    const second = await change(node, 'counters', 'visits', { add: -7 });
    expect([second.status, ((await second.json()) as { value: number }).value]).toEqual([200, -2]);
    expect(await value(node, 'counters', 'visits')).toBe(-2);
  });

  it('is exact beyond 2^53: amounts and values are strings of digits then', async () => {
    await changed(node, 'counters', 'large', { add: Number.MAX_SAFE_INTEGER });
    expect(await value(node, 'counters', 'large')).toBe(Number.MAX_SAFE_INTEGER);
    await changed(node, 'counters', 'large', { add: 1 });
    expect(await value(node, 'counters', 'large')).toBe('9007199254740992');
    await changed(node, 'counters', 'large', { add: '-9007199254740993000000000' });
    expect(await value(node, 'counters', 'large')).toBe('-9007199245733793745259008');
    await changed(node, 'counters', 'large', { add: '9007199245733793745259008' });
    expect(await value(node, 'counters', 'large')).toBe(0);
  });

  it('begins at 0 with an addition of 0', async () => {
    expect((await changed(node, 'counters', 'zero', { add: 0 })).value).toBe(0);
    expect(await value(node, 'counters', 'zero')).toBe(0);
  });

  it('takes If-Match and If-None-Match, Prefer and ?w, as a PUT does', async () => {
    const once = { headers: { 'If-None-Match': '*' } };
    expect((await change(node, 'counters', 'once', { add: 1 }, once)).status).toBe(201);
    expect((await change(node, 'counters', 'once', { add: 1 }, once)).status).toBe(412);
    const etag = (await ask(node, 'counters', 'once')).headers.get('etag')!;
    const minimal = { headers: { 'If-Match': etag, Prefer: 'return=minimal' }, query: 'w=all' };
    const answer = await change(node, 'counters', 'once', { add: 1 }, minimal);
    expect([answer.status, await answer.text(), answer.headers.get('quartet-acks')]).toEqual([204, '', '1']);
    expect((await change(node, 'counters', 'once', { add: 1 }, minimal)).status).toBe(412);
    expect(await value(node, 'counters', 'once')).toBe(2);
  });
});

describe('GET /v1/counters/{key}', () => {
  it('answers with headers as a read of a plain value does, and HEAD with the same', async () => {
    await changed(node, 'counters', 'read', { add: 3 });
    const read = await ask(node, 'counters', 'read');
    const headers = Object.fromEntries(read.headers);
    expect([read.status, await read.text()]).toEqual([200, '3']);
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'cache-control': 'no-store',
      etag: expect.stringMatching(/^".+"$/),
      'last-modified': expect.stringMatching(/GMT$/),
      'quartet-context': expect.any(String),
      'quartet-session': expect.any(String),
      'quartet-siblings': '1',
    });
    const head = await ask(node, 'counters', 'read', { method: 'HEAD' });
    expect([head.status, await head.text(), head.headers.get('etag')]).toEqual([200, '', headers['etag']]);
    const again = await ask(node, 'counters', 'read', { headers: { 'If-None-Match': headers['etag']! } });
    expect(again.status).toBe(304);
  });

  it('lists the partial sums with ?siblings=all', async () => {
    await changed(node, 'counters', 'parts', { add: 3 });
    const { dot } = await changed(node, 'counters', 'parts', { add: 4 });
    const response = await ask(node, 'counters', 'parts', { query: 'siblings=all' });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      key: 'parts',
      type: 'counter',
      siblings: [{ dot, time: expect.any(String), type: 'counter', value: 7 }],
    });
  });

  it('is 404 with tokens before the first addition, and after a delete', async () => {
    const before = await ask(node, 'counters', 'later');
    expect([before.status, before.headers.has('quartet-session')]).toEqual([404, true]);
    await changed(node, 'counters', 'later', { add: 1 });
    const deleted = await ask(node, 'counters', 'later', { method: 'DELETE' });
    expect([deleted.status, deleted.headers.has('quartet-context')]).toEqual([204, true]);
    expect((await ask(node, 'counters', 'later')).status).toBe(404);
    expect((await ask(node, 'counters', 'later', { method: 'DELETE' })).status).toBe(204);
    expect((await changed(node, 'counters', 'later', { add: 2 })).value).toBe(2);
  });
});

describe('POST /v1/sets/{key}', () => {
  it('adds and removes elements in one step, and GET lists them in the order of their bytes', async () => {
    const first = await change(node, 'sets', 'tags', { add: ['b', '😀', '～', 'a', ''] });
    expect([first.status, ((await first.json()) as { siblings: number }).siblings]).toEqual([201, 1]);
    expect(await value(node, 'sets', 'tags')).toEqual(['', 'a', 'b', '～', '😀']);
    const second = await change(node, 'sets', 'tags', { add: ['c'], remove: ['a', 'not there'] });
    expect(second.status).toBe(200);
    expect(await value(node, 'sets', 'tags')).toEqual(['', 'b', 'c', '～', '😀']);
    expect((await ask(node, 'sets', 'tags')).headers.get('quartet-siblings')).toBe('1');
  });

  it('creates nothing with an operation that adds nothing', async () => {
    for (const [kind, body] of [
      ['sets', { remove: ['a'] }],
      ['sets', { add: [] }],
      ['maps', { set: {} }],
    ] as const) {
      const response = await change(node, kind, 'nothing', body);
      expect([response.status, await response.json()]).toMatchObject([200, { dot: null, siblings: 0 }]);
      const named = await change(node, kind, 'nothing', body, { headers: { 'Idempotency-Key': JSON.stringify(body) } });
      expect([named.status, await named.json()]).toMatchObject([200, { siblings: 0 }]);
      expect((await ask(node, kind, 'nothing')).status).toBe(404);
    }
  });

  it('gives each added element a dot of its own, and one to all removals', async () => {
    await changed(node, 'sets', 'dots', { add: ['a', 'b', 'c'] });
    const before = (await node.clock())[(await node.cluster()).actor]!;
    const { dot } = await changed(node, 'sets', 'dots', { add: ['d', 'e'], remove: ['a', 'b'] });
    expect((await node.clock())[(await node.cluster()).actor]).toBe(before + 3);
    expect(dot.split(':')[1]).toBe(String(before + 3));
    expect(
      (await versionsOf(node, 'sets', 'dots')).siblings.map((each) => [each.dot.split(':')[1], each]),
    ).toMatchObject([
      [expect.any(String), { part: 'c', type: 'set' }],
      [String(before + 1), { part: 'd' }],
      [String(before + 2), { part: 'e' }],
    ]);
  });

  it('writes nothing when there is nothing to do: the dot is null', async () => {
    await changed(node, 'sets', 'idle', { add: ['a'] });
    const clock = await node.clock();
    const etag = (await ask(node, 'sets', 'idle')).headers.get('etag');
    const answer = await change(node, 'sets', 'idle', { remove: ['b'] }, { query: 'w=1' });
    expect([answer.status, answer.headers.get('etag')]).toEqual([200, etag]);
    expect(await answer.json()).toMatchObject({ dot: null, acks: 1 });
    expect(await node.clock()).toEqual(clock);
  });

  it('leaves an empty set absent', async () => {
    await changed(node, 'sets', 'emptied', { add: ['a'] });
    await changed(node, 'sets', 'emptied', { remove: ['a'] });
    expect((await ask(node, 'sets', 'emptied')).status).toBe(404);
  });

  it('refuses to grow a set beyond its bounds, and takes what makes it smaller', async () => {
    const add = Array.from({ length: 10_000 }, (_, place) => `${place}`);
    await changed(node, 'sets', 'full', { add });
    const refused = await change(node, 'sets', 'full', { add: ['one more'] });
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([413, 'COLLECTION_TOO_LARGE']);
    await changed(node, 'sets', 'full', { add: ['one more'], remove: ['0'] });
    await changed(node, 'sets', 'full', { remove: ['1', '2'] });
    expect(((await value(node, 'sets', 'full')) as string[]).length).toBe(9998);
    expect((await ask(node, 'sets', 'full', { method: 'DELETE' })).status).toBe(204);
  });
});

describe('PATCH /v1/maps/{key}', () => {
  it('puts and removes fields of any JSON value in one step, and leaves the others', async () => {
    const set = { name: 'Ada', age: 36, tags: ['a', { b: null }], on: true, none: null, '': 0 };
    const first = await change(node, 'maps', 'person', { set });
    expect(first.status).toBe(201);
    expect(await value(node, 'maps', 'person')).toEqual(set);
    await changed(node, 'maps', 'person', { set: { age: 37 }, remove: ['none', 'not there'] });
    expect(await value(node, 'maps', 'person')).toEqual({
      name: 'Ada',
      age: 37,
      tags: ['a', { b: null }],
      on: true,
      '': 0,
    });
    expect((await ask(node, 'maps', 'person', { method: 'DELETE' })).status).toBe(204);
    expect((await ask(node, 'maps', 'person')).status).toBe(404);
  });

  it('knows no field that means something to JavaScript', async () => {
    const body = '{"set":{"__proto__":{"a":1},"constructor":2,"toString":3}}';
    await changed(node, 'maps', 'names', body);
    const text = await (await ask(node, 'maps', 'names')).text();
    expect(text).toBe('{"__proto__":{"a":1},"constructor":2,"toString":3}');
    const listed = await (await node.request('/v1/kv?prefix=names&values=true')).text();
    expect(listed).toContain('"value":{"__proto__":{"a":1},"constructor":2,"toString":3}');
  });

  it('refuses fields whose texts, as they are kept, are larger than a value may be', async () => {
    // Four characters of a number that is kept as twenty-one.
    const numbers = (count: number) => `[${Array.from({ length: count }, () => '1e20').join(',')}]`;
    for (const set of [`{"a":${numbers(60_000)}}`, `{"a":${numbers(30_000)},"b":${numbers(30_000)}}`]) {
      const refused = await change(node, 'maps', 'swollen', `{"set":${set}}`);
      expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([413, 'VALUE_TOO_LARGE']);
    }
    expect((await ask(node, 'maps', 'swollen')).status).toBe(404);
    await changed(node, 'maps', 'swollen', `{"set":{"a":${numbers(40_000)}}}`);
  });

  it('refuses a first field that is larger than a map may be, where values may be larger', async () => {
    const roomy = await InProcessNode.start({ valueBytesMax: 4 * 1024 * 1024 });
    try {
      const refused = await change(roomy, 'maps', 'large', { set: { a: 'x'.repeat(2 * 1024 * 1024) } });
      expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([
        413,
        'COLLECTION_TOO_LARGE',
      ]);
    } finally {
      await roomy.remove();
    }
  });

  it('needs an encoded key, as every route does', async () => {
    const request = rawRequest('PATCH', '/v1/maps/a%2Fb', {
      headers: { 'Content-Type': 'application/json' },
      body: '{"set":{"x":1}}',
    });
    expect((await rawExchange(node.port, request)).status).toBe(201);
    expect(await value(node, 'maps', 'a/b')).toEqual({ x: 1 });
  });
});

describe('a key of one type', () => {
  it.each([
    ['counters', 'counter', { add: 1 }],
    ['sets', 'set', { add: ['x'] }],
    ['maps', 'map', { set: { x: 1 } }],
  ] as const)('made by %s is refused by every other route, and listed as a %s', async (kind, type, body) => {
    const key = `typed ${type}`;
    await changed(node, kind, key, body);
    const others = (['counters', 'sets', 'maps'] as const).filter((each) => each !== kind);
    const bodies = { counters: { add: 1 }, sets: { add: ['y'] }, maps: { set: { y: 1 } } };
    const answers = [
      node.get(key),
      node.put(key, 'text'),
      node.delete(key),
      node.request(`/get?key=${encodeURIComponent(key)}`),
      node.request(`/put?key=${encodeURIComponent(key)}&value=x`, { method: 'PUT' }),
      ...others.flatMap((other) => [
        ask(node, other, key),
        change(node, other, key, bodies[other]),
        ask(node, other, key, { method: 'DELETE' }),
      ]),
    ];
    for (const answer of answers) {
      const response = await answer;
      expect([response.status, await response.json()]).toEqual([409, expect.objectContaining({ code: 'WRONG_TYPE' })]);
    }
    const expected = { counter: 1, set: ['x'], map: { x: 1 } }[type];
    expect(await value(node, kind, key)).toEqual(expected);
    const entry = (await node.listing()).find((each) => each.key === key);
    expect(entry).toMatchObject({ type, siblings: 1, value: expected });
    expect(entry).not.toHaveProperty('contentType');
    // `?siblings=all` shows what there is, whatever was asked for.
    expect(await node.siblings(key)).toMatchObject({ type });
  });

  it('may get another one once it is deleted', async () => {
    await changed(node, 'counters', 'reborn', { add: 1 });
    await ask(node, 'counters', 'reborn', { method: 'DELETE' });
    expect((await node.put('reborn', 'text')).status).toBe(201);
    expect(await (await node.get('reborn')).text()).toBe('text');
  });
});

describe('types in a cluster', () => {
  let cluster: InProcessCluster;
  let n1: InProcessNode;
  let n2: InProcessNode;
  let n3: InProcessNode;
  beforeAll(async () => {
    cluster = await startCluster(3);
    [n1, n2, n3] = cluster.nodes as [InProcessNode, InProcessNode, InProcessNode];
  });
  beforeEach(() => cluster.converge());
  afterEach(() => cluster.restore());
  afterAll(() => cluster.remove());

  async function healed(): Promise<void> {
    cluster.heal();
    await cluster.converge();
  }

  it('count every addition once, wherever it was made', async () => {
    await changed(n1, 'counters', 'raced', { add: 100 });
    await cluster.converge();
    cluster.scatter();
    await Promise.all(
      [n1, n2, n3].flatMap((at, place) =>
        Array.from({ length: 10 }, () => changed(at, 'counters', 'raced', { add: 10 ** place })),
      ),
    );
    await healed();
    for (const at of cluster.nodes) expect(await value(at, 'counters', 'raced')).toBe(100 + 10 + 100 + 1000);
    expect(
      new Set(
        await Promise.all(cluster.nodes.map(async (at) => (await ask(at, 'counters', 'raced')).headers.get('etag'))),
      ).size,
    ).toBe(1);
  });

  it('go on counting after a restart, and on a disk that is new', async () => {
    await changed(n1, 'counters', 'restarted', { add: 5 });
    await cluster.restart(n1);
    await changed(n1, 'counters', 'restarted', { add: 5 });
    await cluster.converge();
    await n1.wipe();
    await cluster.restart(n1);
    await changed(n1, 'counters', 'restarted', { add: 5 });
    await cluster.converge();
    for (const at of cluster.nodes) expect(await value(at, 'counters', 'restarted')).toBe(15);
  });

  it('leave the whole partial sum of a replica that added while the counter was deleted elsewhere', async () => {
    await changed(n1, 'counters', 'deleted', { add: 5 });
    await changed(n2, 'counters', 'deleted', { add: 30 });
    await cluster.converge();
    cluster.scatter();
    await ask(n3, 'counters', 'deleted', { method: 'DELETE' });
    await changed(n1, 'counters', 'deleted', { add: 1 });
    await healed();
    for (const at of cluster.nodes) expect(await value(at, 'counters', 'deleted')).toBe(6);
  });

  it('keep an element whose add raced with its removal', async () => {
    await changed(n1, 'sets', 'raced set', { add: ['both', 'gone'] });
    await cluster.converge();
    cluster.scatter();
    await changed(n1, 'sets', 'raced set', { add: ['both', 'n1'] });
    await changed(n2, 'sets', 'raced set', { add: ['n2'], remove: ['both', 'gone'] });
    await healed();
    for (const at of cluster.nodes) expect(await value(at, 'sets', 'raced set')).toEqual(['both', 'n1', 'n2']);
  });

  it('show the winner of a field that raced, and all of them with ?siblings=all', async () => {
    await changed(n1, 'maps', 'raced map', { set: { a: 1, b: 1, c: 1 } });
    await cluster.converge();
    cluster.scatter();
    await changed(n1, 'maps', 'raced map', { set: { a: 'x', b: 2 } });
    await changed(n2, 'maps', 'raced map', { set: { a: 'y' }, remove: ['c'] });
    await changed(n3, 'maps', 'raced map', { set: { a: 'w', d: 4 } });
    await healed();
    for (const at of cluster.nodes) {
      expect(await value(at, 'maps', 'raced map')).toEqual({ a: 'y', b: 2, d: 4 });
      expect((await ask(at, 'maps', 'raced map')).headers.get('quartet-siblings')).toBe('3');
      const all = await ask(at, 'maps', 'raced map', { query: 'siblings=all' });
      expect(all.status).toBe(300);
      const { type, siblings } = (await all.json()) as SiblingsBody;
      expect([type, siblings.map(({ part, value }) => [part, value])]).toEqual([
        'map',
        [
          ['a', 'y'],
          ['a', 'x'],
          ['a', 'w'],
          ['b', 2],
          ['d', 4],
        ],
      ]);
    }
    await changed(n2, 'maps', 'raced map', { set: { a: 'settled' } });
    expect((await ask(n2, 'maps', 'raced map')).headers.get('quartet-siblings')).toBe('1');
  });

  it('that raced for one key both live on, the key is of the stronger one, and the other is not lost', async () => {
    cluster.scatter();
    await n1.write('raced types', 'text', { contentType: 'text/plain' });
    await changed(n2, 'sets', 'raced types', { add: ['x'] });
    await changed(n3, 'counters', 'raced types', { add: 7 });
    await healed();
    for (const at of cluster.nodes) {
      expect(await value(at, 'sets', 'raced types')).toEqual(['x']);
      expect(await value(at, 'counters', 'raced types')).toBe(7);
      expect(await (await at.get('raced types')).text()).toBe('text');
      expect((await ask(at, 'maps', 'raced types')).status).toBe(409);
      expect((await ask(at, 'sets', 'raced types')).headers.get('quartet-siblings')).toBe('3');
      const { type, siblings } = await at.siblings('raced types');
      expect([type, siblings.map((each) => each.type)]).toEqual(['set', ['set', 'counter', 'register']]);
      expect((await at.listing()).find(({ key }) => key === 'raced types')).toMatchObject({ type: 'set', siblings: 3 });
    }
    expect((await n1.put('raced types', 'again')).status).toBe(409);
    expect((await n1.delete('raced types')).status).toBe(409);
    await changed(n1, 'sets', 'raced types', { add: ['y'] });
    expect((await ask(n1, 'sets', 'raced types', { method: 'DELETE' })).status).toBe(204);
    await cluster.converge();
    for (const at of cluster.nodes) expect((await at.get('raced types')).status).toBe(404);
  });

  it('are written on what the session has seen', async () => {
    await changed(n1, 'sets', 'session', { add: ['a'] });
    cluster.cut(n1, n2);
    cluster.cut(n3, n2);
    const added = await change(n1, 'sets', 'session', { add: ['b'] });
    const session = added.headers.get('quartet-session')!;
    const early = await change(
      n2,
      'sets',
      'session',
      { remove: ['b'] },
      { headers: { 'Quartet-Session': session }, query: 'timeout=50' },
    );
    expect([early.status, ((await early.json()) as { code: string }).code]).toEqual([503, 'NOT_CAUGHT_UP']);
    cluster.heal();
    const late = await change(n2, 'sets', 'session', { remove: ['b'] }, { headers: { 'Quartet-Session': session } });
    expect(late.status).toBe(200);
    await cluster.converge();
    for (const at of cluster.nodes) expect(await value(at, 'sets', 'session')).toEqual(['a']);
  });
});
