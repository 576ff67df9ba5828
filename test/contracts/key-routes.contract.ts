// What holds for the routes of one key, whichever way a request comes to their handler?

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { InProcessNode } from '../support/in-process-node.js';
import { ask, type Answered, type Asked, type Way } from '../support/three-ways.js';

const VALUE_BYTES_MAX = 1000;

export function keyRoutesContract(way: Way): void {
  let node: InProcessNode;
  beforeAll(async () => {
    node = await InProcessNode.start({ valueBytesMax: VALUE_BYTES_MAX });
  });
  afterAll(() => node.remove());

  const asked = (method: string, path: string, more: Pick<Asked, 'headers' | 'body'> = {}): Promise<Answered> =>
    ask(way, node.port, { method, path, ...more });
  const put = (key: string, body: string, headers: Record<string, string> = {}): Promise<Answered> =>
    asked('PUT', `v1/kv/${key}`, { body, headers });

  it('a value comes back as it was sent, with its type and what a client needs to go on', async () => {
    const written = await put('there', 'ÿ\0bytes', { 'Content-Type': 'image/png' });
    expect(written.status).toBe(201);
    const read = await asked('GET', 'v1/kv/there');
    expect(read).toMatchObject({ status: 200, body: 'ÿ\0bytes' });
    expect(read.headers).toMatchObject({
      'content-type': 'image/png',
      'content-length': '8',
      etag: written.headers.etag,
      'quartet-context': written.headers['quartet-context'],
      'quartet-session': written.headers['quartet-session'],
      'quartet-siblings': '1',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'content-security-policy': 'sandbox',
      connection: 'keep-alive',
    });
    expect(Math.abs(Date.parse(read.headers['last-modified']!) - Date.now())).toBeLessThan(60_000);
    expect(read.headers['x-powered-by']).toBeUndefined();
  });

  it('a HEAD has the headers of the GET and no body', async () => {
    await put('head', 'value');
    const [head, get] = [await asked('HEAD', 'v1/kv/head'), await asked('GET', 'v1/kv/head')];
    expect({ ...head, headers: { ...head.headers, date: '' } }).toEqual({
      ...get,
      headers: { ...get.headers, date: '' },
      body: '',
    });
  });

  it('a write says in headers and body what it came to', async () => {
    const first = await put('told', 'one');
    const { headers } = first;
    expect(JSON.parse(first.body)).toEqual({
      key: 'told',
      dot: headers.etag!.slice(1, -1),
      context: headers['quartet-context'],
      session: headers['quartet-session'],
      siblings: 1,
      acks: 1,
    });
    expect(headers).toMatchObject({ 'content-type': 'application/json', 'quartet-acks': '1', 'quartet-siblings': '1' });
    expect((await put('told', 'two')).status).toBe(200);
    const minimal = await put('told', 'three', { Prefer: 'return=minimal' });
    expect(minimal).toMatchObject({ status: 204, body: '' });
    expect(minimal.headers).toMatchObject({ 'preference-applied': 'return=minimal', 'quartet-acks': '1' });
  });

  it('a delete takes the value away, again and again', async () => {
    await put('gone', 'value');
    for (let i = 0; i < 2; i++) {
      const deleted = await asked('DELETE', 'v1/kv/gone');
      expect(deleted).toMatchObject({ status: 204, body: '' });
      expect(deleted.headers).toMatchObject({ 'quartet-siblings': '0' });
      const read = await asked('GET', 'v1/kv/gone');
      expect(read.status).toBe(404);
      expect(read.headers['quartet-context']).toBe(deleted.headers['quartet-context']);
    }
  });

  it('an entity tag that is known gets 304, one that is demanded and wrong 412', async () => {
    const { etag } = (await put('tagged', 'value')).headers;
    expect(await asked('GET', 'v1/kv/tagged', { headers: { 'If-None-Match': etag! } })).toMatchObject({
      status: 304,
      body: '',
    });
    expect((await put('tagged', 'no', { 'If-Match': '"other"' })).status).toBe(412);
    expect((await put('tagged', 'no', { 'If-None-Match': '*' })).status).toBe(412);
    expect((await put('tagged', 'yes', { 'If-Match': etag! })).status).toBe(200);
  });

  it('what raced stays as siblings, all of which can be read', async () => {
    const context = (await asked('GET', 'v1/kv/raced')).headers['quartet-context'] as string;
    await put('raced', 'a', { 'Quartet-Context': context });
    expect((await put('raced', 'b', { 'Quartet-Context': context })).headers['quartet-siblings']).toBe('2');
    expect(await asked('GET', 'v1/kv/raced')).toMatchObject({ status: 200, body: 'b' });
    const all = await asked('GET', 'v1/kv/raced?siblings=all');
    expect(all.status).toBe(300);
    expect((JSON.parse(all.body) as { siblings: { value: string }[] }).siblings.map(({ value }) => value)).toEqual([
      'b',
      'a',
    ]);
  });

  it('a key is one segment, percent-encoded', async () => {
    await put('a%2Fb%20%C3%BC', 'value');
    expect((await asked('GET', 'v1/kv/%61%2fb%20%c3%bc')).body).toBe('value');
    expect((JSON.parse((await asked('GET', 'v1/kv')).body) as { entries: unknown[] }).entries).toContainEqual(
      expect.objectContaining({ key: 'a/b ü' }),
    );
  });

  it.each<[status: number, code: string, asked: Asked]>([
    [400, 'INVALID_KEY', { method: 'GET', path: 'v1/kv/' }],
    [400, 'INVALID_KEY', { method: 'PUT', path: 'v1/kv/a/b', body: 'no' }],
    [400, 'INVALID_KEY', { method: 'DELETE', path: 'v1/kv/%zz' }],
    [414, 'KEY_TOO_LONG', { method: 'GET', path: `v1/kv/${'k'.repeat(1025)}` }],
    [400, 'INVALID_QUERY', { method: 'GET', path: 'v1/kv/a?resolv=order' }],
    [400, 'INVALID_QUERY', { method: 'PUT', path: 'v1/kv/a?w=2', body: 'no' }],
    [400, 'INVALID_TOKEN', { method: 'GET', path: 'v1/kv/a', headers: { 'Quartet-Session': 'made-up' } }],
    [400, 'INVALID_HEADER', { method: 'PUT', path: 'v1/kv/a', headers: { 'Content-Range': 'bytes 0-1/2' }, body: 'n' }],
    [400, 'INVALID_HEADER', { method: 'GET', path: 'v1/kv/a', headers: { 'quartet-sesion': 'any' } }],
    [400, 'INVALID_HEADER', { method: 'PUT', path: 'v1/kv/a', headers: { 'Quartet-Acks': '2' }, body: 'no' }],
    [400, 'INVALID_HEADER', { method: 'DELETE', path: 'v1/kv/a', headers: { 'QUARTET-': '' } }],
    [400, 'INVALID_HEADER', { method: 'POST', path: 'v1/kv/a', headers: { 'Quartet-Other': '' }, body: 'no' }],
    [415, 'UNSUPPORTED_MEDIA_TYPE', { method: 'PUT', path: 'v1/kv/a', headers: { 'Content-Encoding': 'br' } }],
    [413, 'VALUE_TOO_LARGE', { method: 'PUT', path: 'v1/kv/a', body: 'v'.repeat(VALUE_BYTES_MAX + 1) }],
    [405, 'METHOD_NOT_ALLOWED', { method: 'POST', path: 'v1/kv/a', body: 'no' }],
    [405, 'METHOD_NOT_ALLOWED', { method: 'PATCH', path: 'v1/kv/a', body: 'no' }],
    [404, 'NO_SUCH_ROUTE', { method: 'GET', path: 'v1/KV/a' }],
    [404, 'KEY_NOT_FOUND', { method: 'GET', path: 'v1/kv/a' }],
  ])('what cannot be is refused: %i %s, and nothing has changed', async (status, code, request) => {
    const refused = await ask(way, node.port, request);
    expect(refused.status).toBe(status);
    expect(refused.headers).toMatchObject({
      'content-type': 'application/problem+json',
      'content-length': String(Buffer.byteLength(refused.body)),
      'cache-control': 'no-store',
    });
    expect(JSON.parse(refused.body)).toMatchObject({ code, status, outcome: 'definite' });
    expect((await asked('GET', 'v1/kv/a')).status).toBe(404);
  });

  it('a misspelt context is not taken for none: siblings that its author has not read stay', async () => {
    const context = (await asked('GET', 'v1/kv/misspelt')).headers['quartet-context'] as string;
    await put('misspelt', 'a', { 'Quartet-Context': context });
    const misspelt = await put('misspelt', 'b', { 'Quartet-Contxt': context });
    expect(JSON.parse(misspelt.body)).toMatchObject({
      code: 'INVALID_HEADER',
      detail: 'quartet-contxt is not known; there are: Quartet-Context, Quartet-Session',
    });
    expect((await asked('GET', 'v1/kv/misspelt')).body).toBe('a');
    expect((await put('misspelt', 'b', { 'Quartet-Context': context })).headers['quartet-siblings']).toBe('2');
  });

  it('a context of another key is told from a damaged one', async () => {
    const context = (await put('its-own', 'value')).headers['quartet-context'] as string;
    const foreign = await put('another', 'no', { 'Quartet-Context': context });
    expect(JSON.parse(foreign.body)).toMatchObject({ code: 'CONTEXT_OF_ANOTHER_KEY', status: 422 });
    const damaged = await put('its-own', 'no', { 'Quartet-Context': context.slice(0, -4) + 'AAAA' });
    expect(JSON.parse(damaged.body)).toMatchObject({ code: 'INVALID_TOKEN', status: 400 });
  });

  it('a session that has seen more waits for its time, and is turned away', async () => {
    const elsewhere = await InProcessNode.start({ name: 'n2' });
    try {
      const { session } = await elsewhere.write('more', 'value');
      const early = await asked('GET', 'v1/kv/a?timeout=10', { headers: { 'Quartet-Session': session } });
      expect(JSON.parse(early.body)).toMatchObject({ code: 'NOT_CAUGHT_UP', status: 503 });
      expect(early.headers['retry-after']).toBe('1');
    } finally {
      await elsewhere.remove();
    }
  });
}
