// What does a client of one replica get when it writes, reads and deletes keys? Every row of the interface's table.

import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { contextOf, InProcessNode, sessionOf, type WriteBody } from '../support/in-process-node.js';
import { rawExchange, rawRequest } from '../support/raw-client.js';

const MIB = 1024 * 1024;

let node: InProcessNode;
beforeAll(async () => {
  node = await InProcessNode.start();
});
afterAll(() => node.remove());

async function bytesOf(response: Response): Promise<number[]> {
  return [...new Uint8Array(await response.arrayBuffer())];
}

/** All headers but those of the moment and of the connection. */
function comparable(response: Response): Record<string, string> {
  const headers = Object.fromEntries(response.headers);
  for (const name of ['date', 'connection', 'keep-alive']) delete headers[name];
  return headers;
}

describe('PUT of a key', () => {
  it('answers 201 for a key without a value, and 200 once it has one', async () => {
    expect((await node.put('created', 'first')).status).toBe(201);
    expect((await node.put('created', 'second')).status).toBe(200);
    await node.delete('created');
    expect((await node.put('created', 'third')).status).toBe(201);
  });

  it('answers what was written, in headers and as JSON', async () => {
    const response = await node.put('described', 'value');
    const body = (await response.json()) as WriteBody;
    expect(body).toEqual({
      key: 'described',
      dot: expect.stringMatching(/^n1\.[a-z0-9]+:\d+$/),
      context: response.headers.get('Quartet-Context'),
      session: response.headers.get('Quartet-Session'),
      siblings: 1,
      acks: 1,
    });
    expect(response.headers.get('ETag')).toBe(`"${body.dot}"`);
    expect(response.headers.get('Quartet-Siblings')).toBe('1');
    expect(response.headers.get('Content-Type')).toBe('application/json');
    expect(response.headers.get('Cache-Control')).toBe('no-store');
    expect(body.context).toMatch(/^[A-Za-z0-9_-]+$/);
    expect(body.session).toMatch(/^[A-Za-z0-9_-]+$/);
  });

  it('gives each write the next dot of this replica', async () => {
    const first = await node.write('numbered', 'a');
    const second = await node.write('another', 'b');
    const counterOf = ({ dot }: WriteBody) => Number(dot.split(':')[1]);
    expect(counterOf(second)).toBe(counterOf(first) + 1);
  });

  it.each(['return=minimal', 'return="minimal"', 'respond-async, return=minimal', 'return=minimal; wait=1'])(
    'answers 204 and headers only with Prefer: %s',
    async (prefer) => {
      const response = await node.put('minimal', 'value', { headers: { Prefer: prefer } });
      expect(response.status).toBe(204);
      expect(await response.text()).toBe('');
      expect(response.headers.get('Preference-Applied')).toBe('return=minimal');
      for (const name of ['ETag', 'Quartet-Context', 'Quartet-Session', 'Quartet-Siblings']) {
        expect(response.headers.get(name)).not.toBeNull();
      }
    },
  );

  it('answers in full with any other preference', async () => {
    const response = await node.put('full', 'value', { headers: { Prefer: 'return=representation' } });
    expect(response.status).toBe(201);
    expect(await response.json()).toMatchObject({ key: 'full' });
  });

  it('keeps values as they are, all 256 bytes of them', async () => {
    const value = Uint8Array.from({ length: 512 }, (_, place) => place % 256);
    await node.put('binary', value);
    expect(await bytesOf(await node.get('binary'))).toEqual([...value]);
  });

  it('keeps an empty value, which is not an absent one', async () => {
    expect((await node.put('empty', '')).status).toBe(201);
    const response = await node.get('empty');
    expect(response.status).toBe(200);
    expect(response.headers.get('Content-Length')).toBe('0');
    expect(await response.text()).toBe('');
  });

  it('takes a PUT without a body for an empty value', async () => {
    const answer = await rawExchange(node.port, 'PUT /v1/kv/bodiless HTTP/1.1\r\nHost: quartet\r\n\r\n');
    expect(answer.status).toBe(201);
    expect(await (await node.get('bodiless')).text()).toBe('');
  });

  it('takes values of exactly a mebibyte', async () => {
    const value = new Uint8Array(MIB).map((_, place) => (place * 7 + (place >> 8)) % 256);
    expect((await node.put('large', value)).status).toBe(201);
    const answer = new Uint8Array(await (await node.get('large')).arrayBuffer());
    expect(Buffer.compare(answer, value)).toBe(0);
  });

  it('takes a chunked body as one value', async () => {
    const headers = { 'Transfer-Encoding': 'chunked' };
    const body = '3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n';
    expect((await rawExchange(node.port, rawRequest('PUT', '/v1/kv/chunked', { headers, body }))).status).toBe(201);
    expect(await (await node.get('chunked')).text()).toBe('abcdefg');
  });

  it.each([
    'text/plain',
    'text/html; charset=utf-8',
    'application/x-ndjson;q=1;weird="a, b; c"',
    'TEXT/Plain; Charset="ISO-8859-1"',
    'not a type at all',
    'x'.repeat(255),
  ])('returns a value with its own Content-Type: %s', async (contentType) => {
    await node.put('typed', 'value', { contentType });
    expect((await node.get('typed')).headers.get('Content-Type')).toBe(contentType);
  });

  it('calls a value without a Content-Type a stream of bytes', async () => {
    await node.put('untyped', new Uint8Array([1]));
    expect((await node.get('untyped')).headers.get('Content-Type')).toBe('application/octet-stream');
  });

  it('takes Content-Encoding: identity, which says nothing', async () => {
    expect((await node.put('plain', 'value', { headers: { 'Content-Encoding': 'identity' } })).status).toBe(201);
  });

  it('keeps keys apart that only look alike', async () => {
    const keys = [
      'a/b',
      'a%2Fb',
      'A/B',
      'a b',
      'a+b',
      'a?b',
      'a#b',
      'é',
      'e\u0301',
      '__proto__',
      'constructor',
      '\0',
      '😀',
      '\u{ff5e}',
      ' ',
      '~',
    ];
    for (const key of keys) await node.write(key, `value of ${key}`);
    for (const key of keys) expect(await (await node.get(key)).text()).toBe(`value of ${key}`);
  });

  it.each(['.', '..', '%2e%2e', '%2E', 'a;b=c', "!$&'()*,=:@"])(
    'takes the segment %s for the key it encodes',
    async (segment) => {
      await rawExchange(node.port, rawRequest('PUT', `/v1/kv/${segment}`, { body: segment }));
      const answer = await rawExchange(node.port, rawRequest('GET', `/v1/kv/${segment}?siblings=all`));
      expect(JSON.parse(answer.body)).toMatchObject({
        key: decodeURIComponent(segment),
        siblings: [{ value: segment }],
      });
    },
  );

  it.each([
    ['1024 letters', 'k'.repeat(1024)],
    ['256 characters of four bytes', '😀'.repeat(256)],
  ])('takes a key of exactly 1024 bytes: %s', async (_, key) => {
    expect((await node.put(key, 'value')).status).toBe(201);
    expect(await (await node.get(key)).text()).toBe('value');
  });
});

describe('GET of a key', () => {
  it('answers the bytes with everything a client needs to go on', async () => {
    const written = await node.put('read', 'value', { contentType: 'text/plain' });
    const response = await node.get('read');
    expect(response.status).toBe(200);
    expect(await response.text()).toBe('value');
    const { headers } = response;
    expect(headers.get('ETag')).toBe(written.headers.get('ETag'));
    expect(headers.get('Quartet-Siblings')).toBe('1');
    expect(contextOf(response)).toBe(contextOf(written));
    expect(sessionOf(response)).toBe(sessionOf(written));
    expect(headers.get('Cache-Control')).toBe('no-store');
    expect(Math.abs(Date.parse(headers.get('Last-Modified')!) - Date.now())).toBeLessThan(60_000);
  });

  it('lets no browser guess the type of a value or run it', async () => {
    await node.put('page', '<script>alert(1)</script>', { contentType: 'text/html' });
    const { headers } = await node.get('page');
    expect(headers.get('X-Content-Type-Options')).toBe('nosniff');
    expect(headers.get('Content-Security-Policy')).toBe('sandbox');
  });

  it('names no server and no framework', async () => {
    const { headers } = await node.get('read');
    expect(headers.get('X-Powered-By')).toBeNull();
    expect(headers.get('Server')).toBeNull();
  });

  it('answers 404 for a key never written, with tokens to go on with', async () => {
    const missing = await node.get('missing');
    expect(missing.status).toBe(404);
    const written = await node.write('missing', 'now', { context: contextOf(missing), session: sessionOf(missing) });
    expect(written.siblings).toBe(1);
  });

  it('changes nothing', async () => {
    const before = await node.clock();
    await node.get('read');
    await node.get('never written');
    await node.head('read');
    await node.siblings('read');
    expect(await node.clock()).toEqual(before);
  });

  it('answers 304 when the client has what lives, and the value when it has not', async () => {
    const old = (await node.put('cached', 'old')).headers.get('ETag')!;
    const tag = (await node.put('cached', 'new')).headers.get('ETag')!;
    for (const known of [tag, '*', `"other", ${tag}`, `W/${tag}`]) {
      const response = await node.get('cached', { headers: { 'If-None-Match': known } });
      expect(response.status).toBe(304);
      expect(await response.text()).toBe('');
      expect(response.headers.get('ETag')).toBe(tag);
      expect(contextOf(response)).toBe(contextOf(await node.get('cached')));
    }
    for (const known of [old, '"other"', tag.slice(1, -1)]) {
      expect(await (await node.get('cached', { headers: { 'If-None-Match': known } })).text()).toBe('new');
    }
  });

  it('answers 412 when the client wants another state than the one there is', async () => {
    const tag = (await node.put('wanted', 'value')).headers.get('ETag')!;
    for (const wanted of [tag, '*', `"other", ${tag}`]) {
      expect((await node.get('wanted', { headers: { 'If-Match': wanted } })).status).toBe(200);
    }
    for (const wanted of ['"other"', `W/${tag}`]) {
      const response = await node.get('wanted', { headers: { 'If-Match': wanted } });
      expect([response.status, response.headers.get('ETag')]).toEqual([412, tag]);
    }
    expect((await node.get('nothing', { headers: { 'If-Match': '*' } })).status).toBe(404);
  });

  it('tells no date of a value that is later than the answer, though its author’s clock is ahead', async () => {
    const { now } = Date;
    const ahead = jest.spyOn(Date, 'now').mockImplementation(() => now() + 3_600_000);
    await node.put('tomorrow', 'value').finally(() => ahead.mockRestore());
    const { headers } = await node.get('tomorrow');
    const [modified, answered] = [headers.get('Last-Modified')!, headers.get('Date')!].map((date) => Date.parse(date));
    expect(modified).toBeLessThanOrEqual(answered!);
  });

  it('does not answer 304 for a key without a value', async () => {
    expect((await node.get('nothing', { headers: { 'If-None-Match': '*' } })).status).toBe(404);
  });

  it('shows one value as JSON with siblings=all', async () => {
    const { dot } = await node.write('shown', 'text', { contentType: 'text/plain' });
    const response = await node.get('shown', { query: 'siblings=all' });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      key: 'shown',
      type: 'register',
      context: contextOf(response),
      session: sessionOf(response),
      siblings: [{ dot, time: expect.any(String), type: 'register', contentType: 'text/plain', value: 'text' }],
    });
  });

  it('shows bytes that are not UTF-8 as base64', async () => {
    await node.put('bytes', new Uint8Array([0xff, 0x00, 0xfe]));
    expect((await node.siblings('bytes')).siblings).toMatchObject([{ base64: '/wD+' }]);
    expect((await node.siblings('bytes')).siblings[0]).not.toHaveProperty('value');
  });

  it('answers 404 with siblings=all for a key without a value', async () => {
    expect((await node.get('nothing', { query: 'siblings=all' })).status).toBe(404);
  });
});

describe('HEAD of a key', () => {
  it.each([
    ['a value', 'headed', {}],
    ['an absent key', 'not there', {}],
    ['a known value', 'headed', { 'If-None-Match': '*' }],
  ])('answers what GET does, without the body: %s', async (_, key, headers) => {
    await node.put('headed', 'value');
    const [get, head] = [await node.get(key, { headers }), await node.head(key, { headers })];
    expect(head.status).toBe(get.status);
    expect(comparable(head)).toEqual(comparable(get));
    expect(await head.text()).toBe('');
  });

  it('answers the headers of all siblings too', async () => {
    await node.put('headed', 'value');
    const query = 'siblings=all';
    const [get, head] = [await node.get('headed', { query }), await node.head('headed', { query })];
    expect(comparable(head)).toEqual(comparable(get));
  });
});

describe('DELETE of a key', () => {
  it('answers 204 with tokens, and leaves nothing to read', async () => {
    await node.write('deleted', 'value');
    const response = await node.delete('deleted');
    expect(response.status).toBe(204);
    expect(await response.text()).toBe('');
    expect(response.headers.get('Quartet-Siblings')).toBe('0');
    expect(response.headers.get('ETag')).toBeNull();
    expect((await node.get('deleted', { session: sessionOf(response) })).status).toBe(404);
    expect((await node.write('deleted', 'again', { context: contextOf(response) })).siblings).toBe(1);
  });

  it('is idempotent, on a key never written too', async () => {
    expect((await node.delete('never there')).status).toBe(204);
    expect((await node.delete('never there')).status).toBe(204);
  });

  it('answers 404 with a context afterwards, and a PUT with it works', async () => {
    await node.write('revived', 'value');
    await node.delete('revived');
    const missing = await node.get('revived');
    expect(missing.status).toBe(404);
    const response = await node.put('revived', 'back', { context: contextOf(missing) });
    expect(response.status).toBe(201);
    expect((await node.siblings('revived')).siblings).toMatchObject([{ value: 'back' }]);
  });
});

describe('a context', () => {
  it('replaces exactly what was read with it: what came later stays as a sibling', async () => {
    const { context } = await node.write('context', 'read');
    await node.write('context', 'later');
    const { siblings } = await node.write('context', 'stale', { context });
    expect(siblings).toBe(2);
    const response = await node.get('context', { query: 'siblings=all' });
    expect(response.status).toBe(300);
    const body = (await response.json()) as { siblings: { value: string }[] };
    expect(body.siblings.map(({ value }) => value)).toEqual(['stale', 'later']);
    expect(response.headers.get('Quartet-Siblings')).toBe('2');
  });

  it('of the siblings resolves them', async () => {
    const { context } = await node.write('resolved', 'a');
    await node.write('resolved', 'b');
    await node.write('resolved', 'c', { context });
    const seen = await node.get('resolved');
    expect(seen.headers.get('Quartet-Siblings')).toBe('2');
    expect((await node.write('resolved', 'd', { context: contextOf(seen) })).siblings).toBe(1);
    expect((await node.siblings('resolved')).siblings).toMatchObject([{ value: 'd' }]);
  });

  it('of a delete deletes only what was read with it', async () => {
    const { context } = await node.write('kept', 'read');
    await node.write('kept', 'later');
    const response = await node.delete('kept', { context });
    expect(response.status).toBe(204);
    expect(response.headers.get('Quartet-Siblings')).toBe('1');
    expect(await (await node.get('kept')).text()).toBe('later');
  });

  it('left out, replaces all that this replica has', async () => {
    const { context } = await node.write('plain', 'a');
    await node.write('plain', 'b');
    expect((await node.write('plain', 'c', { context })).siblings).toBe(2);
    expect((await node.write('plain', 'd')).siblings).toBe(1);
  });

  it('is valid again after the replica has started anew, and so are a session and an entity tag', async () => {
    const response = await node.put('survivor', 'value');
    await node.restart();
    const again = await node.get('survivor', { session: sessionOf(response) });
    expect(again.headers.get('ETag')).toBe(response.headers.get('ETag'));
    expect((await node.write('survivor', 'next', { context: contextOf(response) })).siblings).toBe(1);
  });
});

describe('which sibling is read', () => {
  async function conflict(key: string, first: string, second: string): Promise<void> {
    const { context } = await node.write(key, 'base');
    await node.write(key, first, { context });
    await node.write(key, second, { context });
  }

  it('is the greatest by string order, or the latest when the client asks for it', async () => {
    await conflict('winner', 'greater', 'but later');
    expect(await (await node.get('winner')).text()).toBe('greater');
    expect(await (await node.get('winner', { query: 'resolve=order' })).text()).toBe('greater');
    expect(await (await node.get('winner', { query: 'resolve=latest' })).text()).toBe('but later');
    const all = await node.siblings('winner', { query: 'resolve=latest' });
    expect(all.siblings.map(({ value }) => value)).toEqual(['but later', 'greater']);
  });

  it('is the latest by default where the replica is set up so', async () => {
    await conflict('default', 'greater', 'but later');
    await node.restart({ resolve: 'latest' });
    expect(await (await node.get('default')).text()).toBe('but later');
    expect(await (await node.get('default', { query: 'resolve=order' })).text()).toBe('greater');
    await node.restart();
  });
});

describe('a condition', () => {
  it('If-Match lets a write pass while the tag is what lives, once', async () => {
    const tag = (await node.put('matched', 'a')).headers.get('ETag')!;
    const conditional = { headers: { 'If-Match': `"other", ${tag}` } };
    expect((await node.put('matched', 'b', conditional)).status).toBe(200);
    const refused = await node.put('matched', 'c', conditional);
    expect(refused.status).toBe(412);
    expect(refused.headers.get('ETag')).toBe((await node.get('matched')).headers.get('ETag'));
    expect(await (await node.get('matched')).text()).toBe('b');
  });

  it('If-Match: * demands a value', async () => {
    const any = { headers: { 'If-Match': '*' } };
    expect((await node.put('any', 'a', any)).status).toBe(412);
    await node.put('any', 'a');
    expect((await node.put('any', 'b', any)).status).toBe(200);
    await node.delete('any');
    expect((await node.put('any', 'c', any)).status).toBe(412);
  });

  it('If-None-Match: * demands that there is none', async () => {
    const none = { headers: { 'If-None-Match': '*' } };
    expect((await node.put('none', 'a', none)).status).toBe(201);
    expect((await node.put('none', 'b', none)).status).toBe(412);
    await node.delete('none');
    expect((await node.put('none', 'c', none)).status).toBe(201);
  });

  it('holds for a delete too', async () => {
    const tag = (await node.put('guarded', 'a')).headers.get('ETag')!;
    expect((await node.delete('guarded', { headers: { 'If-Match': '"other"' } })).status).toBe(412);
    expect((await node.delete('guarded', { headers: { 'If-Match': tag } })).status).toBe(204);
    expect((await node.delete('guarded', { headers: { 'If-Match': '*' } })).status).toBe(412);
  });

  it('names all siblings by one tag, which no single one of them has', async () => {
    const { context, dot } = await node.write('tagged', 'a');
    const second = await node.write('tagged', 'b');
    await node.write('tagged', 'c', { context });
    const tag = (await node.get('tagged')).headers.get('ETag')!;
    expect([`"${dot}"`, `"${second.dot}"`]).not.toContain(tag);
    expect((await node.put('tagged', 'd', { headers: { 'If-Match': `"${second.dot}"` } })).status).toBe(412);
    expect((await node.put('tagged', 'd', { headers: { 'If-Match': tag } })).status).toBe(200);
  });
});
