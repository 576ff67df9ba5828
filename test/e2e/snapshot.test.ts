// What is in a backup? One committed state, whole, whatever is written meanwhile; and whoever takes it may leave.

import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Tokens } from '../../src/controllers/http/tokens.js';
import { SnapshotController } from '../../src/controllers/snapshot/snapshot.controller.js';
import type { ReplicaDriver } from '../../src/replication/replica-driver.js';
import { versionsKey } from '../../src/store/keyspace.js';
import { LevelStore } from '../../src/store/level/level-store.js';
import { blankNode } from '../../src/store/record-codec.js';
import { ReplicaStore } from '../../src/store/replica-store.js';
import { versionOf } from '../support/clock-arbitraries.js';
import { startCluster } from '../support/in-process-cluster.js';
import { contextOf, InProcessNode, sessionOf } from '../support/in-process-node.js';
import { RawClient, rawRequest } from '../support/raw-client.js';
import { temporaryFolder, type TemporaryFolder } from '../support/temporary-folder.js';
import { until } from '../support/until.js';

/** Some of it writes megabytes, each on disk before the next. */
jest.setTimeout(30_000);

interface Version {
  readonly actor: string;
  readonly counter: number;
  readonly stamp: number;
  readonly contentType: string;
  readonly value?: string;
  readonly base64?: string;
}
interface Key {
  readonly key: string;
  readonly versions: readonly Version[];
  readonly context?: Readonly<Record<string, number>>;
}
interface Snapshot {
  readonly header: { readonly node: string; readonly actor: string; readonly clock: Record<string, number> };
  readonly keys: readonly Key[];
  readonly end: unknown;
}

/** In the order of their bytes. */
const KEYS = ['\n', '!', '"quoted"', 'a', 'a/b', 'a\u0300', 'é', '\u{ff5e}', '😀', '\u{10ffff}'];

function parse(text: string): Snapshot {
  expect(text.endsWith('\n')).toBe(true);
  const lines = text.split('\n').slice(0, -1);
  const [header, ...rest] = lines.map((line) => JSON.parse(line));
  return { header, keys: rest.slice(0, -1), end: rest.at(-1) };
}

async function take(at: InProcessNode): Promise<Snapshot> {
  const response = await at.request('/v1/snapshot');
  expect(response.status).toBe(200);
  return parse(await response.text());
}

describe('a snapshot', () => {
  let node: InProcessNode;
  let text: string;
  let snapshot: Snapshot;

  beforeAll(async () => {
    node = await InProcessNode.start();
    for (const key of [...KEYS].reverse()) await node.put(key, `value of ${key}`, { contentType: 'text/plain' });
    await node.put('a', new Uint8Array([0xff, 0x00]));
    await node.put('deleted', 'gone');
    await node.delete('deleted');
    const { context } = await node.write('raced', 'seen by both');
    await node.put('raced', 'left', { context });
    await node.put('raced', 'right', { context });
    text = await (await node.request('/v1/snapshot')).text();
    snapshot = parse(text);
  });
  afterAll(() => node.remove());

  it('says who took it, when, and what was known', async () => {
    const { actor, clock } = await node.cluster();
    expect(snapshot.header).toEqual({
      quartet: 'snapshot',
      version: 2,
      node: 'n1',
      actor,
      clock,
      takenAt: expect.stringMatching(/^20\d\d-\d\d-\d\dT[\d:.]+Z$/),
    });
  });

  it('has the keys in the order of their bytes, each with all its versions, and no deleted one', async () => {
    expect(snapshot.keys.map(({ key }) => key)).toEqual([...KEYS.slice(0, 6), 'raced', ...KEYS.slice(6)]);
    const { actor } = await node.cluster();
    expect(snapshot.keys[3]).toEqual({
      key: 'a',
      versions: [
        {
          actor,
          counter: KEYS.length + 1,
          stamp: expect.any(Number),
          contentType: 'application/octet-stream',
          base64: '/wA=',
        },
      ],
    });
    expect(snapshot.keys[6]!.versions.map(({ value }) => value)).toEqual(['left', 'right']);
  });

  it('has what the listing has', async () => {
    const response = await node.request('/v1/kv?values=true', { headers: { Accept: 'application/x-ndjson' } });
    const listed = (await response.text())
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line));
    expect(snapshot.keys).toHaveLength(listed.length);
    for (const [place, { key, siblings, etag, contentType, value, base64 }] of listed.entries()) {
      const { versions } = snapshot.keys[place]!;
      expect([snapshot.keys[place]!.key, versions.length]).toEqual([key, siblings]);
      expect(versions.map((version) => [version.contentType, version.value, version.base64])).toContainEqual([
        contentType,
        value,
        base64,
      ]);
      if (siblings === 1) expect(etag).toBe(`"${versions[0]!.actor}:${versions[0]!.counter}"`);
    }
  });

  it('ends with the number of its keys and a digest of what it tells', () => {
    const lines = text.split('\n').slice(1, -2);
    const digest = createHash('sha256').update(`{"clock":${JSON.stringify(snapshot.header.clock)}}\n`);
    for (const line of lines) digest.update(`${line}\n`);
    expect(snapshot.end).toEqual({ end: true, keys: KEYS.length + 1, sha256: digest.digest('hex') });
  });

  it('is NDJSON that nobody may keep', async () => {
    for (const method of ['GET', 'HEAD']) {
      const response = await node.request('/v1/snapshot', { method });
      expect(response.status).toBe(200);
      expect(response.headers.get('Content-Type')).toBe('application/x-ndjson');
      expect(response.headers.get('Cache-Control')).toBe('no-store');
      expect((await response.text()).length).toBe(method === 'HEAD' ? 0 : Buffer.from(text).toString().length);
    }
  });

  it('takes no parameter but a timeout, and no other method', async () => {
    const refused = await node.request('/v1/snapshot?prefix=a');
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ code: 'INVALID_QUERY' });
    for (const method of ['PUT', 'POST', 'DELETE', 'OPTIONS']) {
      const response = await node.request('/v1/snapshot', { method });
      expect(response.status).toBe(405);
      expect(response.headers.get('Allow')).toBe('GET, HEAD');
    }
  });

  it('is refused to a session that has seen more than the replica, and waits for it up to its timeout', async () => {
    const other = await InProcessNode.start({ name: 'n3' });
    const { session } = await other.write('seen elsewhere', 'value');
    await other.remove();
    for (const method of ['GET', 'HEAD']) {
      const headers = { 'Quartet-Session': session };
      const refused = await node.request('/v1/snapshot?timeout=100', { method, headers });
      expect([refused.status, refused.headers.get('Retry-After')]).toEqual([503, '1']);
      if (method === 'GET') expect(await refused.json()).toMatchObject({ code: 'NOT_CAUGHT_UP' });
    }
    const own = { 'Quartet-Session': sessionOf(await node.get('a')) };
    expect((await node.request('/v1/snapshot?timeout=0', { headers: own })).status).toBe(200);
    expect((await node.request('/v1/snapshot?timeout=soon')).status).toBe(400);
    expect((await node.request('/v1/snapshot', { headers: { 'Quartet-Session': 'nonsense' } })).status).toBe(400);
  });

  it('of an empty replica has a beginning and an end', async () => {
    const empty = await InProcessNode.start();
    const { header, keys, end } = await take(empty);
    expect([header.clock, keys]).toEqual([{}, []]);
    expect(end).toMatchObject({ end: true, keys: 0 });
    await empty.remove();
  });

  it('keeps what a key knows beyond the clock, of a deleted key too', async () => {
    const other = await InProcessNode.start({ name: 'n2' });
    for (const key of ['written', 'removed']) {
      await node.put(key, 'here');
      const context = contextOf(await node.get(key));
      const there = { context, headers: { Prefer: 'return=minimal' } };
      if (key === 'written') await other.put(key, 'there', there);
      else await other.delete(key, there);
    }
    const { header, keys } = await take(other);
    const { actor } = await node.cluster();
    expect(header.clock).not.toHaveProperty([actor]);
    expect(keys.map(({ key, versions }) => [key, versions.length])).toEqual([
      ['removed', 0],
      ['written', 1],
    ]);
    for (const { context } of keys) expect(context![actor]).toBeGreaterThan(KEYS.length);
    for (const key of ['written', 'removed']) await node.delete(key);
    await other.remove();
  });
});

describe('a snapshot that is taken while writes go on', () => {
  const BALLAST = 600;
  let node: InProcessNode;

  beforeAll(async () => {
    node = await InProcessNode.start();
    const value = 'x'.repeat(20_000);
    for (let i = 0; i < BALLAST; i += 50) {
      await Promise.all(Array.from({ length: 50 }, (_, j) => node.write(`ballast ${i + j}`, value)));
    }
  });
  afterAll(() => node.remove());

  it('is one state: exactly the writes that its clock covers, and none without the one before it', async () => {
    let written = 0;
    let isOver = false;
    const writing = (async () => {
      for (; !isOver; written++) await node.write(`${written % 2 === 0 ? 'z' : 'a'} ${written}`, String(written));
    })();
    try {
      for (let round = 0; round < 4; round++) {
        const before = written;
        const response = await node.request('/v1/snapshot');
        await until('more is written before anything of it is read', () => written > before + 10);
        const { header, keys } = parse(await response.text());
        const [count] = Object.values(header.clock);
        const found = keys.filter(({ key }) => !key.startsWith('ballast'));
        expect(keys).toHaveLength(count!);
        expect(found.map(({ key }) => Number(key.slice(2))).sort((left, right) => left - right)).toEqual(
          found.map((_, place) => place),
        );
        expect(found.length).toBeGreaterThanOrEqual(before);
        expect(found.length).toBeLessThanOrEqual(written);
      }
    } finally {
      isOver = true;
      await writing;
    }
  });

  it('does not have what is written once it has begun', async () => {
    const client = await RawClient.connect(node.port);
    client.send(rawRequest('GET', '/v1/snapshot', { headers: { Connection: 'close' } }));
    await client.response();
    await node.put('ballast 0', 'changed meanwhile');
    await node.delete('ballast 99');
    const text = await client.rest();
    client.leave();
    expect(text.match(/"key":"ballast \d+"/g)).toHaveLength(BALLAST);
    expect(text).not.toMatch(/changed meanwhile/);
    expect(text).toMatch(/\{"end":true,/);
  });
});

describe('a snapshot in a session', () => {
  it('has what the session has seen, once the replica has it', async () => {
    const cluster = await startCluster(2);
    try {
      const [n1, n2] = cluster.nodes as [InProcessNode, InProcessNode];
      cluster.isolate(n1);
      const { session } = await n1.write('seen', 'value');
      const waiting = n2.request('/v1/snapshot?timeout=20000', { headers: { 'Quartet-Session': session } });
      cluster.heal();
      expect(parse(await (await waiting).text()).keys.map(({ key }) => key)).toEqual(['seen']);
    } finally {
      await cluster.remove();
    }
  });
});

describe('a client that leaves in the middle of a snapshot', () => {
  const VALUE_BYTES = 1024 * 1024;
  let folder: TemporaryFolder;
  let store: ReplicaStore;
  let server: Server;

  beforeAll(async () => {
    folder = await temporaryFolder();
    store = await ReplicaStore.open(await LevelStore.open(folder.path), blankNode('n1.one'));
    for (let counter = 1; counter <= 40; counter++) await write(counter);
    const driver = {
      get view() {
        return store.view;
      },
      nowMs: 0,
    };
    const controller = new SnapshotController(driver as unknown as ReplicaDriver, new Tokens(undefined));
    server = createServer((req, res) => void controller.take(req, res));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(async () => {
    await new Promise((resolve) => server.close(resolve));
    await store.close();
    await folder.remove();
  });

  async function write(counter: number): Promise<void> {
    const value = new Uint8Array(VALUE_BYTES);
    const version = versionOf({ actor: 'n1.one', counter }, value, 1);
    const key = `key ${counter}`;
    await store.commit({
      claims: undefined,
      members: undefined,
      containers: new Map([[key, { versions: [version], context: new Map() }]]),
      contexts: new Map(),
      log: [{ actor: 'n1.one', counter, key }],
      node: { ...store.view.node, clock: new Map([['n1.one', counter]]) },
    });
  }

  it('does not keep the state that it was reading', async () => {
    const { view } = store;
    const stopReading = new AbortController();
    const { port } = server.address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${port}/v1/snapshot`, { signal: stopReading.signal });
    expect(response.status).toBe(200);
    // The store lets go of it, and the snapshot alone holds it.
    await write(41);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(view.stored('key 1').versions).toHaveLength(1);
    stopReading.abort();
    await until('the view is closed', () => {
      try {
        view.stored('key 1');
        return false;
      } catch {
        return true;
      }
    });
  });
});

describe('a snapshot of a replica with a damaged record', () => {
  it('is refused: without the key it would say that there is none', async () => {
    const node = await InProcessNode.start();
    await node.put('damaged', 'value');
    await node.stop();
    const level = await LevelStore.open(`${node.config.data}/level`);
    const before = level.snapshot();
    const record = Buffer.from(before.get(versionsKey('damaged'))!);
    before.close();
    record[record.length - 1]! ^= 1;
    await level.commit([{ type: 'put', key: versionsKey('damaged'), value: record }]);
    await level.close();
    await node.restart();
    const response = await node.request('/v1/snapshot');
    expect(response.status).toBe(503);
    expect(response.headers.get('Content-Type')).toBe('application/problem+json');
    expect(await response.json()).toMatchObject({ code: 'CORRUPT_RECORD' });
    await node.remove();
  });
});
