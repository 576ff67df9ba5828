// Does the original interface do what it always did: `/put` a string, `/get` it back with its vector clock?

import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { startCluster, type InProcessCluster } from '../support/in-process-cluster.js';
import type { InProcessNode, RequestOptions } from '../support/in-process-node.js';

interface Shown {
  readonly key: string;
  readonly value: string;
  readonly clock: Readonly<Record<string, number>>;
  readonly conflicts: readonly string[];
}

let cluster: InProcessCluster;
let n1: InProcessNode, n2: InProcessNode;
beforeAll(async () => {
  cluster = await startCluster(2);
  [n1, n2] = cluster.nodes as [InProcessNode, InProcessNode];
});
afterAll(() => cluster.remove());

const json = (fields: object) => ({ headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(fields) });
const form = (fields: Record<string, string>) => ({
  headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
  body: String(new URLSearchParams(fields)),
});

async function shown(node: InProcessNode, path: string, options: RequestOptions = {}): Promise<Shown> {
  const response = await node.request(path, options);
  expect(response.status).toBe(200);
  expect(response.headers.get('Content-Type')).toMatch(/^application\/json/);
  return (await response.json()) as Shown;
}

const TRICKY = 'a+b & c=d/é 😀 "quoted" \0';

describe('/put', () => {
  it.each(['PUT', 'POST'])('takes key and value as JSON, as a form, or in the query: %s', async (method) => {
    const ways: [path: string, options: RequestOptions][] = [
      ['/put', json({ key: `json ${method}`, value: TRICKY })],
      ['/put', form({ key: `form ${method}`, value: TRICKY })],
      [`/put?${new URLSearchParams({ key: `query ${method}`, value: TRICKY }).toString()}`, {}],
    ];
    for (const [path, options] of ways) {
      const { key, value } = await shown(n1, path, { ...options, method });
      expect(value).toBe(TRICKY);
      expect(await shown(n1, `/get?${new URLSearchParams({ key }).toString()}`)).toMatchObject({ key, value: TRICKY });
    }
  });

  it('takes types with parameters, and in capitals', async () => {
    for (const type of ['application/json; charset=utf-8', 'Application/JSON']) {
      const options = { method: 'PUT', headers: { 'Content-Type': type }, body: '{"key":"typed","value":"v"}' };
      expect((await shown(n1, '/put', options)).value).toBe('v');
    }
  });

  it('takes the empty string for a value', async () => {
    expect(await shown(n1, '/put', { method: 'PUT', ...json({ key: 'empty', value: '' }) })).toMatchObject({
      value: '',
    });
    expect(await shown(n1, '/put?key=empty&value=', { method: 'PUT' })).toMatchObject({ value: '' });
    expect(await shown(n1, '/get?key=empty')).toMatchObject({ value: '' });
  });

  it('takes a form of its own pages, and of no page of another origin: a browser would send it without asking', async () => {
    const ways: [path: string, options: RequestOptions][] = [
      ['/put', form({ key: 'from a page', value: 'v' })],
      ['/put?key=from+a+page&value=v', {}],
    ];
    const [elsewhere, otherPort] = ['http://elsewhere.example', 'http://127.0.0.1:1'];
    for (const [path, options] of ways) {
      const sent = (Origin: string) =>
        n1.request(path, { method: 'POST', ...options, headers: { ...options.headers, Origin } });
      for (const origin of [elsewhere, otherPort, `${elsewhere}//${new URL(n1.url).host}`, 'null', '']) {
        expect(await (await sent(origin)).json()).toMatchObject({ status: 400, code: 'INVALID_HEADER' });
        expect((await n1.get('from a page')).status).toBe(404);
      }
      expect((await sent(n1.url)).status).toBe(200);
      await n1.delete('from a page');
    }
  });

  it('takes keys that JavaScript would trip over', async () => {
    for (const key of ['__proto__', 'constructor', 'toString']) {
      const body = `{"key":${JSON.stringify(key)},"value":"plain"}`;
      await shown(n1, '/put', { method: 'PUT', headers: { 'Content-Type': 'application/json' }, body });
      expect(await shown(n1, `/get?key=${key}`)).toMatchObject({ key, value: 'plain' });
    }
  });

  it('parses no body with more in it than a key and a value', async () => {
    const parses = jest.spyOn(JSON, 'parse');
    try {
      for (const value of ['['.repeat(10_000) + ']'.repeat(10_000), `[${'{},'.repeat(10_000)}{}]`]) {
        const body = `{"key":"harm","value":${value}}`;
        const headers = { 'Content-Type': 'application/json' };
        const refused = await n1.request('/put', { method: 'PUT', headers, body });
        expect(await refused.json()).toMatchObject({ status: 400, code: 'INVALID_BODY' });
        expect(parses.mock.calls.filter(([text]) => text === body)).toEqual([]);
      }
    } finally {
      parses.mockRestore();
    }
    expect((await n1.get('harm')).status).toBe(404);
  });

  it('shows the clock as a count of writes by machine', async () => {
    const before = (await shown(n1, '/put?key=counted&value=a', { method: 'PUT' })).clock;
    const after = (await shown(n1, '/put?key=counted&value=b', { method: 'PUT' })).clock;
    expect(after['n1']).toBe(before['n1']! + 1);
    expect(Object.keys(after).every((machine) => ['n1', 'n2'].includes(machine))).toBe(true);
  });

  it('replaces what the replica has: no conflict without a race', async () => {
    await shown(n1, '/put?key=replaced&value=z', { method: 'PUT' });
    expect(await shown(n1, '/put?key=replaced&value=a', { method: 'PUT' })).toMatchObject({
      value: 'a',
      conflicts: [],
    });
  });
});

describe('/get', () => {
  it('reads what the other interface wrote, and the other way round', async () => {
    await n1.put('shared', 'from kv');
    expect(await shown(n1, '/get?key=shared')).toMatchObject({ value: 'from kv' });
    await shown(n1, '/put?key=shared&value=from+put', { method: 'PUT' });
    const response = await n1.get('shared');
    expect(await response.text()).toBe('from put');
    expect(response.headers.get('Content-Type')).toBe('text/plain; charset=utf-8');
  });

  it('shows a value that is no text as base64', async () => {
    await n1.put('binary', new Uint8Array([0xff]));
    expect(await shown(n1, '/get?key=binary')).toMatchObject({ key: 'binary', base64: '/w==', conflicts: [] });
  });

  it('reads at one replica what was put at another', async () => {
    await shown(n1, '/put?key=replicated&value=hello', { method: 'PUT' });
    await cluster.converge();
    expect(await shown(n2, '/get?key=replicated')).toMatchObject({ value: 'hello' });
  });

  it('shows the winner by string order and the losing values after a race', async () => {
    cluster.scatter();
    await shown(n1, '/put?key=raced&value=apple', { method: 'PUT' });
    await shown(n2, '/put?key=raced&value=pear', { method: 'PUT' });
    cluster.heal();
    await cluster.converge();
    for (const node of cluster.nodes) {
      expect(await shown(node, '/get?key=raced')).toMatchObject({ value: 'pear', conflicts: ['apple'] });
    }
    expect(await shown(n2, '/put?key=raced&value=done', { method: 'PUT' })).toMatchObject({ conflicts: [] });
  });
});

describe('/put_remote', () => {
  it('passes nothing on: an update goes from its author to each replica, and no further', async () => {
    const applied = async (node: InProcessNode) =>
      Number(
        /^quartet_dots_applied_total\{[^}]*\} (\d+)$/m.exec(await (await node.request('/metrics')).text())?.[1] ?? 0,
      );
    await cluster.converge();
    const before = [await applied(n1), await applied(n2)];
    for (let i = 0; i < 5; i++) await n1.write('once', `${i}`, { query: 'w=all' });
    await cluster.converge();
    expect([await applied(n1), await applied(n2)]).toEqual([before[0], before[1]! + 5]);
  });
});
