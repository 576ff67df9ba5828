// What has changed? `GET /v1/changes`: every key's last state, from a cursor on, at any replica.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ChangeStream, changes, type ChangeBatch } from '../support/change-client.js';
import { startCluster, type InProcessCluster } from '../support/in-process-cluster.js';
import { InProcessNode, sessionOf } from '../support/in-process-node.js';
import { RawClient, rawRequest } from '../support/raw-client.js';
import { until } from '../support/until.js';

const KEPT = { feedRetentionSeconds: 3600 };

const opsOf = ({ entries }: ChangeBatch) => Object.fromEntries(entries.map(({ key, op }) => [key, op]));
const cursorNow = async (node: InProcessNode): Promise<string> => (await changes(node, '?since=now')).cursor;

let node: InProcessNode;
beforeAll(async () => (node = await InProcessNode.start(KEPT)));
afterAll(() => node.remove());

describe('a poll', () => {
  it('tells every key once, in its latest state, deleted ones too', async () => {
    const since = await cursorNow(node);
    await node.put('a', 'first');
    await node.put('b', 'gone soon');
    const { session } = await node.write('a', 'second');
    await node.delete('b');
    const batch = await changes(node, `?since=${since}`);
    const etag = (await node.get('a')).headers.get('ETag');
    expect(batch.entries).toEqual([
      { key: 'a', op: 'put', type: 'register', etag, siblings: 1 },
      { key: 'b', op: 'delete' },
    ]);
    expect(batch.pending).toBe(0);
    expect(batch.session).not.toBe(session);
    expect(await changes(node, `?since=${batch.cursor}`)).toMatchObject({ entries: [], pending: 0 });
  });

  it('begins with everything when it is given no cursor, for as long as the log has everything', async () => {
    const fresh = await InProcessNode.start(KEPT);
    try {
      await fresh.put('a', 'value');
      expect((await changes(fresh)).entries).toHaveLength(1);
      expect(await changes(fresh, '?since=0')).toMatchObject({ entries: [{ key: 'a' }], pending: 0 });
    } finally {
      await fresh.remove();
    }
  });

  it('shows values as the listing does', async () => {
    const since = await cursorNow(node);
    await node.put('text', 'hello', { contentType: 'text/plain' });
    await node.put('bytes', new Uint8Array([0xff, 0]));
    expect((await changes(node, `?since=${since}&values=true`)).entries).toMatchObject([
      { key: 'text', contentType: 'text/plain', value: 'hello' },
      { key: 'bytes', contentType: 'application/octet-stream', base64: '/wA=' },
    ]);
  });

  it('goes on where it ended for its limit, and says how much is left', async () => {
    const since = await cursorNow(node);
    for (const key of ['p1', 'p2', 'p1', 'p3', 'p4']) await node.put(key, 'value');
    const first = await changes(node, `?since=${since}&limit=2`);
    expect(opsOf(first)).toEqual({ p1: 'put', p2: 'put' });
    expect(first.pending).toBe(2);
    const second = await changes(node, `?since=${first.cursor}&limit=2`);
    expect(opsOf(second)).toEqual({ p3: 'put', p4: 'put' });
    expect(second.pending).toBe(0);
  });

  it('ends an answer past 256 KiB of values, and goes on behind it', async () => {
    const since = await cursorNow(node);
    for (let i = 0; i < 5; i++) await node.put(`large${i}`, 'x'.repeat(100_000));
    const first = await changes(node, `?since=${since}`);
    expect(first.entries.map(({ key }) => key)).toEqual(['large0', 'large1', 'large2']);
    expect(opsOf(await changes(node, `?since=${first.cursor}`))).toEqual({ large3: 'put', large4: 'put' });
  });

  it('tells of a prefix only, and its cursor passes the other keys', async () => {
    const since = await cursorNow(node);
    for (const key of ['x/1', 'y/1', 'x/2', 'y/2']) await node.put(key, 'value');
    const batch = await changes(node, `?since=${since}&prefix=x%2F`);
    expect(opsOf(batch)).toEqual({ 'x/1': 'put', 'x/2': 'put' });
    expect(batch.pending).toBe(0);
    expect((await changes(node, `?since=${batch.cursor}`)).entries).toEqual([]);
  });

  it('takes a cursor that the replica gave before it was started anew', async () => {
    const since = await cursorNow(node);
    await node.put('before', 'value');
    await node.restart();
    await node.put('after', 'value');
    expect(opsOf(await changes(node, `?since=${since}`))).toEqual({ before: 'put', after: 'put' });
  });

  it('answers HEAD with the headers of the GET', async () => {
    const response = await node.request('/v1/changes?since=now', { method: 'HEAD' });
    expect(response.status).toBe(200);
    expect(response.headers.get('Quartet-Cursor')).not.toBeNull();
    expect(await response.text()).toBe('');
    const stream = await node.request('/v1/changes?since=now&feed=eventsource', { method: 'HEAD' });
    expect(stream.headers.get('Content-Type')).toBe('text/event-stream');
  });

  it('counts the entries that it tells', async () => {
    const since = await cursorNow(node);
    await node.put('counted', 'value');
    const before = await node.metric('quartet_feed_entries_total');
    await changes(node, `?since=${since}`);
    expect(await node.metric('quartet_feed_entries_total')).toBe(before + 1);
  });
});

describe('a lifetime that ends', () => {
  /** Long enough to meet the values alive, on a machine that is busy elsewhere too. Those of all tests end together. */
  const SECONDS = 3;
  const together = Array.from({ length: 5 }, (_, i) => `together${i}`);
  const isGone = (key: string) => until(`${key} is gone`, async () => (await node.get(key)).status === 404);

  let since: string;
  let alive: ChangeBatch;
  /** Where a reader stands that saw all values alive. */
  let cursor: string;
  let stream: ChangeStream;
  let polled: Promise<ChangeBatch>;

  beforeAll(async () => {
    const ttl = { query: `ttl=${SECONDS}` };
    since = await cursorNow(node);
    await node.put('brief', 'value', ttl);
    alive = await changes(node, `?since=${since}`);
    for (const key of ['renewed', 'removed']) await node.put(key, 'value', ttl);
    await node.put('renewed', 'for good');
    await node.delete('removed');
    const body = JSON.stringify(together.map((key) => ({ op: 'put', key, value: 'value', ttl: SECONDS })));
    const headers = { 'Content-Type': 'application/json' };
    expect((await node.request('/v1/batch', { method: 'POST', headers, body })).status).toBe(200);
    await node.put('watched', 'value', ttl);
    cursor = await cursorNow(node);
    const query = `since=${cursor}&prefix=watched`;
    stream = await ChangeStream.open(`${node.url}/v1/changes?feed=eventsource&${query}`);
    polled = changes(node, `?feed=longpoll&timeout=10000&${query}`);
  });
  afterAll(() => stream.close());

  it('is told once, though nobody has written', async () => {
    expect(opsOf(alive)).toEqual({ brief: 'put' });
    await isGone('brief');
    const over = await changes(node, `?since=${alive.cursor}&prefix=brief`);
    expect(over.entries).toEqual([{ key: 'brief', op: 'expire' }]);
    expect((await changes(node, `?since=${over.cursor}&prefix=brief`)).entries).toEqual([]);
    // Who did not see it alive is not shown what is over.
    expect(opsOf(await changes(node, `?since=${since}&prefix=brief&values=true`))).toEqual({ brief: 'expire' });
  });

  it('is not told when the value was replaced or deleted before', async () => {
    // The last to end.
    await isGone('watched');
    const told = opsOf(await changes(node, `?since=${cursor}`));
    expect(told).toMatchObject({ watched: 'expire' });
    expect(told).not.toHaveProperty('renewed');
    expect(told).not.toHaveProperty('removed');
  });

  it('of many keys at one moment is told a few at a time, each once', async () => {
    let from = cursor;
    await isGone('together4');
    const told: string[] = [];
    for (let pending = 1; pending > 0;) {
      const batch = await changes(node, `?since=${from}&prefix=together&limit=2`);
      expect(batch.entries.length).toBeLessThanOrEqual(2);
      told.push(...batch.entries.map(({ key, op }) => `${key} ${op}`));
      ({ cursor: from, pending } = batch);
    }
    expect(told).toEqual(together.map((key) => `${key} expire`));
  });

  it('comes in a stream and ends a long poll', async () => {
    const [batch, event] = await Promise.all([polled, stream.nextBatch()]);
    expect(batch.entries).toEqual([{ key: 'watched', op: 'expire' }]);
    expect(event.entries).toEqual([{ key: 'watched', op: 'expire' }]);
  });
});

describe('a long poll', () => {
  it('answers when something has changed', async () => {
    const since = await cursorNow(node);
    const waiting = changes(node, `?since=${since}&feed=longpoll`);
    await until('it waits', async () => (await node.metric('quartet_feed_readers')) === 1);
    await node.put('awaited', 'value');
    expect(opsOf(await waiting)).toEqual({ awaited: 'put' });
    expect(await node.metric('quartet_feed_readers')).toBe(0);
  });

  it('answers at once when something has changed already', async () => {
    const since = await cursorNow(node);
    await node.put('early', 'value');
    expect(opsOf(await changes(node, `?since=${since}&feed=longpoll`))).toEqual({ early: 'put' });
  });

  it('answers without entries when its time is over, with a cursor past what it did not ask for', async () => {
    const since = await cursorNow(node);
    const waiting = changes(node, `?since=${since}&feed=longpoll&prefix=none&timeout=300`);
    await node.put('other', 'value');
    const batch = await waiting;
    expect(batch.entries).toEqual([]);
    expect((await changes(node, `?since=${batch.cursor}`)).entries).toEqual([]);
  });
});

describe('a stream of events', () => {
  const open = (query: string, headers = {}) =>
    ChangeStream.open(`${node.url}/v1/changes?feed=eventsource&${query}`, headers);

  it('has one event for each batch, whose id is the cursor', async () => {
    const since = await cursorNow(node);
    const stream = await open(`since=${since}&values=true`);
    expect(stream.headers['content-type']).toBe('text/event-stream');
    await node.put('s', 'one');
    const event = (await stream.next())!;
    const batch = JSON.parse(event.data!) as ChangeBatch;
    expect(batch.entries).toMatchObject([{ key: 's', op: 'put', value: 'one' }]);
    expect(event.id).toBe(batch.cursor);
    await node.delete('s');
    expect((await stream.nextBatch()).entries).toEqual([{ key: 's', op: 'delete' }]);
    stream.close();
    await until('the reader is gone', async () => (await node.metric('quartet_feed_readers')) === 0);
  });

  it('goes on after the event that its reader has had last, whatever the address says', async () => {
    const since = await cursorNow(node);
    await node.put('had', 'value');
    const { cursor } = await changes(node, `?since=${since}`);
    await node.put('new', 'value');
    const stream = await open(`since=${since}`, { 'Last-Event-ID': cursor });
    expect(opsOf(await stream.nextBatch())).toEqual({ new: 'put' });
    stream.close();
  });

  it('loses nothing to a reader that is gone before anything has changed: its cursor came first', async () => {
    const stream = await open('since=now&prefix=unseen');
    await until('the cursor is there', () => stream.events.length > 0);
    stream.close();
    await node.put('unseen', 'value');
    const again = await open('since=now&prefix=unseen', { 'Last-Event-ID': stream.events[0]!.id! });
    expect(opsOf(await again.nextBatch())).toEqual({ unseen: 'put' });
    again.close();
  });

  it('tells of a prefix only', async () => {
    const stream = await open('since=now&prefix=only');
    await node.put('not this', 'value');
    await node.put('only this', 'value');
    expect(opsOf(await stream.nextBatch())).toEqual({ 'only this': 'put' });
    stream.close();
  });

  it('tells all readers the same, wherever they began', async () => {
    const since = await cursorNow(node);
    await node.put('f0', 'value');
    const streams = await Promise.all(
      Array.from({ length: 20 }, (_, i) => open(`prefix=f&since=${i % 2 ? since : 'now'}`)),
    );
    for (let i = 1; i <= 20; i++) await node.put(`f${i}`, 'value');
    for (const [place, stream] of streams.entries()) {
      const keys = new Set<string>();
      while (!keys.has('f20')) for (const { key } of (await stream.nextBatch()).entries) keys.add(key);
      expect(keys.size).toBe(place % 2 ? 21 : 20);
      stream.close();
    }
  });

  it('gives a slow reader fewer and larger events, and every last state', async () => {
    const url = `${node.url}/v1/changes?feed=eventsource&since=now&prefix=slow&values=true`;
    const stream = await ChangeStream.open(url, {}, true);
    const filler = 'x'.repeat(250_000);
    const [rounds, keys] = [24, ['slow0', 'slow1', 'slow2', 'slow3']];
    for (let round = 1; round <= rounds; round++) {
      await Promise.all(keys.map((key) => node.put(key, `${round} ${filler}`)));
    }
    stream.resume();
    const last = new Map<string, string>();
    let told = 0;
    while (keys.some((key) => last.get(key) !== `${rounds}`)) {
      for (const { key, value } of (await stream.nextBatch()).entries) {
        last.set(key, value!.split(' ')[0]!);
        told++;
      }
    }
    // What the sockets hold is told as it was; what changed meanwhile is told once.
    expect(told).toBeLessThan(rounds * keys.length * 0.75);
    stream.close();
  });

  it('ends when its replica stops, which is not held up, and its reader goes on with its cursor', async () => {
    // Not from `now`: what ended in the seconds before may be told, in an event of its own.
    const stream = await open(`since=${await cursorNow(node)}`);
    await node.put('last', 'value');
    const { id, data } = (await stream.next())!;
    expect(opsOf(JSON.parse(data!) as ChangeBatch)).toEqual({ last: 'put' });
    const startedAt = performance.now();
    await node.stop();
    expect(performance.now() - startedAt).toBeLessThan(3000);
    expect(await stream.next()).toBeUndefined();
    await node.restart();
    await node.put('next', 'value');
    expect(opsOf(await changes(node, `?since=${id}`))).toEqual({ next: 'put' });
  });
});

describe('readers that are too many', () => {
  it('are refused, until one of them has left', async () => {
    const small = await InProcessNode.start({ ...KEPT, feedReadersMax: 1 });
    try {
      const stream = await ChangeStream.open(`${small.url}/v1/changes?feed=eventsource`);
      for (const feed of ['eventsource', 'longpoll']) {
        const refused = await small.request(`/v1/changes?feed=${feed}`);
        expect(refused.status).toBe(429);
        expect(refused.headers.get('Retry-After')).toBe('1');
        expect(await refused.json()).toMatchObject({ code: 'OVERLOADED' });
      }
      expect((await small.request('/v1/changes')).status).toBe(200);
      stream.close();
      await until('there is room', async () => (await small.request('/v1/changes?feed=longpoll&timeout=0')).ok);
    } finally {
      await small.remove();
    }
  });
});

describe('readers that are asked for in one go, over one connection', () => {
  it('take one place, for they come in turn, and none once it is closed', async () => {
    const small = await InProcessNode.start({ ...KEPT, feedReadersMax: 2 });
    try {
      const client = await RawClient.connect(small.port);
      client.send(rawRequest('GET', '/v1/changes?feed=eventsource&since=now').repeat(3));
      expect((await client.response()).status).toBe(200);
      const stream = await ChangeStream.open(`${small.url}/v1/changes?feed=eventsource`);
      const hasRoom = async () => (await small.request('/v1/changes?feed=longpoll&timeout=0')).ok;
      expect(await hasRoom()).toBe(false);
      client.leave();
      await until('there is room', hasRoom);
      stream.close();
    } finally {
      await small.remove();
    }
  });
});

describe('a reader that leaves before its replica has come to its session', () => {
  it('keeps no place: neither of a stream nor of a long poll', async () => {
    const cluster = await startCluster(2, { ...KEPT, feedReadersMax: 1 });
    try {
      const [n1, n2] = cluster.nodes as [InProcessNode, InProcessNode];
      for (const feed of ['eventsource', 'longpoll']) {
        await n1.write('before', feed, { query: 'w=all' });
        cluster.isolate(n1);
        const { session } = await n1.write('seen', feed);
        const leaving = new AbortController();
        const left = fetch(`${n2.url}/v1/changes?feed=${feed}&since=now&timeout=20000`, {
          headers: { 'Quartet-Session': session },
          signal: leaving.signal,
        }).catch((error: unknown) => error);
        await until('it waits', async () => (await n2.request('/v1/changes?feed=longpoll&timeout=0')).status === 429);
        leaving.abort();
        await left;
        cluster.heal();
        await until('the session is covered', async () => (await n2.get('seen')).status === 200);
        // Something to tell it, if it were there.
        await n2.write('after', feed);
        await until('there is room', async () => (await n2.request('/v1/changes?feed=longpoll&timeout=0')).ok);
      }
    } finally {
      await cluster.remove();
    }
  });
});

describe('readers that leave while their replica has not come to their cursor', () => {
  it('keep no place, however long they would have waited', async () => {
    const stranger = await InProcessNode.start({ ...KEPT, name: 'n9' });
    await stranger.put('elsewhere', 'value');
    const since = await cursorNow(stranger);
    await stranger.remove();
    const readers = () => node.metric('quartet_feed_readers');
    const before = await readers();
    const clients = await Promise.all(Array.from({ length: 20 }, () => RawClient.connect(node.port)));
    for (const client of clients) {
      client.send(rawRequest('GET', `/v1/changes?feed=longpoll&since=${since}&timeout=60000`));
    }
    await until('all wait', async () => (await readers()) === before + 20);
    for (const client of clients) client.leave();
    await until('their places are free', async () => (await readers()) === before, 5000);
  });
});

describe('a reader that the log does not reach back to', () => {
  let short: InProcessNode;
  let since: string;
  let emptyAfterMs: number;

  beforeAll(async () => {
    short = await InProcessNode.start({ feedRetentionSeconds: 2 });
    since = await cursorNow(short);
    const writtenAt = performance.now();
    await short.put('kept', 'value');
    await short.put('deleted', 'value');
    await short.delete('deleted');
    await until('its log is empty', async () => (await short.cluster()).log.entries === 0);
    emptyAfterMs = performance.now() - writtenAt;
  });
  afterAll(() => short.remove());

  it('could have had what every member has for as long as configured', () => {
    expect(emptyAfterMs).toBeGreaterThan(1400);
  });

  it('is told to list, and misses nothing when it goes on from the listing', async () => {
    for (const query of [`?since=${since}`, '', '?feed=longpoll', '?feed=eventsource']) {
      const refused = await short.request(`/v1/changes${query}`);
      expect(refused.status).toBe(410);
      expect(await refused.json()).toMatchObject({ code: 'CURSOR_EXPIRED', detail: expect.stringContaining('list') });
    }
    const listed = await short.request('/v1/kv');
    const { cursor, entries } = (await listed.json()) as ChangeBatch;
    expect(entries.map(({ key }) => key)).toEqual(['kept']);
    expect(listed.headers.get('Quartet-Cursor')).toBe(cursor);
    expect((await changes(short, `?since=${cursor}`)).entries).toEqual([]);
    await short.put('new', 'value');
    expect(opsOf(await changes(short, `?since=${cursor}`))).toEqual({ new: 'put' });
  });

  it('is told so in an event when it has fallen behind in a stream', async () => {
    const brief = await InProcessNode.start({ feedRetentionSeconds: 0 });
    try {
      const url = `${brief.url}/v1/changes?feed=eventsource&since=now&values=true`;
      const stream = await ChangeStream.open(url, {}, true);
      const filler = 'x'.repeat(500_000);
      for (let i = 0; i < 40; i += 8) {
        await Promise.all(Array.from({ length: 8 }, (_, j) => brief.put(`k${i + j}`, filler)));
      }
      await until('its log is empty', async () => (await brief.cluster()).log.entries === 0);
      stream.resume();
      let event = await stream.next();
      while (event?.event === undefined) event = await stream.next();
      expect(event.event).toBe('problem');
      expect(JSON.parse(event.data!)).toMatchObject({ code: 'CURSOR_EXPIRED', status: 410 });
      expect(await stream.next()).toBeUndefined();
    } finally {
      await brief.remove();
    }
  });
});

describe('a cursor', () => {
  let cluster: InProcessCluster;
  beforeAll(async () => (cluster = await startCluster(3, KEPT)));
  afterAll(() => cluster.remove());

  it('is good at every replica: nothing is missed, and nothing told twice', async () => {
    const [n1, n2, n3] = cluster.nodes as [InProcessNode, InProcessNode, InProcessNode];
    let since = await cursorNow(n1);
    const seen: string[] = [];
    for (const [place, at] of [n1, n2, n3, n1, n3].entries()) {
      const { session } = await at.write(`key${place}`, 'value');
      const next = cluster.nodes[(place + 1) % 3]!;
      const response = await next.request(`/v1/changes?since=${since}`, { headers: { 'Quartet-Session': session } });
      const batch = (await response.json()) as ChangeBatch;
      seen.push(...batch.entries.map(({ key }) => key));
      since = batch.cursor;
    }
    expect(seen).toEqual(['key0', 'key1', 'key2', 'key3', 'key4']);
  });

  it('that knows more than its replica is waited for, and then refused: never is it answered from the past', async () => {
    const [n1, n2, n3] = cluster.nodes as [InProcessNode, InProcessNode, InProcessNode];
    await cluster.converge();
    for (const other of [n1, n2]) {
      cluster.cut(other, n3);
      cluster.cut(n3, other);
    }
    await n1.put('unseen', 'value');
    const since = await cursorNow(n1);
    for (const feed of ['poll', 'longpoll', 'eventsource']) {
      const refused = await n3.request(`/v1/changes?since=${since}&feed=${feed}&timeout=100`);
      expect(refused.status).toBe(503);
      expect(refused.headers.get('Retry-After')).toBe('1');
      expect(await refused.json()).toMatchObject({ code: 'NOT_CAUGHT_UP' });
    }
    const waiting = changes(n3, `?since=${since}&timeout=20000`);
    cluster.heal();
    expect((await waiting).entries).toEqual([]);
  });

  it('of a listing is that of its first page, when the others are read in its session', async () => {
    const [n1, n2] = cluster.nodes as [InProcessNode, InProcessNode];
    for (let i = 0; i < 4; i++) await n1.put(`page${i}`, 'old');
    const first = await n1.request('/v1/kv?prefix=page&limit=2');
    const { cursor } = (await first.json()) as ChangeBatch;
    await n1.put('page0', 'new');
    const session = sessionOf(first);
    const rest = await n2.request('/v1/kv?prefix=page&after=page1', { headers: { 'Quartet-Session': session } });
    expect(((await rest.json()) as ChangeBatch).entries).toHaveLength(2);
    const batch = await changes(n1, `?since=${cursor}&values=true`);
    expect(batch.entries).toMatchObject([{ key: 'page0', value: 'new' }]);
  });
});
