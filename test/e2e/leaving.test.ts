// How does a replica stop? It says that it is not ready, answers what it has taken, sends its peers what only it has, and
// closes its database; nobody can hold that up for long.

import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { DRAIN_TIMEOUT_MS } from '../../src/replication/exchanges.js';
import { HAND_OVER_MS_MAX } from '../../src/replication/hand-over.js';
import { InProcessCluster } from '../support/in-process-cluster.js';
import { InProcessNode, type WriteBody } from '../support/in-process-node.js';
import type { MessageGate } from '../support/in-process-gate.js';
import { RawClient, rawRequest } from '../support/raw-client.js';
import { until } from '../support/until.js';

jest.setTimeout(60_000);

/** Longer than it takes to look at the replica some times. */
const LEAVE_MS = 1500;

/** A PUT whose head has come, and of whose body nothing has been sent. */
async function accepted(port: number, path: string, length: number): Promise<RawClient> {
  const client = await RawClient.connect(port);
  const headers = { 'Content-Length': `${length}`, Expect: '100-continue' };
  expect((await client.send(rawRequest('PUT', path, { headers })).response()).status).toBe(100);
  return client;
}

// Stops while the others are tested: it takes seconds.
let endless: { node: InProcessNode; client: RawClient; stopped: Promise<void> };
beforeAll(async () => {
  const node = await InProcessNode.start();
  const client = (await accepted(node.port, '/v1/kv/never', 10)).send('half');
  endless = { node, client, stopped: node.stop() };
});

describe('a replica that is told to stop', () => {
  let node: InProcessNode;
  beforeAll(async () => {
    node = await InProcessNode.start();
  });
  afterAll(() => node.remove());

  async function isRefused(port: number): Promise<boolean> {
    try {
      (await RawClient.connect(port)).leave();
      return false;
    } catch {
      return true;
    }
  }

  it('is not ready at once, and takes requests on for a while, each for the last time on its connection', async () => {
    await node.restart({ leaveMs: LEAVE_MS });
    await until('the replica is ready', async () => (await node.readiness()).isReady);
    const { url, port } = node;
    const plain = await RawClient.connect(port);
    await plain.send(rawRequest('GET', '/v1/kv/late')).response();
    const stopped = node.stop();
    const ready = await fetch(`${url}/readyz?verbose`);
    expect(ready.status).toBe(503);
    expect(await ready.text()).toContain('[-] running: shutting down');
    const written = await fetch(`${url}/v1/kv/late`, { method: 'PUT', body: 'value' });
    expect(written.status).toBe(201);
    expect(written.headers.get('Connection')).toBe('close');
    const read = await plain.send(rawRequest('GET', '/v1/kv/late')).response();
    expect([read.status, read.headers.get('connection')]).toEqual([200, 'close']);
    expect(await plain.rest()).toBe('');
    await stopped;
    await expect(fetch(`${url}/livez`)).rejects.toThrow();
    await node.restart();
    expect(await (await node.get('late')).text()).toBe('value');
  });

  it('answers a request that is still coming in', async () => {
    const { port } = node;
    const body = 'a value that comes in two parts';
    const client = (await accepted(port, '/v1/kv/slow', body.length)).send(body.slice(0, 10));
    const stopped = node.stop();
    await until('nobody listens', () => isRefused(port));
    expect((await client.send(body.slice(10)).response()).status).toBe(201);
    await stopped;
    client.leave();
    await node.restart();
    expect(await (await node.get('slow')).text()).toBe(body);
  });
});

describe('a replica with peers that is told to stop', () => {
  let cluster: InProcessCluster;
  let n1: InProcessNode, n2: InProcessNode;
  let gate: MessageGate;
  beforeAll(async () => {
    cluster = await InProcessCluster.start(2);
    [n1, n2] = cluster.nodes as [InProcessNode, InProcessNode];
    gate = await cluster.gate(n1, n2);
  });
  afterEach(async () => {
    gate.release();
    if (!n1.isRunning) await cluster.restart(n1);
    await cluster.converge();
  });
  afterAll(() => cluster.remove());

  /** Writes one key whose push is kept on its way, and then others that have to wait for its answer. */
  async function writeUnsent(prefix: string): Promise<readonly string[]> {
    gate.hold(({ kind }) => kind === 'push');
    await n1.write(`${prefix} first`, 'value');
    await until('the push is on its way', () => gate.held > 0);
    const keys = Array.from({ length: 20 }, (_, i) => `${prefix} ${i}`);
    for (const key of keys) await n1.write(key, 'value');
    return [`${prefix} first`, ...keys];
  }

  it('sends them first what they lack and only it can push', async () => {
    const keys = await writeUnsent('pushed');
    const stopped = n1.stop();
    setTimeout(() => gate.release(), 200);
    await stopped;
    for (const key of keys) expect((await n2.get(key)).status).toBe(200);
  });

  it('does not wait for one that takes nothing: a write answers what it has, and the rest comes when it is back', async () => {
    const keys = await writeUnsent('held');
    const writing = n1.put('waiting', 'value', { query: 'w=all&timeout=60000' });
    await until('the write is there', async () => (await n1.get('waiting')).status === 200);
    const startedAt = performance.now();
    await n1.stop();
    const tookMs = performance.now() - startedAt;
    const answer = await writing;
    expect(answer.status).toBe(202);
    expect(((await answer.json()) as WriteBody).acks).toBe(1);
    expect(tookMs).toBeGreaterThan(HAND_OVER_MS_MAX - 100);
    expect(tookMs).toBeLessThan(HAND_OVER_MS_MAX + DRAIN_TIMEOUT_MS + 3000);
    expect((await n2.get(keys.at(-1)!)).status).toBe(404);
    gate.release();
    await cluster.restart(n1);
    await cluster.converge();
    for (const key of keys) expect((await n2.get(key)).status).toBe(200);
  });

  it('does not wait for one that is not there', async () => {
    await n2.stop();
    await n1.write('alone', 'value');
    await until('n2 is known to be away', async () => (await n1.cluster()).peers[0]!.state === 'unreachable');
    const startedAt = performance.now();
    await n1.stop();
    expect(performance.now() - startedAt).toBeLessThan(HAND_OVER_MS_MAX);
    await cluster.restart(n2);
  });
});

it('a replica that is told to stop does not wait for a client that never ends its request', async () => {
  const { node, client, stopped } = endless;
  await stopped;
  // Nor is it answered, as it would be when the time that a request may take to arrive is over.
  expect(await client.rest()).toBe('');
  client.leave();
  await node.remove();
});
