// What if a client leaves in the middle, sends several requests at once, or comes together with fifty others?

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { InProcessNode } from '../support/in-process-node.js';
import { RawClient, rawRequest } from '../support/raw-client.js';
import { until } from '../support/until.js';

const CLIENTS = 50;

let node: InProcessNode;
beforeAll(async () => {
  node = await InProcessNode.start();
});
afterAll(() => node.remove());

describe('a client that leaves in the middle of a body', () => {
  it.each([
    ['announced', rawRequest('PUT', '/v1/kv/half', { headers: { 'Content-Length': '10' }, body: 'half' })],
    ['chunked', rawRequest('PUT', '/v1/kv/half', { headers: { 'Transfer-Encoding': 'chunked' }, body: 'a\r\nhalf' })],
    [
      'chunked, but for the last chunk',
      rawRequest('PUT', '/v1/kv/half', { headers: { 'Transfer-Encoding': 'chunked' }, body: '4\r\nhalf\r\n' }),
    ],
    [
      'as JSON',
      rawRequest('PUT', '/put', {
        headers: { 'Content-Type': 'application/json', 'Content-Length': '99' },
        body: '{"key":"half","value":"x"}',
      }),
    ],
  ])('has written nothing: a body that is %s', async (_, request) => {
    const before = await node.clock();
    const client = await RawClient.connect(node.port);
    client.send(request.replace('\r\n\r\n', '\r\nExpect: 100-continue\r\n\r\n'));
    expect((await client.response()).status).toBe(100);
    client.leave();
    // A write behind it, by another client, is taken after this one's end was seen.
    await node.write('behind', 'value');
    expect((await node.get('half')).status).toBe(404);
    const [actor] = Object.keys(before).concat((await node.cluster()).actor);
    expect((await node.clock())[actor!]).toBe((before[actor!] ?? 0) + 1);
  });
});

describe('one connection', () => {
  it('takes many requests at once, and answers them in their order', async () => {
    const client = await RawClient.connect(node.port);
    const requests = Array.from({ length: 20 }, (_, i) => [
      rawRequest('PUT', '/v1/kv/pipelined', { body: `value ${i}` }),
      rawRequest('GET', '/v1/kv/pipelined'),
    ]);
    client.send(requests.flat().join(''));
    const dots = [];
    for (let i = 0; i < 20; i++) {
      const written = await client.response();
      expect([200, 201]).toContain(written.status);
      dots.push((JSON.parse(written.body) as { dot: string }).dot);
      expect((await client.response()).body).toBe(`value ${i}`);
    }
    client.leave();
    expect(new Set(dots).size).toBe(20);
    const { siblings } = await node.siblings('pipelined');
    expect(siblings).toHaveLength(1);
    expect(dots).toContain(siblings[0]!.dot);
  });

  it('has a key written and then deleted when it says so at once', async () => {
    const client = await RawClient.connect(node.port);
    client.send(rawRequest('PUT', '/v1/kv/brief', { body: 'value' }) + rawRequest('DELETE', '/v1/kv/brief'));
    expect((await client.response()).status).toBe(201);
    expect((await client.response()).status).toBe(204);
    client.leave();
    expect((await node.get('brief')).status).toBe(404);
  });

  it('lives on after errors', async () => {
    const client = await RawClient.connect(node.port);
    const asked: [request: string, status: number][] = [
      [rawRequest('GET', '/v1/kv/%zz'), 400],
      [rawRequest('GET', '/nothing'), 404],
      [rawRequest('PUT', '/v1/kv/alive', { headers: { 'Content-Encoding': 'gzip' }, body: 'ignored' }), 415],
      [rawRequest('PUT', '/v1/kv/alive', { headers: { 'If-Match': '*' }, body: 'ignored' }), 412],
      [rawRequest('POST', '/v1/kv/alive', { body: 'ignored' }), 405],
      [rawRequest('PUT', '/v1/kv/alive', { body: 'taken' }), 201],
    ];
    for (const [request, status] of asked) expect((await client.send(request).response()).status).toBe(status);
    client.leave();
  });

  it('ends after what is not HTTP, whether the client closes its side or not', async () => {
    const client = await RawClient.connect(node.port);
    expect((await client.send('nonsense\r\n\r\n').response()).status).toBe(400);
    expect(await client.rest()).toBe('');
    client.leave();
  });

  it('tells nobody that nothing happened when nonsense follows a write that is under way', async () => {
    const client = await RawClient.connect(node.port);
    client.send(`${rawRequest('PUT', '/v1/kv/followed', { body: 'value' })}nonsense\r\n\r\n`);
    const text = await client.rest();
    // Either the answer of the write or none: the write may well have happened.
    expect(text).toMatch(/^(HTTP\/1\.1 201|$)/);
    client.leave();
    await until('the write is done', async () => (await node.get('followed')).status === 200);
  });
});

describe('a DELETE that turns out to be no request', () => {
  it.each<[string, number, string, (client: RawClient) => void]>([
    ['its body is no body', 400, 'Transfer-Encoding: chunked\r\n\r\nzz\r\n', () => {}],
    ['its client ends in the middle of it', 400, 'Content-Length: 5\r\n\r\nab', (client) => client.end()],
    ['its client never ends it', 408, 'Content-Length: 5\r\n\r\nab', () => {}],
  ])('has deleted nothing, as its answer says: %s', async (_, status, rest, end) => {
    const peers = [{ name: 'n4', url: 'http://127.0.0.1:1', isNamed: true }];
    const own = await InProcessNode.start({ peers, requestTimeoutMs: 100 });
    const json = { 'Content-Type': 'application/json' };
    await own.write('a', 'value');
    await own.request('/v1/counters/b', { method: 'POST', headers: json, body: '{"add":1}' });
    for (const path of ['/v1/kv/a', '/v1/counters/b', '/v1/cluster/members/n4']) {
      const client = await RawClient.connect(own.port);
      end(client.send(`DELETE ${path} HTTP/1.1\r\nHost: quartet\r\n${rest}`));
      const answer = await client.response();
      expect(answer.status).toBe(status);
      expect(answer.body).toContain('"outcome":"definite"');
      client.leave();
    }
    expect((await own.get('a')).status).toBe(200);
    expect((await own.request('/v1/counters/b')).status).toBe(200);
    expect((await own.cluster()).members).toEqual(['n1', 'n4']);
    await own.remove();
  });

  it('is done when its body has come, whatever that is', async () => {
    const headers = { 'Transfer-Encoding': 'chunked' };
    for (const [path, key] of [
      ['/v1/kv/', 'c'],
      ['/v1/maps/', 'd'],
    ] as const) {
      if (path === '/v1/kv/') await node.write(key, 'value');
      const client = await RawClient.connect(node.port);
      client.send(rawRequest('DELETE', path + key, { headers, body: '2\r\nab\r\n' }));
      client.send('0\r\n\r\n');
      expect((await client.response()).status).toBe(204);
      client.leave();
      expect((await node.request(path + key)).status).toBe(404);
    }
  });
});

describe('a client that never ends its connection', () => {
  it('does not hold up the end of the replica', async () => {
    const held = await InProcessNode.start({ requestTimeoutMs: 100 });
    const clients = await Promise.all(Array.from({ length: 4 }, () => RawClient.connect(held.port)));
    const [idle, refused, unfinished, hanging] = clients as [RawClient, RawClient, RawClient, RawClient];
    await idle.send(rawRequest('GET', '/livez')).response();
    await refused.send('nonsense\r\n\r\n').response();
    await unfinished.send('GET /livez HT').response();
    hanging.send('PUT /v1/kv/a HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n');
    await hanging.response();
    const start = performance.now();
    await held.remove();
    expect(performance.now() - start).toBeLessThan(4000);
    for (const client of clients) client.leave();
  });
});

describe('a client that takes nothing', () => {
  const KEYS = 12;
  const VALUE_BYTES = 2 ** 20;
  let large: InProcessNode;
  beforeAll(async () => {
    large = await InProcessNode.start();
    for (let i = 0; i < KEYS; i++) await large.write(`large${i}`, 'x'.repeat(VALUE_BYTES));
  });
  afterAll(() => large.remove());

  const gets = JSON.stringify(Array.from({ length: KEYS }, (_, i) => ({ op: 'get', key: `large${i}` })));
  it.each([
    [
      'a batch',
      KEYS * VALUE_BYTES,
      rawRequest('POST', '/v1/batch', { headers: { 'Content-Type': 'application/json' }, body: gets }),
    ],
    ['a page of the listing', 8 * VALUE_BYTES, rawRequest('GET', '/v1/kv?values=true')],
  ])('has the bytes of its answer counted until it leaves: %s', async (_, bytes, request) => {
    const client = await RawClient.connect(large.port);
    client.pause().send(request);
    await until('they are counted', async () => (await large.metric('quartet_unsent_bytes')) >= bytes);
    client.leave();
    await until('they are not any more', async () => (await large.metric('quartet_unsent_bytes')) === 0);
    expect(await large.metric('quartet_unsent_cut_total')).toBe(0);
  });
});

describe('many clients at one replica', () => {
  it('make no conflict when they write one key without a context', async () => {
    const answers = await Promise.all(Array.from({ length: CLIENTS }, (_, i) => node.write('crowd', `client ${i}`)));
    expect(new Set(answers.map(({ siblings }) => siblings))).toEqual(new Set([1]));
    expect(new Set(answers.map(({ dot }) => dot)).size).toBe(CLIENTS);
    const last = answers.reduce((a, b) => (Number(a.dot.split(':')[1]) > Number(b.dot.split(':')[1]) ? a : b));
    expect((await node.siblings('crowd')).siblings).toMatchObject([{ dot: last.dot }]);
  });

  it('create a key once with If-None-Match: *', async () => {
    const none = { headers: { 'If-None-Match': '*' } };
    const answers = await Promise.all(
      Array.from({ length: CLIENTS }, async (_, i) => ({
        i,
        status: (await node.put('once', `client ${i}`, none)).status,
      })),
    );
    const created = answers.filter(({ status }) => status === 201);
    expect(created).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 412)).toHaveLength(CLIENTS - 1);
    expect(await (await node.get('once')).text()).toBe(`client ${created[0]!.i}`);
  });

  it('lose no increment with If-Match and another try', async () => {
    await node.write('counter', '0');
    const increment = async (): Promise<void> => {
      for (;;) {
        const read = await node.get('counter');
        const headers = { 'If-Match': read.headers.get('ETag')! };
        const { status } = await node.put('counter', String(Number(await read.text()) + 1), { headers });
        if (status === 200) return;
        expect(status).toBe(412);
      }
    };
    await Promise.all(Array.from({ length: 8 }, increment));
    expect(await (await node.get('counter')).text()).toBe('8');
  });

  it('are each kept as a sibling when all write with the context of the same read', async () => {
    const { context } = await node.write('all at once', 'base');
    await Promise.all(Array.from({ length: 20 }, (_, i) => node.write('all at once', `client ${i}`, { context })));
    const { siblings } = await node.siblings('all at once');
    expect(siblings.map(({ value }) => value).sort()).toEqual(
      Array.from({ length: 20 }, (_, i) => `client ${i}`).sort(),
    );
  });

  it('read what was committed, whole, while it is written', async () => {
    const values = ['a', 'b', 'c'].map((letter) => letter.repeat(100_000));
    await node.put('whole', values[0]!);
    const writes = Promise.all(Array.from({ length: 12 }, (_, i) => node.put('whole', values[i % 3]!)));
    const reads = await Promise.all(Array.from({ length: 24 }, async () => (await node.get('whole')).text()));
    await writes;
    for (const read of reads) expect(values.includes(read)).toBe(true);
  });
});
