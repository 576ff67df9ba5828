// Which keys are there? Pages and streams, in the order of bytes, of one moment.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CONDITIONS } from '../support/conditions.js';
import { InProcessNode } from '../support/in-process-node.js';
import { RawClient, rawExchange, rawRequest } from '../support/raw-client.js';

interface Entry {
  readonly key: string;
  readonly etag: string;
  readonly siblings: number;
  readonly contentType?: string;
  readonly value?: string;
  readonly base64?: string;
}
interface Page {
  readonly entries: Entry[];
  readonly next: string | null;
  readonly session: string;
}

/** In the order of their bytes, which is neither that of a dictionary nor that of JavaScript's strings. */
const KEYS = ['!', 'Z', 'a', 'a/b', 'aa', 'a\u0300', 'b', 'é', '\u{ff5e}', '😀', '\u{10ffff}'];

let node: InProcessNode;
beforeAll(async () => {
  node = await InProcessNode.start();
  for (const key of [...KEYS].reverse()) await node.put(key, `value of ${key}`, { contentType: 'text/plain' });
});
afterAll(() => node.remove());

async function page(query = '', at = node): Promise<Page> {
  const response = await at.request(`/v1/kv${query}`);
  expect(response.status).toBe(200);
  return (await response.json()) as Page;
}

async function lines(query = '', at = node): Promise<Entry[]> {
  const response = await at.request(`/v1/kv${query}`, { headers: { Accept: 'application/x-ndjson' } });
  expect(response.status).toBe(200);
  expect(response.headers.get('Content-Type')).toBe('application/x-ndjson');
  const text = await response.text();
  expect(text === '' || text.endsWith('\n')).toBe(true);
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Entry);
}

const keysOf = (entries: readonly Entry[]) => entries.map(({ key }) => key);
const encoded = (parameters: Record<string, string>) => `?${new URLSearchParams(parameters).toString()}`;

describe('a page of keys', () => {
  it('lists them in the order of their bytes, without their values', async () => {
    const { entries, next } = await page();
    expect(keysOf(entries)).toEqual(KEYS);
    expect(next).toBeNull();
    const etag = (await node.get('a')).headers.get('ETag');
    expect(entries[2]).toEqual({ key: 'a', type: 'register', etag, siblings: 1 });
  });

  it('is JSON that nobody may keep, with a session that covers it', async () => {
    const response = await node.request('/v1/kv');
    expect(response.headers.get('Content-Type')).toBe('application/json');
    expect(response.headers.get('Cache-Control')).toBe('no-store');
    const { session } = (await response.json()) as Page;
    expect(session).toBe(response.headers.get('Quartet-Session'));
    expect((await node.get('a', { session })).status).toBe(200);
  });

  it('has values with values=true: text as it is, other bytes as base64', async () => {
    await node.put('bytes', new Uint8Array([0xff]));
    const { entries } = await page('?values=true&prefix=b');
    expect(entries).toMatchObject([
      { key: 'b', contentType: 'text/plain', value: 'value of b' },
      { key: 'bytes', contentType: 'application/octet-stream', base64: '/w==' },
    ]);
    expect((await page('?values=false&prefix=b')).entries[0]).not.toHaveProperty('value');
    await node.delete('bytes');
  });

  it.each([
    ['a', ['a', 'a/b', 'aa', 'a\u0300']],
    ['a/', ['a/b']],
    ['\u{10ffff}', ['\u{10ffff}']],
    ['nothing', []],
    ['', KEYS],
  ])('with prefix=%s lists the keys that begin so', async (prefix, expected) => {
    expect(keysOf((await page(encoded({ prefix }))).entries)).toEqual(expected);
  });

  it.each([
    ['a', KEYS.slice(3)],
    ['a.', KEYS.slice(3)],
    ['\u{10ffff}', []],
    ['', KEYS],
  ])('with after=%s lists the keys that follow, that key itself not', async (after, expected) => {
    expect(keysOf((await page(encoded({ after }))).entries)).toEqual(expected);
  });

  it.each([
    ['a', 'a', ['a/b', 'aa', 'a\u0300']],
    ['a', 'Z', ['a', 'a/b', 'aa', 'a\u0300']],
    ['a', 'b', []],
  ])('with prefix=%s and after=%s lists what meets both', async (prefix, after, expected) => {
    expect(keysOf((await page(encoded({ prefix, after }))).entries)).toEqual(expected);
  });

  it.each([1, 2, 3, 10, 11, 12])(
    'of at most %d entries says where the next one begins, until all are seen',
    async (limit) => {
      const seen: string[] = [];
      let after: string | null | undefined;
      do {
        const { entries, next } = await page(encoded({ limit: String(limit), ...(after ? { after } : {}) }));
        expect(entries.length).toBeLessThanOrEqual(limit);
        seen.push(...keysOf(entries));
        after = next;
      } while (after !== null);
      expect(seen).toEqual(KEYS);
    },
  );

  it('does not list deleted keys, and lists them again once they are written', async () => {
    await node.delete('b');
    expect(keysOf((await page()).entries)).toEqual(KEYS.filter((key) => key !== 'b'));
    await node.put('b', 'value of b', { contentType: 'text/plain' });
    expect(keysOf((await page()).entries)).toEqual(KEYS);
  });

  it('answers HEAD with the headers of GET', async () => {
    const [get, head] = [await node.request('/v1/kv'), await node.request('/v1/kv', { method: 'HEAD' })];
    expect(head.status).toBe(200);
    for (const name of ['Content-Type', 'Content-Length', 'Quartet-Session']) {
      expect(head.headers.get(name)).toBe(get.headers.get(name));
    }
    expect(await head.text()).toBe('');
  });
});

describe('a stream of keys', () => {
  it('is what a client gets that takes NDJSON, however it writes that, and one that excludes it does not', async () => {
    const typeFor = async (accept: string) =>
      (await node.request('/v1/kv?limit=1', { headers: { Accept: accept } })).headers.get('Content-Type');
    for (const accept of ['Application/X-NDJSON', 'application/json;q=0.5, application/x-ndjson; q=0.9']) {
      expect(await typeFor(accept)).toBe('application/x-ndjson');
    }
    for (const accept of ['application/json, application/x-ndjson;q=0', 'text/x-application/x-ndjson', '*/*']) {
      expect(await typeFor(accept)).toBe('application/json');
    }
  });

  it('has a head that no key is read for', async () => {
    const options = { method: 'HEAD', headers: { Accept: 'application/x-ndjson' } };
    const damaged = await CONDITIONS['whose records are damaged']!(async (at) => void (await at.write('key', 'value')));
    try {
      expect((await damaged.node.request('/v1/kv?values=true')).status).toBe(503);
      const head = await damaged.node.request('/v1/kv?values=true', options);
      expect([head.status, head.headers.get('Content-Type')]).toEqual([200, 'application/x-ndjson']);
    } finally {
      await damaged.remove();
    }
  });

  it('has one entry a line, all of them, in the same order', async () => {
    expect(await lines()).toEqual((await page()).entries);
    expect(await lines('?values=true&prefix=a')).toEqual((await page('?values=true&prefix=a')).entries);
  });

  it('ends after limit entries, which may be more than a page has', async () => {
    expect(keysOf(await lines('?limit=2&after=a'))).toEqual(KEYS.slice(3, 5));
    expect(keysOf(await lines('?limit=100000'))).toEqual(KEYS);
  });

  it('is empty when there is nothing', async () => {
    expect(await lines('?prefix=nothing')).toEqual([]);
  });

  it('is refused by HTTP/1.0, where one that was cut would look whole; a page, which has a length, is not', async () => {
    const ask = (accept: string) =>
      rawExchange(node.port, `GET /v1/kv HTTP/1.0\r\nHost: quartet\r\nAccept: ${accept}\r\n\r\n`);
    const refused = await ask('application/x-ndjson');
    expect(refused.status).toBe(400);
    expect(JSON.parse(refused.body)).toMatchObject({ code: 'INVALID_HEADER' });
    const { status, headers } = await ask('application/json');
    expect([status, headers.has('content-length')]).toEqual([200, true]);
  });
});

describe('a listing with a session', () => {
  it('is never older than the session, and passes it on', async () => {
    const { session } = await node.write('seen', 'value');
    for (const headers of [
      { 'Quartet-Session': session },
      { 'Quartet-Session': session, Accept: 'application/x-ndjson' },
    ]) {
      const response = await node.request('/v1/kv?prefix=seen', { headers });
      expect(response.status).toBe(200);
      expect(response.headers.get('Quartet-Session')).toBe(session);
      expect(await response.text()).toMatch(/"key":"seen"/);
    }
    await node.delete('seen');
  });

  it('is refused by a replica that has not seen it', async () => {
    const stranger = await InProcessNode.start({ name: 'n9' });
    const { session } = await stranger.write('elsewhere', 'value');
    await stranger.remove();
    const response = await node.request('/v1/kv?timeout=10', { headers: { 'Quartet-Session': session } });
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ code: 'NOT_CAUGHT_UP' });
  });
});

describe('many keys', () => {
  const COUNT = 1200;
  const keyOf = (i: number) => `many ${String(i).padStart(4, '0')}`;
  let large: InProcessNode;

  beforeAll(async () => {
    large = await InProcessNode.start();
    const value = 'x'.repeat(20_000);
    for (let i = 0; i < COUNT; i += 100) {
      const batch = Array.from({ length: 100 }, (_, j) => large.put(keyOf(i + j), value));
      for (const response of await Promise.all(batch)) await response.arrayBuffer();
    }
  }, 30_000);
  afterAll(() => large.remove());

  it('come as 100 a page unless asked otherwise, at most 1000', async () => {
    expect((await page('', large)).entries).toHaveLength(100);
    const { entries, next } = await page('?limit=1000', large);
    expect(entries).toHaveLength(1000);
    expect(next).toBe(keyOf(999));
  });

  it('come in shorter pages when their values are large, and none is left out', async () => {
    const seen: string[] = [];
    let after = '';
    for (let pages = 0; ; pages++) {
      const { entries, next } = await page(encoded({ limit: '1000', values: 'true', after }), large);
      seen.push(...keysOf(entries));
      if (next === null) {
        expect(pages).toBeGreaterThan(1);
        break;
      }
      after = next;
    }
    expect(seen).toEqual(Array.from({ length: COUNT }, (_, i) => keyOf(i)));
  });

  it('are streamed of one moment: what is written meanwhile is not in it', async () => {
    const client = await RawClient.connect(large.port);
    client.send(
      rawRequest('GET', '/v1/kv?values=true', { headers: { Accept: 'application/x-ndjson', Connection: 'close' } }),
    );
    await large.put(keyOf(COUNT - 1), 'changed meanwhile');
    await large.delete(keyOf(COUNT - 2));
    await large.put('many zzzz', 'new');
    const text = await client.rest();
    client.leave();
    expect(text.match(/"key":"many \d{4}"/g)).toHaveLength(COUNT);
    expect(text).not.toMatch(/changed meanwhile|zzzz/);
  });

  it('are streamed to a client that leaves early, without harm', async () => {
    for (let i = 0; i < 3; i++) {
      const client = await RawClient.connect(large.port);
      client.send(rawRequest('GET', '/v1/kv?values=true', { headers: { Accept: 'application/x-ndjson' } }));
      await client.response();
      client.leave();
    }
    expect((await page('?limit=1', large)).entries).toHaveLength(1);
  });
});
