// What of a replica that no member takes for one of its cluster? With a new disk it is not ready, for it knows of no key; and both
// sides say where to look.

import type { AddressInfo } from 'node:net';
import { createServer } from 'node:http';
import { Logger } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { InProcessNode, type Overrides } from '../support/in-process-node.js';
import { until } from '../support/until.js';

const SECRET = 'a secret of this test';
const ANOTHER = 'xyzzy';

describe('a new replica that is refused', () => {
  let member: InProcessNode;
  let newcomer: InProcessNode;
  beforeAll(async () => {
    member = await InProcessNode.start({ clusterSecret: SECRET });
    await member.write('there', 'value');
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await newcomer.remove();
  });
  afterAll(() => member.remove());

  async function join(overrides: Overrides, listedAs = 'n1'): Promise<void> {
    const peers = [{ name: listedAs, url: member.url, isNamed: true }];
    newcomer = await InProcessNode.start({ name: 'n2', url: 'http://127.0.0.1:1', peers, ...overrides });
  }

  const caughtUp = async (): Promise<string> => (await newcomer.readiness()).checks['caught up']!;

  it.each([
    [
      'shows another secret',
      { clusterSecret: ANOTHER },
      'n1',
      /^- refused by n1: .*another one \(QUARTET_CLUSTER_SECRET\)$/,
    ],
    [
      'shows no secret',
      { clusterSecret: undefined },
      'n1',
      /^- refused by n1: .*no secret \(QUARTET_CLUSTER_SECRET\)$/,
    ],
    [
      'takes it for another replica',
      { clusterSecret: SECRET },
      'n7',
      /^- refused by n7: this replica is n1; .*took it for n7/,
    ],
    ['has its name', { clusterSecret: SECRET, name: 'n1' }, 'n3', /^- refused by n3: /],
  ])('because it %s is not ready, and says so', async (_why, overrides, listedAs, told) => {
    await join(overrides, listedAs);
    await until('it is told', async () => told.test(await caughtUp()));
    expect((await newcomer.request('/readyz')).status).toBe(503);
    expect((await newcomer.cluster()).catchUp.isOver).toBe(false);
  });

  it('is ready with what the others have once it is set up as they are', async () => {
    await join({ clusterSecret: ANOTHER });
    await until('it is told', async () => /^- refused/.test(await caughtUp()));
    await newcomer.restart({ clusterSecret: SECRET });
    await until('it is ready', async () => (await newcomer.readiness()).isReady);
    expect((await newcomer.get('there')).status).toBe(200);
  });

  it('by a proxy that reaches nobody is ready: nobody is there', async () => {
    const proxy = createServer((_req, res) => void res.writeHead(502).end());
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    try {
      await join({ peers: [{ name: 'n1', url, isNamed: true }] });
      await until('it is ready', async () => (await newcomer.readiness()).isReady);
      expect(await caughtUp()).toBe('+ may be behind: no peer has answered');
    } finally {
      proxy.closeAllConnections();
      await new Promise((resolve) => proxy.close(resolve));
    }
  });

  it('is logged at both sides, with the setting and without a secret', async () => {
    const warned = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
    // It says it once a minute.
    await member.restart();
    await join({ clusterSecret: ANOTHER });
    const lines = (): string => warned.mock.calls.map(([line]) => String(line)).join('\n');
    await until('both say it', () => /a replica at/.test(lines()) && /refused a compare/.test(lines()));
    expect(lines()).toMatch(/^a replica at 127\.0\.0\.1 shows another QUARTET_CLUSTER_SECRET than this one/m);
    expect(lines()).toMatch(/^n1 refused a compare: 403: the secret is another one \(QUARTET_CLUSTER_SECRET\)$/m);
    for (const secret of [SECRET, ANOTHER]) expect(lines()).not.toContain(secret);
  });
});
