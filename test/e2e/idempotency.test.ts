// What if the answer to a write is lost? Its client sends it again with the same Idempotency-Key: wherever the replica has
// heard of the first attempt, it is not done twice.

import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { startCluster, type InProcessCluster } from '../support/in-process-cluster.js';
import { contextOf, InProcessNode, type KeyOptions } from '../support/in-process-node.js';
import type { Answer, ReplicaClient } from '../support/process-client.js';
import { ProcessCluster } from '../support/process-cluster.js';
import { until } from '../support/until.js';

jest.setTimeout(30_000);

const REPLAYED = 'Idempotency-Replayed';
const JSON_TYPE = { 'Content-Type': 'application/json' };

function named(name: string, options: KeyOptions = {}): KeyOptions {
  return { ...options, headers: { ...options.headers, 'Idempotency-Key': name } };
}

async function dotOf(response: Response): Promise<string> {
  return ((await response.json()) as { dot: string }).dot;
}

describe('a PUT with an Idempotency-Key', () => {
  let node: InProcessNode;
  beforeAll(async () => {
    node = await InProcessNode.start();
  });
  afterAll(() => node.remove());

  it('that comes again is answered with the same dot, and writes nothing', async () => {
    const first = await node.put('again', 'value', named('a'));
    expect(first.status).toBe(201);
    expect(first.headers.get(REPLAYED)).toBeNull();
    const clock = await node.clock();
    const second = await node.put('again', 'value', named('a'));
    expect(second.status).toBe(200);
    expect(second.headers.get(REPLAYED)).toBe('true');
    expect(await dotOf(second)).toBe(await dotOf(first));
    expect(await node.clock()).toEqual(clock);
  });

  it('that comes again does not undo what was written since, nor does who goes on with the context of its answer', async () => {
    await node.put('since', 'old', named('b'));
    await node.write('since', 'new');
    const again = await node.put('since', 'old', named('b'));
    expect(again.headers.get(REPLAYED)).toBe('true');
    expect(await (await node.get('since')).text()).toBe('new');
    await node.put('since', 'on', { context: contextOf(again) });
    expect((await node.siblings('since')).siblings.map(({ value }) => value).sort()).toEqual(['new', 'on']);
  });

  it('that comes again, and is what the key has still, is replaced by who goes on with the context of its answer', async () => {
    for (const name of ['blind', 'seeing']) {
      const context = name === 'seeing' ? contextOf(await node.get('on')) : undefined;
      const options = named(`on-${name}`, { context });
      await node.put('on', 'value', options);
      const again = await node.put('on', 'value', options);
      expect(again.headers.get(REPLAYED)).toBe('true');
      expect((await node.write('on', 'after', { context: contextOf(again) })).siblings).toBe(1);
    }
  });

  it('is done once, however often it comes at the same time', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => node.put('at once', 'value', named('c'))));
    expect(new Set(await Promise.all(answers.map(dotOf))).size).toBe(1);
    expect(answers.filter((answer) => answer.headers.get(REPLAYED) === null)).toHaveLength(1);
  });

  it('passes the condition that its first attempt has passed', async () => {
    const headers = { 'If-None-Match': '*' };
    expect((await node.put('conditional', 'value', named('d', { headers }))).status).toBe(201);
    expect((await node.put('conditional', 'value', named('d', { headers }))).status).toBe(200);
    expect((await node.put('conditional', 'value', { headers })).status).toBe(412);
  });

  it('is refused when the name was used for another body, type, lifetime or method', async () => {
    await node.put('reused', 'value', named('e', { contentType: 'text/plain' }));
    const before = await node.clock();
    for (const response of [
      await node.put('reused', 'other', named('e', { contentType: 'text/plain' })),
      await node.put('reused', 'value', named('e', { contentType: 'text/html' })),
      await node.put('reused', 'value', named('e', { contentType: 'text/plain', query: 'ttl=60' })),
      await node.delete('reused', named('e')),
    ]) {
      expect(response.status).toBe(422);
      expect(await response.json()).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED', outcome: 'definite' });
    }
    expect(await node.clock()).toEqual(before);
  });

  it('is another request on another key', async () => {
    for (const key of ['one', 'other', 'other\0', 'other\0\x01']) {
      const response = await node.put(key, 'value', named('f'));
      expect(response.headers.get(REPLAYED)).toBeNull();
    }
  });

  it('that was refused wrote nothing, and is tried anew', async () => {
    const headers = { 'If-Match': '*' };
    expect((await node.put('refused', 'value', named('g', { headers }))).status).toBe(412);
    await node.write('refused', 'first');
    const again = await node.put('refused', 'value', named('g', { headers }));
    expect(again.status).toBe(200);
    expect(again.headers.get(REPLAYED)).toBeNull();
  });

  it.each(['', 'a b', 'ü', 'x'.repeat(256)])(
    'has a name of 1 to 255 visible ASCII characters: not %j',
    async (name) => {
      const response = await node.put('named', 'value', named(name));
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ code: 'INVALID_HEADER' });
    },
  );

  it('is known after a restart', async () => {
    const dot = await dotOf(await node.put('restarted', 'value', named('h')));
    await node.restart();
    const again = await node.put('restarted', 'value', named('h'));
    expect(again.headers.get(REPLAYED)).toBe('true');
    expect(await dotOf(again)).toBe(dot);
  });
});

describe('a DELETE with an Idempotency-Key', () => {
  it('that comes again does not delete what was written since', async () => {
    const node = await InProcessNode.start();
    try {
      await node.write('key', 'old');
      expect((await node.delete('key', named('a'))).headers.get(REPLAYED)).toBeNull();
      await node.write('key', 'new');
      const again = await node.delete('key', named('a'));
      expect(again.status).toBe(204);
      expect(again.headers.get(REPLAYED)).toBe('true');
      expect(await (await node.get('key')).text()).toBe('new');
    } finally {
      await node.remove();
    }
  });
});

describe('an operation with an Idempotency-Key', () => {
  let node: InProcessNode;
  beforeAll(async () => {
    node = await InProcessNode.start();
  });
  afterAll(() => node.remove());

  function send(method: string, path: string, name: string, body: object): Promise<Response> {
    const headers = { 'Idempotency-Key': name, 'Content-Type': 'application/json' };
    return node.request(path, { method, headers, body: JSON.stringify(body) });
  }

  it('on a counter counts once, and is answered with the sum of now', async () => {
    await send('POST', '/v1/counters/visits', 'a', { add: 5 });
    await send('POST', '/v1/counters/visits', 'b', { add: 1 });
    const again = await send('POST', '/v1/counters/visits', 'a', { add: 5 });
    expect(again.headers.get(REPLAYED)).toBe('true');
    expect(await again.json()).toMatchObject({ value: 6 });
    expect(await (await node.request('/v1/counters/visits')).json()).toBe(6);
    expect((await send('POST', '/v1/counters/visits', 'a', { add: 6 })).status).toBe(422);
  });

  it('on a set does not add again what was removed since', async () => {
    await send('POST', '/v1/sets/tags', 'a', { add: ['x', 'y'] });
    await send('POST', '/v1/sets/tags', 'b', { remove: ['x'] });
    const again = await send('POST', '/v1/sets/tags', 'a', { add: ['x', 'y'] });
    expect(again.headers.get(REPLAYED)).toBe('true');
    expect(await (await node.request('/v1/sets/tags')).json()).toEqual(['y']);
  });

  it('on a set is answered with a context of what its author has seen: a delete with it spares what was added since', async () => {
    await send('POST', '/v1/sets/shared', 'a', { add: ['mine'] });
    await send('POST', '/v1/sets/shared', 'b', { add: ['of another'] });
    const again = await send('POST', '/v1/sets/shared', 'a', { add: ['mine'] });
    const headers = { 'Quartet-Context': contextOf(again) };
    expect((await node.request('/v1/sets/shared', { method: 'DELETE', headers })).status).toBe(204);
    expect(await (await node.request('/v1/sets/shared')).json()).toEqual(['of another']);
  });

  it('on a set that had nothing to remove does not remove what was added since', async () => {
    await send('POST', '/v1/sets/late', 'a', { remove: ['x'] });
    await send('POST', '/v1/sets/late', 'b', { add: ['x'] });
    const again = await send('POST', '/v1/sets/late', 'a', { remove: ['x'] });
    expect(again.headers.get(REPLAYED)).toBe('true');
    expect(await (await node.request('/v1/sets/late')).json()).toEqual(['x']);
  });

  it('on a map does not put again what was replaced since', async () => {
    await send('PATCH', '/v1/maps/person', 'a', { set: { name: 'Ada', age: 36 }, remove: ['email'] });
    await send('PATCH', '/v1/maps/person', 'b', { set: { age: 37 } });
    const again = await send('PATCH', '/v1/maps/person', 'a', { set: { name: 'Ada', age: 36 }, remove: ['email'] });
    expect(again.headers.get(REPLAYED)).toBe('true');
    expect(await (await node.request('/v1/maps/person')).json()).toEqual({ name: 'Ada', age: 37 });
  });

  it('of a batch has an idempotencyKey of its own, the one that a PUT of the key alone would have', async () => {
    const put = { op: 'put', key: 'of a batch', value: 'old', contentType: 'text/plain', idempotencyKey: 'a' };
    const gone = { op: 'delete', key: 'of a batch, too', idempotencyKey: 'a' };
    const batch = async () =>
      (await (
        await node.request('/v1/batch', { method: 'POST', headers: JSON_TYPE, body: JSON.stringify([put, gone]) })
      ).json()) as {
        results: { status: number; dot: string; replayed?: boolean }[];
      };
    const first = await batch();
    expect(first.results.map(({ replayed }) => replayed)).toEqual([undefined, undefined]);
    await node.write('of a batch', 'new');
    const again = await batch();
    expect(again.results).toMatchObject([
      { status: 200, dot: first.results[0]!.dot, replayed: true },
      { status: 204, dot: first.results[1]!.dot, replayed: true },
    ]);
    expect((await node.put('of a batch', 'old', named('a', { contentType: 'text/plain' }))).headers.get(REPLAYED)).toBe(
      'true',
    );
    expect(await (await node.get('of a batch')).text()).toBe('new');
  });

  it('of a batch with a name that is none is refused alone, and a name of the whole batch is', async () => {
    const body = JSON.stringify([
      { op: 'put', key: 'bad', value: 'x', idempotencyKey: 'two words' },
      { op: 'put', key: 'good', value: 'x' },
    ]);
    const response = await node.request('/v1/batch', { method: 'POST', headers: JSON_TYPE, body });
    expect(((await response.json()) as { results: { status: number }[] }).results.map(({ status }) => status)).toEqual([
      400, 201,
    ]);
    const headers = { ...JSON_TYPE, 'Idempotency-Key': 'a' };
    expect((await node.request('/v1/batch', { method: 'POST', headers, body })).status).toBe(400);
  });
});

describe('a request that comes again at another replica', () => {
  let cluster: InProcessCluster;
  let n1: InProcessNode, n2: InProcessNode, n3: InProcessNode;
  beforeAll(async () => {
    cluster = await startCluster(3);
    [n1, n2, n3] = cluster.nodes as [InProcessNode, InProcessNode, InProcessNode];
  });
  afterEach(() => cluster.restore());
  afterAll(() => cluster.remove());

  it('is known there once the write is, and acknowledged as asked', async () => {
    const first = await n1.put('elsewhere', 'value', named('a', { query: 'w=all' }));
    const again = await n2.put('elsewhere', 'value', named('a', { query: 'w=all' }));
    expect(again.headers.get(REPLAYED)).toBe('true');
    const body = (await again.json()) as { dot: string; acks: number };
    expect(body).toMatchObject({ dot: await dotOf(first), acks: 3 });
  });

  it('is known to a replica that got the write from a third one', async () => {
    cluster.cut(n1, n3);
    cluster.cut(n3, n1);
    const first = await n1.put('passed on', 'value', named('b'));
    await until('n3 has it', async () => (await n3.get('passed on')).ok);
    const again = await n3.put('passed on', 'value', named('b'));
    expect(again.headers.get(REPLAYED)).toBe('true');
    expect(await dotOf(again)).toBe(await dotOf(first));
  });

  it('waits, with the session of what it has seen, until the replica knows of the first attempt', async () => {
    cluster.isolate(n3);
    const { session } = await n1.write('waiting', 'value', named('c'));
    const refused = await n3.put('waiting', 'value', named('c', { session, query: 'timeout=100' }));
    expect(refused.status).toBe(503);
    cluster.heal();
    const again = await n3.put('waiting', 'value', named('c', { session }));
    expect(again.headers.get(REPLAYED)).toBe('true');
  });

  it('is done twice where the replica has not heard of the first attempt: that is not promised', async () => {
    cluster.isolate(n3);
    await n1.put('unheard', 'value', named('d'));
    expect((await n3.put('unheard', 'value', named('d'))).headers.get(REPLAYED)).toBeNull();
    await cluster.restore();
    expect((await n2.siblings('unheard')).siblings).toHaveLength(2);
  });

  it('counts once when its first attempt had many dots, and is waited for in a batch too', async () => {
    const headers = { ...JSON_TYPE, 'Idempotency-Key': 'many' };
    const body = JSON.stringify({ add: Array.from({ length: 50 }, (_, place) => `${place}`) });
    const first = await n1.request('/v1/sets/many?w=all', { method: 'POST', headers, body });
    const again = await n3.request('/v1/sets/many?w=all', { method: 'POST', headers, body });
    expect(again.headers.get(REPLAYED)).toBe('true');
    expect(await dotOf(again)).toBe(await dotOf(first));
    const put = [{ op: 'put', key: 'waited for', value: 'x', idempotencyKey: 'a' }];
    for (const node of [n1, n2]) {
      const response = await node.request('/v1/batch?w=all', {
        method: 'POST',
        headers: JSON_TYPE,
        body: JSON.stringify(put),
      });
      expect(await response.json()).toMatchObject({ acks: 3 });
    }
  });

  it('is known to a replica that has taken over all keys', async () => {
    const first = await n1.put('taken over', 'value', named('e', { query: 'w=all' }));
    await n1.put('gone', 'value', named('f', { query: 'w=all' }));
    await n1.delete('gone', named('g', { query: 'w=all' }));
    await cluster.converge();
    await n3.wipe();
    await cluster.restart(n3);
    await cluster.converge();
    const again = await n3.put('taken over', 'value', named('e'));
    expect(again.headers.get(REPLAYED)).toBe('true');
    expect(await dotOf(again)).toBe(await dotOf(first));
    expect((await n3.put('gone', 'value', named('f'))).headers.get(REPLAYED)).toBe('true');
    expect((await n3.get('gone')).status).toBe(404);
  });
});

describe('a request', () => {
  it('is forgotten after QUARTET_IDEMPOTENCY_SECONDS, everywhere, and then done anew', async () => {
    const cluster = await startCluster(2, { requestsKeptMs: 1000 });
    const [n1, n2] = cluster.nodes as [InProcessNode, InProcessNode];
    try {
      await n1.put('key', 'value', named('a', { query: 'w=all' }));
      for (const node of [n1, n2]) {
        await until('it is forgotten', async () => {
          const { headers } = await node.put('key', 'value', named('a'));
          return headers.get(REPLAYED) === null;
        });
      }
    } finally {
      await cluster.remove();
    }
  });
});

describe('processes that are killed', () => {
  it('know after their start what they had carried out, and what they had heard of', async () => {
    const cluster = await ProcessCluster.start({ replicas: 2, isCuttable: false });
    const headers = { 'Idempotency-Key': 'a' };
    try {
      const [n1, n2] = cluster.clients as [ReplicaClient, ReplicaClient];
      const put = (client: ReplicaClient, value: string) =>
        client.request('PUT', '/v1/kv/key?w=all', { headers, body: value });
      const first = await put(n1, 'value');
      expect(first.status).toBe(201);
      await n2.put('key', 'newer');
      await Promise.all(cluster.names.map((name) => cluster.kill(name, 'SIGKILL')));
      await Promise.all(cluster.names.map((name) => cluster.restart(name)));
      await cluster.untilLevel();
      for (const client of [n1, n2]) {
        const again = await put(client, 'value');
        expect(again.status).toBe(200);
        expect(again.headers['idempotency-replayed']).toBe('true');
        expect(bodyOf(again).dot).toBe(bodyOf(first).dot);
        expect((await put(client, 'other')).status).toBe(422);
      }
      expect((await n1.get('key')).body.toString()).toBe('newer');
    } finally {
      await cluster.stop();
    }
  }, 90_000);

  function bodyOf({ body }: Answer): { readonly dot: string } {
    return JSON.parse(body.toString()) as { dot: string };
  }
});
