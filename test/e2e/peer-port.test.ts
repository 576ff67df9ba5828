// Can replicas have a port of their own, which no client needs to reach? Then a network policy, which sees ports and no
// paths, keeps clients from the route between replicas.

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { encodeRequest } from '../../src/replication/transport/message-codec.js';
import { InProcessNode } from '../support/in-process-node.js';
import { freePort } from '../support/process-cluster.js';
import { rawExchange, rawRequest } from '../support/raw-client.js';
import { until } from '../support/until.js';

let nodes: InProcessNode[];
let peerPorts: number[];

beforeEach(async () => {
  peerPorts = [];
  for (let i = 0; i < 2; i++) peerPorts.push(await freePort(peerPorts));
  const peers = peerPorts.map((port, i) => ({ name: `n${i + 1}`, url: `http://127.0.0.1:${port}`, isNamed: true }));
  nodes = [];
  for (const { name, url } of peers) {
    const peerPort = Number(new URL(url).port);
    nodes.push(await InProcessNode.start({ name, url, peerPort, peers: peers.filter((peer) => peer.name !== name) }));
  }
});

afterEach(() => Promise.all(nodes.map((node) => node.remove())));

function post(port: number, path: string): Promise<Response> {
  const message = encodeRequest({ from: 'n3', to: 'n1', message: { kind: 'pull-ahead', after: undefined } });
  const headers = { 'Content-Type': 'application/octet-stream' };
  return fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', headers, body: new Uint8Array(message) });
}

describe('replicas with a port of their own', () => {
  it('replicate over it', async () => {
    await until('they see each other', async () => (await nodes[0]!.cluster()).peers[0]?.state === 'up');
    expect((await nodes[0]!.write('key', 'value', { query: 'w=all' })).acks).toBe(2);
    expect(await (await nodes[1]!.get('key')).text()).toBe('value');
  });

  it('take messages of replicas at that port, and nowhere else, however the path is written', async () => {
    const { port } = nodes[0]!;
    expect((await post(peerPorts[0]!, '/put_remote')).status).toBe(200);
    const refused = await post(port, '/put_remote');
    expect(refused.status).toBe(404);
    expect(await refused.json()).toMatchObject({ code: 'NO_SUCH_ROUTE', detail: expect.stringContaining('port') });
    expect((await fetch(`http://127.0.0.1:${port}/put_remote`)).status).toBe(404);
    for (const target of ['/put_remote?', '//put_remote', `http://127.0.0.1:${port}/put_remote`, '/put%5fremote']) {
      expect((await rawExchange(port, rawRequest('POST', target))).status).toBe(404);
    }
  });

  it('serve nothing else at that port', async () => {
    for (const path of ['/v1/kv/key', '/v1/cluster', '/readyz', '/metrics', '/put_remote?a=b', '/docs']) {
      expect((await fetch(`http://127.0.0.1:${peerPorts[0]}${path}`)).status).toBe(404);
    }
  });

  it('do not start when another process has that port', async () => {
    const taken = InProcessNode.start({ name: 'n3', peerPort: peerPorts[0] });
    await expect(taken).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it('still hear each other while one lets its clients go', async () => {
    await until('they see each other', async () => (await nodes[1]!.cluster()).peers[0]?.state === 'up');
    await nodes[0]!.restart({ leaveMs: 1000 });
    const { url } = nodes[0]!;
    const stopped = nodes[0]!.stop();
    expect((await fetch(`${url}/readyz`)).status).toBe(503);
    expect((await post(peerPorts[0]!, '/put_remote')).status).toBe(200);
    await stopped;
    await expect(post(peerPorts[0]!, '/put_remote')).rejects.toThrow();
  });
});
