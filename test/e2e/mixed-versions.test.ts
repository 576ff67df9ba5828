// What happens between replicas of releases that speak different versions of the protocol, as in the middle of an upgrade?
// They refuse each other, say so where an operator looks, and each serves on. The other release is played here, over real
// sockets: it refuses every version but its own.

import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { encodeAnswer, encodeRequest, PROTOCOL } from '../../src/replication/transport/message-codec.js';
import { InProcessNode } from '../support/in-process-node.js';
import { until } from '../support/until.js';

const COMPARISON = {
  clock: new Map(),
  actor: 'n2.abc',
  aheadDigest: 0,
  claimsDigest: 0,
  membersDigest: 0,
  dead: new Map(),
  sealed: new Map(),
  yours: new Map(),
  awaited: new Map(),
} as const;

/** As a message of this release, but for the version that it says. */
function ofVersion(version: number, message: Buffer): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.concat([Buffer.of(version), message.subarray(1)]));
}

/** How the release that is played here answers what another version sent. */
type Conduct = 'refuses' | 'answers in its own version';

async function playOther(version: number, conduct: () => Conduct, heard: number[]): Promise<Server> {
  const server = createServer((req, res) => {
    void versionOf(req).then((spoken) => {
      heard.push(spoken);
      if (conduct() === 'refuses') {
        const body = { code: 'PROTOCOL_VERSION', detail: `this replica speaks version ${version}` };
        res.writeHead(400, { 'Content-Type': 'application/problem+json' }).end(JSON.stringify(body));
        return;
      }
      const answer = encodeAnswer({ from: 'n2', to: 'n1', message: { kind: 'clock', ...COMPARISON } });
      res.writeHead(200, { 'Content-Type': 'application/octet-stream' }).end(ofVersion(version, answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

async function versionOf(req: IncomingMessage): Promise<number> {
  const pieces: Buffer[] = [];
  for await (const piece of req) pieces.push(piece as Buffer);
  return Buffer.concat(pieces)[0]!;
}

describe.each([
  ['an older', PROTOCOL - 1],
  ['a later', PROTOCOL + 1],
])('a replica whose peer speaks %s version of the protocol', (_which, version) => {
  let conduct: Conduct = 'refuses';
  const heard: number[] = [];
  let other: Server;
  let node: InProcessNode;

  beforeAll(async () => {
    other = await playOther(version, () => conduct, heard);
    const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    node = await InProcessNode.start({ peers: [{ name: 'n2', url, isNamed: true }] });
  });
  afterAll(async () => {
    await node.remove();
    other.closeAllConnections();
    await new Promise((resolve) => other.close(resolve));
  });

  it('refuses its messages, and says which versions meet and what to do', async () => {
    const before = await node.clock();
    const message = encodeRequest({ from: 'n2', to: 'n1', message: { kind: 'compare', ...COMPARISON } });
    const headers = { 'Content-Type': 'application/octet-stream' };
    const answer = await node.request('/put_remote', { method: 'POST', headers, body: ofVersion(version, message) });
    expect(answer.status).toBe(400);
    const problem = (await answer.json()) as { code: string; outcome: string; detail: string };
    expect(problem).toMatchObject({ code: 'PROTOCOL_VERSION', outcome: 'definite' });
    expect(problem.detail).toContain(`speaks version ${PROTOCOL} of the protocol, the other ${version}`);
    expect(problem.detail).toContain('bring both to the same release');
    expect(await node.clock()).toEqual(before);
  });

  it('is not ready with a new disk, and says why', async () => {
    const caughtUp = async () => (await node.readiness()).checks['caught up']!;
    await until(
      'it is refused',
      async () => (await caughtUp()) === `- refused by n2: this replica speaks version ${version}`,
    );
    expect((await node.readiness()).isReady).toBe(false);
    await node.write('now', 'there is something on it');
  });

  it.each([
    ['refuses', 'refused a compare: 400: this replica speaks version'],
    ['answers in its own version', 'bring both to the same release'],
  ] as const)('which %s is ready, takes writes, and tells why it does not replicate', async (as, told) => {
    conduct = as;
    await node.restart();
    await until('the replica is ready', async () => (await node.readiness()).isReady);
    expect((await node.readiness()).checks['caught up']).toContain('may be behind: refused by n2: ');
    expect((await node.write(`while it ${as}`, 'value')).acks).toBe(1);
    const [peer] = (await node.cluster()).peers;
    expect(peer).toMatchObject({ name: 'n2', state: 'unreachable', problem: expect.stringContaining(told) });
    expect(peer!.problem).toContain(String(version));
    // It asks again, in its own version, so that the two find each other once both are the same.
    heard.length = 0;
    await until('it asks again', () => heard.length > 0);
    expect(new Set(heard)).toEqual(new Set([PROTOCOL]));
    expect(node.failures).toEqual([]);
  });
});
