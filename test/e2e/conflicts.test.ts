// What becomes of writes that race at replicas cut from each other? And of those that don't race, wherever they go?

import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { startCluster, type InProcessCluster } from '../support/in-process-cluster.js';
import { contextOf, sessionOf, type InProcessNode, type SiblingsBody } from '../support/in-process-node.js';
import { until } from '../support/until.js';

let cluster: InProcessCluster;
let n1: InProcessNode, n2: InProcessNode, n3: InProcessNode;
beforeAll(async () => {
  cluster = await startCluster(3);
  [n1, n2, n3] = cluster.nodes as [InProcessNode, InProcessNode, InProcessNode];
});
afterEach(() => cluster.heal());
afterAll(() => cluster.remove());

/** Each write happens at a replica that cannot hear of the others; then all come to know all. */
async function race(...writes: (() => Promise<unknown>)[]): Promise<void> {
  cluster.scatter();
  for (const write of writes) await write();
  cluster.heal();
  await cluster.converge();
}

/** What every replica answers, which must be the same at all of them. */
async function agreed(key: string, query = ''): Promise<{ response: Response; body: SiblingsBody; winner: string }> {
  const answers = await Promise.all(
    cluster.nodes.map(async (node) => {
      const response = await node.get(key, { query: ['siblings=all', query].filter(Boolean).join('&') });
      const body = (await response.json()) as SiblingsBody;
      return { response, body, winner: await (await node.get(key, { query })).text() };
    }),
  );
  const [first, ...others] = answers.map(({ response, body, winner }) => ({
    status: response.status,
    etag: response.headers.get('ETag'),
    siblings: body.siblings,
    winner,
  }));
  for (const other of others) expect(other).toEqual(first);
  return answers[0]!;
}

async function valuesAt(node: InProcessNode, key: string): Promise<(string | undefined)[]> {
  return (await node.siblings(key)).siblings.map(({ value }) => value);
}

describe('two writes of one key that could not know of each other', () => {
  const ORDERED: [lesser: string, greater: string, by: string][] = [
    ['\u{ff5e}', '\u{1f600}', 'code points, not UTF-16 units'],
    ['Z', 'a', 'capitals before small letters'],
    ['a', 'ab', 'a prefix before what continues it'],
    ['10', '9', 'characters, not numbers'],
    ['z', 'é', 'no language'],
    ['', ' ', 'the empty string before all'],
  ];
  const none = { headers: { 'If-None-Match': '*' } };
  let first: Response, second: Response;

  beforeAll(() =>
    race(
      ...ORDERED.map(([lesser, greater]) => async () => {
        await n1.write(`order of ${lesser} and ${greater}`, greater);
        await n2.write(`order of ${lesser} and ${greater}`, lesser);
      }),
      () => n1.write('raced', 'apple'),
      () => n2.write('raced', 'pear'),
      () => n1.write('latest', 'zebra, earlier'),
      () => n2.write('latest', 'ant, later'),
      () => n1.write('twins', 'same'),
      () => n2.write('twins', 'same'),
      async () => (first = await n1.put('both first', 'a', none)),
      async () => (second = await n2.put('both first', 'b', none)),
      ...cluster.nodes.map((node) => () => node.write('three', node.name)),
    ),
  );

  it('are both kept, and every replica shows the same winner, order and entity tag', async () => {
    const { response, body, winner } = await agreed('raced');
    expect(response.status).toBe(300);
    expect(response.headers.get('Quartet-Siblings')).toBe('2');
    expect(body.siblings.map(({ value }) => value)).toEqual(['pear', 'apple']);
    expect(winner).toBe('pear');
  });

  it.each(ORDERED)('are won as Python orders strings: %j before %j (%s)', async (lesser, greater) => {
    expect((await agreed(`order of ${lesser} and ${greater}`)).winner).toBe(greater);
  });

  it('are won by the latest with resolve=latest', async () => {
    expect((await agreed('latest', 'resolve=order')).winner).toBe('zebra, earlier');
    expect((await agreed('latest', 'resolve=latest')).winner).toBe('ant, later');
  });

  it('are both kept when their bytes are the same', async () => {
    expect((await agreed('twins')).body.siblings).toHaveLength(2);
  });

  it('both pass If-None-Match: *, which is checked at one replica', async () => {
    expect([first.status, second.status]).toEqual([201, 201]);
    expect((await agreed('both first')).body.siblings).toHaveLength(2);
  });

  it('are three siblings when three replicas take one each', async () => {
    expect((await agreed('three')).body.siblings.map(({ value }) => value)).toEqual(['n3', 'n2', 'n1']);
  });

  it('are seen in the listing, as one entry with its siblings counted', async () => {
    const response = await n3.request('/v1/kv?prefix=raced&values=true');
    const etag = (await n3.get('raced')).headers.get('ETag');
    expect(await response.json()).toMatchObject({ entries: [{ key: 'raced', siblings: 2, etag, value: 'pear' }] });
  });

  it('are shown by the original interface, the losing values as conflicts', async () => {
    expect(await (await n3.request('/get?key=raced')).json()).toEqual({
      key: 'raced',
      value: 'pear',
      clock: { n1: expect.any(Number), n2: expect.any(Number), n3: expect.any(Number) },
      conflicts: ['apple'],
    });
  });

  it('are counted by the replica where they met', async () => {
    const metrics = await (await n3.request('/metrics')).text();
    expect(Number(/^quartet_conflicts_total\{[^}]*\} (\d+)$/m.exec(metrics)?.[1])).toBeGreaterThan(0);
  });
});

describe('a conflict', () => {
  /** By key, the context of both siblings. */
  const contexts = new Map<string, string>();

  beforeAll(async () => {
    const keys = ['resolve', 'elsewhere', 'plain', 'end', 'third'];
    await race(...keys.map((key) => () => n1.write(key, 'a')), ...keys.map((key) => () => n2.write(key, 'b')));
    for (const key of keys) contexts.set(key, contextOf(await n3.get(key)));
  });

  it('is resolved everywhere by a write with the context of both', async () => {
    await n3.write('resolve', 'merged', { context: contexts.get('resolve'), query: 'w=all' });
    const { response, body } = await agreed('resolve');
    expect(response.status).toBe(200);
    expect(body.siblings).toMatchObject([{ value: 'merged' }]);
  });

  it('is resolved at a replica that has seen neither side, with a context from one that has seen both', async () => {
    cluster.scatter();
    await n1.write('half seen', 'a');
    await n2.write('half seen', 'b');
    cluster.heal();
    cluster.isolate(n3);
    await until('n1 has both', async () => (await n1.siblings('half seen')).siblings.length === 2);
    const { context } = await n1.siblings('half seen');
    expect((await n3.write('half seen', 'merged', { context })).siblings).toBe(1);
    cluster.heal();
    await cluster.converge();
    expect((await agreed('half seen')).body.siblings).toMatchObject([{ value: 'merged' }]);
  });

  it('is resolved by a write without a context at a replica that has both', async () => {
    await n3.write('plain', 'over', { query: 'w=all' });
    expect((await agreed('plain')).body.siblings).toMatchObject([{ value: 'over' }]);
  });

  it('is ended by a delete with the context of both', async () => {
    expect((await n3.delete('end', { context: contexts.get('end'), query: 'w=all' })).status).toBe(204);
    for (const node of cluster.nodes) expect((await node.get('end')).status).toBe(404);
  });

  it('grows by a write whose author had not seen the newer value', async () => {
    const { context } = await n1.write('stale', 'read', { query: 'w=all' });
    await n2.write('stale', 'newer', { context, query: 'w=all' });
    await n3.write('stale', 'with an old context', { context, query: 'w=all' });
    expect((await agreed('stale')).body.siblings.map(({ value }) => value)).toEqual(['with an old context', 'newer']);
  });

  it('keeps the sibling that the resolving client had not seen', async () => {
    await race(
      () => n1.write('third', 'merged', { context: contexts.get('third') }),
      () => n3.write('third', 'unseen', { context: contexts.get('third') }),
    );
    expect((await agreed('third')).body.siblings.map(({ value }) => value)).toEqual(['unseen', 'merged']);
  });
});

describe('a delete', () => {
  beforeAll(async () => {
    for (const key of ['raced delete', 'twice deleted', 'zombie']) await n1.write(key, 'old', { query: 'w=all' });
    await race(
      () => n1.delete('raced delete'),
      () => n2.write('raced delete', 'new'),
      () => n1.delete('twice deleted'),
      () => n2.delete('twice deleted'),
      () => n1.delete('zombie'),
      async () => expect(await (await n3.get('zombie')).text()).toBe('old'),
    );
  });

  it('that races with a write leaves the value of the write', async () => {
    expect((await agreed('raced delete')).body.siblings).toMatchObject([{ value: 'new' }]);
  });

  it('that races with a delete leaves nothing', async () => {
    for (const node of cluster.nodes) expect((await node.get('twice deleted')).status).toBe(404);
  });

  it('that a replica missed is not undone when that replica comes back', async () => {
    for (const node of cluster.nodes) {
      expect((await node.get('zombie')).status).toBe(404);
      expect(await (await node.request('/v1/kv?prefix=zombie')).json()).toMatchObject({ entries: [] });
    }
  });

  it('gives a context with which the key is written anew at another replica without a conflict', async () => {
    await n1.write('anew', 'old', { query: 'w=all' });
    const deleted = await n1.delete('anew');
    await n2.write('anew', 'new', { context: contextOf(deleted), query: 'w=all' });
    expect((await agreed('anew')).body.siblings).toMatchObject([{ value: 'new' }]);
  });
});

describe('a single client that goes from replica to replica', () => {
  const KEYS = ['hop a', 'hop b', 'hop c'];
  const STEPS = 80;

  /** A small generator whose seed is shown when something fails. */
  function randomBy(seed: number): (below: number) => number {
    let state = seed;
    return (below) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
  }

  async function expectValues(seed: number, expected: ReadonlyMap<string, string | undefined>): Promise<void> {
    for (const node of cluster.nodes) {
      for (const [key, value] of expected) {
        const response = await node.get(key);
        const found = response.status === 404 ? undefined : await response.text();
        expect({ seed, node: node.name, key, value: found }).toEqual({ seed, node: node.name, key, value });
        if (value !== undefined) expect(response.headers.get('Quartet-Siblings')).toBe('1');
      }
    }
  }

  it('never makes a conflict with the contexts it was given, also while replicas are cut off', async () => {
    const seed = Math.floor(Math.random() * 2 ** 32);
    const random = randomBy(seed);
    const contexts = new Map<string, string>();
    const expected = new Map<string, string | undefined>();
    for (let step = 0; step < STEPS; step++) {
      if (random(10) === 0) cluster.isolate(cluster.nodes[random(3)]!);
      if (random(5) === 0) cluster.heal();
      const [node, key] = [cluster.nodes[random(3)]!, KEYS[random(KEYS.length)]!];
      const context = contexts.get(key);
      const value = random(4) === 0 ? undefined : `step ${step}`;
      const response =
        value === undefined ? await node.delete(key, { context }) : await node.put(key, value, { context });
      const siblings = response.headers.get('Quartet-Siblings');
      expect({ seed, step, siblings }).toEqual({ seed, step, siblings: value === undefined ? '0' : '1' });
      contexts.set(key, contextOf(response));
      expected.set(key, value);
    }
    cluster.heal();
    await cluster.converge();
    await expectValues(seed, expected);
  });

  it.each([
    ['the same replica', 0],
    ['another replica', 1],
  ])('goes on from its own write without replacing what raced with that at %s, and was not shown', async (_, other) => {
    const key = `unseen at ${other}`;
    const read = await n1.get(key);
    await cluster.nodes[other]!.put(key, 'theirs', { query: 'w=all' });
    const first = await n1.put(key, 'first', { context: contextOf(read) });
    expect(first.headers.get('Quartet-Siblings')).toBe('2');
    const second = await n1.put(key, 'second', { context: contextOf(first) });
    expect((await valuesAt(n1, key)).sort()).toEqual(['second', 'theirs']);
    await n1.delete(key, { context: contextOf(second) });
    expect(await valuesAt(n1, key)).toEqual(['theirs']);
    const { context } = await n1.siblings(key);
    await n1.put(key, 'resolved', { context });
    await cluster.converge();
    expect((await agreed(key)).body.siblings.map(({ value }) => value)).toEqual(['resolved']);
  });

  it('goes on from its own write at a replica that has not got that yet: with the session', async () => {
    const read = await n1.get('followed');
    await n1.put('followed', 'theirs', { query: 'w=all' });
    const first = await n1.put('followed', 'first', { context: contextOf(read) });
    await n2.put('followed', 'second', { context: contextOf(first), session: sessionOf(first) });
    await cluster.converge();
    expect((await agreed('followed')).body.siblings.map(({ value }) => value).sort()).toEqual(['second', 'theirs']);
  });

  it('reads what it wrote, and never makes a conflict, with a session alone', async () => {
    const seed = Math.floor(Math.random() * 2 ** 32);
    const random = randomBy(seed);
    const expected = new Map<string, string | undefined>();
    let session: string | undefined;
    for (let step = 0; step < STEPS; step++) {
      const [node, key] = [cluster.nodes[random(3)]!, `session ${KEYS[random(KEYS.length)]!}`];
      const read = await node.get(key, { session });
      const found = read.status === 404 ? undefined : await read.text();
      expect({ seed, step, found }).toEqual({ seed, step, found: expected.get(key) });
      const value = random(4) === 0 ? undefined : `step ${step}`;
      const next = cluster.nodes[random(3)]!;
      const options = { session: sessionOf(read) };
      const written = value === undefined ? await next.delete(key, options) : await next.put(key, value, options);
      const siblings = written.headers.get('Quartet-Siblings');
      expect({ seed, step, siblings }).toEqual({ seed, step, siblings: value === undefined ? '0' : '1' });
      session = sessionOf(written);
      expected.set(key, value);
    }
    await cluster.converge();
    await expectValues(seed, expected);
  });

  it('never makes a conflict without any token when all replicas have each write before the next', async () => {
    for (let step = 0; step < 12; step++) {
      const { siblings } = await cluster.nodes[step % 3]!.write('in step', `step ${step}`, { query: 'w=all' });
      expect(siblings).toBe(1);
    }
    for (const node of cluster.nodes) expect(await valuesAt(node, 'in step')).toEqual(['step 11']);
  });
});
