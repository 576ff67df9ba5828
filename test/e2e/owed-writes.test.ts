// What does a replica that stops say of writes that nobody else has? They are as safe as its disk, and its operator may be about
// to give that up.

import { createServer, type AddressInfo } from 'node:net';
import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { InProcessCluster } from '../support/in-process-cluster.js';
import { InProcessNode } from '../support/in-process-node.js';
import { until } from '../support/until.js';

jest.setTimeout(60_000);

let warned: jest.SpiedFunction<Logger['warn']>;
let cleanups: (() => Promise<void>)[];

beforeEach(() => {
  warned = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
  cleanups = [];
});

afterEach(async () => {
  jest.restoreAllMocks();
  for (const clean of cleanups) await clean();
});

async function start(size: number): Promise<readonly [InProcessCluster, InProcessNode, InProcessNode, InProcessNode]> {
  const cluster = await InProcessCluster.start(size);
  cleanups.push(() => cluster.remove());
  return [cluster, ...(cluster.nodes as [InProcessNode, InProcessNode, InProcessNode])];
}

/** What was said of them so far. */
function told(): readonly string[] {
  return warned.mock.calls.map(([line]) => String(line)).filter((line) => line.includes('on this disk only'));
}

describe('a replica that stops tells', () => {
  it('how many there may be, once, when no member has taken them', async () => {
    const [cluster, n1, n2] = await start(2);
    await n1.write('handed over', 'value');
    await cluster.converge();
    const gate = await cluster.gate(n1, n2);
    gate.hold(({ kind }) => kind === 'push');
    for (const key of ['a', 'b', 'c']) await n1.write(key, 'value');
    await n1.stop();
    gate.release();
    expect(told()).toEqual([
      'up to 3 writes of this replica are on this disk only, until it starts again: no member has told that it has them',
    ]);
  });

  it('nothing when a member has all of them, though another one has not', async () => {
    const [cluster, n1, , n3] = await start(3);
    cluster.isolate(n3);
    await n1.write('a', 'value', { query: 'w=2' });
    await until('n3 is known to be away', async () => (await n1.cluster()).peers[1]!.state === 'unreachable');
    await n1.stop();
    expect(told()).toEqual([]);
  });

  it('nothing when those that lack them were removed', async () => {
    const [, n1, n2] = await start(2);
    await n2.stop();
    await n1.write('a', 'value');
    expect((await n1.request('/v1/cluster/members/n2', { method: 'DELETE' })).ok).toBe(true);
    await n1.stop();
    expect(told()).toEqual([]);
  });

  it('nothing when it was removed itself: nobody is to get them', async () => {
    const [cluster, n1, n2] = await start(2);
    const gate = await cluster.gate(n1, n2);
    gate.hold(({ kind }) => kind === 'push');
    await n1.write('a', 'value');
    expect((await n2.request('/v1/cluster/members/n1', { method: 'DELETE' })).ok).toBe(true);
    await until('n1 has heard of it', async () => (await n1.cluster()).standing === 'forgotten');
    await n1.stop();
    gate.release();
    expect(told()).toEqual([]);
  });

  it('nothing when it ends because another process has its port: it has taken none, and asked nobody yet', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    cleanups.push(async () => void other.close());
    await until('the port is taken', () => other.listening);
    const { port } = other.address() as AddressInfo;
    const node = await InProcessNode.start({ peers: [{ name: 'n2', url: 'http://127.0.0.1:1', isNamed: true }] });
    cleanups.push(() => node.remove());
    await node.write('a', 'value');
    await node.stop();
    expect(told()).toHaveLength(1);
    await expect(node.restart({ port })).rejects.toThrow('EADDRINUSE');
    expect(told()).toHaveLength(1);
  });
});
