// How does a cluster change? A node joins by listing one member, a member that is gone for good is removed at any other, and
// whoever was removed learns of it and stays harmless.

import { Logger } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { loadConfig } from '../../src/config/config.js';
import { expectSame, untilTrimmed } from '../support/in-process-checks.js';
import { startCluster, type InProcessCluster } from '../support/in-process-cluster.js';
import type { InProcessNode } from '../support/in-process-node.js';
import { until } from '../support/until.js';

function forgetAt(node: InProcessNode, name: string): Promise<Response> {
  return node.request(`/v1/cluster/members/${name}`, { method: 'DELETE' });
}

async function untilMembers(nodes: readonly InProcessNode[], names: readonly string[]): Promise<void> {
  await until(`the members are ${names.join(', ')} everywhere`, async () => {
    const all = await Promise.all(nodes.map(async (node) => (await node.cluster()).members.join(', ')));
    return all.every((members) => members === names.join(', '));
  });
}

/** A write at each of them is acknowledged by all, and read at all. */
async function expectTogether(nodes: readonly InProcessNode[], key: string): Promise<void> {
  for (const writer of nodes) {
    const written = await writer.write(`${key} of ${writer.name}`, 'value', { query: 'w=all' });
    expect(written.acks).toBe(nodes.length);
    for (const node of nodes) expect((await node.get(`${key} of ${writer.name}`)).status).toBe(200);
  }
}

describe('a cluster of four whose log is trimmed', () => {
  let cluster: InProcessCluster;
  let n1: InProcessNode, n2: InProcessNode, n3: InProcessNode, n4: InProcessNode;
  let n5: InProcessNode;
  const live = 20;

  beforeAll(async () => {
    cluster = await startCluster(4);
    [n1, n2, n3, n4] = cluster.nodes as [InProcessNode, InProcessNode, InProcessNode, InProcessNode];
    await Promise.all(
      Array.from({ length: live + 10 }, (_, i) => cluster.nodes[i % 4]!.write(`key ${i}`, `${i}`, { query: 'w=all' })),
    );
    for (let i = live; i < live + 10; i++) await n2.delete(`key ${i}`);
    await untilTrimmed(cluster.nodes);
  });
  afterAll(() => cluster.remove());

  it('is joined by a fifth node that lists one member: it takes over all keys, and is a member everywhere', async () => {
    n5 = await cluster.add('n5', { knows: ['n1'] });
    await untilMembers(cluster.nodes, ['n1', 'n2', 'n3', 'n4', 'n5']);
    await cluster.converge();
    await expectSame(cluster.nodes);
    expect(await n5.listing()).toHaveLength(live);
    expect(await n5.metric('quartet_bootstraps_total')).toBe(1);
    // Deleted keys cost nothing.
    expect(await n5.metric('quartet_bootstrap_keys_total')).toBe(live);
    expect((await n5.get(`key ${live}`)).status).toBe(404);
    for (const node of [n1, n2, n3, n4]) {
      expect((await node.cluster()).peers.find(({ name }) => name === 'n5')).toMatchObject({
        url: cluster.doorOf('n5'),
        state: 'up',
      });
    }
  });

  it('takes writes at the fifth as at any other, and keeps no log of them once all have them', async () => {
    await expectTogether(cluster.nodes, 'five');
    await untilTrimmed(cluster.nodes);
  });

  it('is known to the fifth after a restart too, though the one that it lists is gone', async () => {
    await n1.stop();
    await cluster.restart(n5);
    await n5.write('without n1', 'value', { query: 'w=4' });
    for (const node of [n2, n3, n4]) expect(await (await node.get('without n1')).text()).toBe('value');
    await cluster.restart(n1);
    await cluster.converge();
    expect((await n1.get('without n1')).status).toBe(200);
  });

  it('refuses to remove the replica that is asked, and whom it does not know', async () => {
    const itself = await forgetAt(n1, 'n1');
    expect([itself.status, await itself.json()]).toMatchObject([409, { code: 'MEMBER_NOT_REMOVABLE' }]);
    const unknown = await forgetAt(n1, 'n9');
    expect(unknown.status).toBe(404);
    const detail = expect.stringContaining('n1, n2, n3, n4, n5') as unknown;
    expect(await unknown.json()).toMatchObject({ code: 'NO_SUCH_MEMBER', detail });
    await untilMembers(cluster.nodes, ['n1', 'n2', 'n3', 'n4', 'n5']);
  });

  describe('of which one is dead', () => {
    const left = () => [n1, n2, n3, n5];

    beforeAll(async () => {
      await untilTrimmed(cluster.nodes);
      await n4.stop();
      await Promise.all(Array.from({ length: 7 }, (_, i) => n1.write(`unseen by n4 ${i}`, 'value', { query: 'w=4' })));
    });

    it('keeps its log for it, and misses it when all are to acknowledge', async () => {
      expect((await n1.put('missed', 'value', { query: 'w=all&timeout=100' })).status).toBe(202);
      for (const node of left()) {
        await until('it has the last write', async () => (await node.get('missed')).status === 200);
        expect((await node.cluster()).log.entries).toBe(8);
      }
    });

    it('removes it everywhere when any member is told so, and again, and at several at once', async () => {
      const figures = /^quartet_peer\w*\{[^}]*peer="n4"/m;
      const metrics = async (node: InProcessNode): Promise<string> => (await node.request('/metrics')).text();
      for (const node of left()) expect(await metrics(node)).toMatch(figures);
      const answers = await Promise.all([forgetAt(n2, 'n4'), forgetAt(n5, 'n4'), forgetAt(n2, 'n4')]);
      expect(answers.map(({ status }) => status)).toEqual([204, 204, 204]);
      await untilMembers(left(), ['n1', 'n2', 'n3', 'n5']);
      expect((await forgetAt(n1, 'n4')).status).toBe(204);
      for (const node of left()) {
        expect((await node.cluster()).peers.map(({ name }) => name)).not.toContain('n4');
        expect(await metrics(node)).not.toMatch(/^quartet_peer_(?:up|lag|missing)\w*\{[^}]*peer="n4"/m);
      }
    });

    it('keeps no log for it any more, and counts those that are left', async () => {
      await untilTrimmed(left());
      await expectTogether(left(), 'four');
      expect((await n1.put('too many', 'value', { query: 'w=5' })).status).toBe(400);
    });

    it('does not take it back when a member starts again that lists it', async () => {
      await cluster.restart(n1);
      await cluster.converge(left());
      await untilMembers(left(), ['n1', 'n2', 'n3', 'n5']);
    });

    it('tells it so when it is back after all', async () => {
      await cluster.restart(n4);
      await until('n4 knows', async () => /^- removed/.test((await n4.readiness()).checks['member']!));
      expect((await n4.put('a', 'value')).status).toBe(503);
      await untilMembers(left(), ['n1', 'n2', 'n3', 'n5']);
    });
  });
});

describe('a member that is merely cut off', () => {
  let cluster: InProcessCluster;
  let n1: InProcessNode, n2: InProcessNode, n3: InProcessNode;
  let actorBefore: string;

  beforeAll(async () => {
    cluster = await startCluster(3);
    [n1, n2, n3] = cluster.nodes as [InProcessNode, InProcessNode, InProcessNode];
    await n3.write('common', 'value', { query: 'w=all' });
    actorBefore = (await n3.cluster()).actor;
  });
  afterAll(() => cluster.remove());

  it('goes on taking writes while it is removed, for it cannot know', async () => {
    cluster.isolate(n3);
    expect((await forgetAt(n1, 'n3')).status).toBe(204);
    await untilMembers([n1, n2], ['n1', 'n2']);
    await n3.write('lost', 'value');
    await n3.write('common', 'changed where nobody sees it');
    expect((await n3.readiness()).isReady).toBe(true);
  });

  it('learns of it when it is back: it takes no more writes, and is not ready', async () => {
    cluster.heal();
    await until('n3 knows', async () => !(await n3.readiness()).isReady);
    expect(await n3.cluster()).toMatchObject({ standing: 'forgotten', members: ['n1', 'n2'] });
    expect(await n1.cluster()).toMatchObject({ standing: 'member', members: ['n1', 'n2'] });
    for (const response of [await n3.put('more', 'value'), await n3.delete('common')]) {
      expect(response.status).toBe(503);
      expect(await response.json()).toMatchObject({ code: 'FORGOTTEN', outcome: 'definite' });
    }
  });

  it('does not spread what it has taken, however often it talks to the others', async () => {
    const gates = [await cluster.gate(n3, n1), await cluster.gate(n3, n2)];
    const logged = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => {});
    // It restarts with all it had: the attempt is made anew, and it tells of itself what it knows.
    await cluster.restart(n3);
    expect(logged).toHaveBeenCalledWith(expect.stringContaining('this node was removed from the cluster'));
    logged.mockRestore();
    await until('it has compared clocks often', () => gates.every((gate) => gate.answered('compare') >= 4));
    for (const node of [n1, n2]) {
      expect((await node.get('lost')).status).toBe(404);
      expect(await (await node.get('common')).text()).toBe('value');
      expect(await node.clock()).toEqual({ [actorBefore]: 1 });
    }
    expect((await n3.put('more', 'value')).status).toBe(503);
  });

  it('joins again with an empty folder under the same name, without what nobody got', async () => {
    await n3.wipe();
    await cluster.restart(n3);
    await untilMembers(cluster.nodes, ['n1', 'n2', 'n3']);
    await cluster.converge();
    expect((await n3.cluster()).actor).not.toBe(actorBefore);
    expect((await n3.get('lost')).status).toBe(404);
    expect(await (await n3.get('common')).text()).toBe('value');
    await expectTogether(cluster.nodes, 'together again');
    await expectSame(cluster.nodes);
    expect(await n3.readiness()).toMatchObject({ isReady: true, checks: { member: '+ yes' } });
  });
});

describe('two members that are removed, and two nodes that join, on two sides of a cut', () => {
  let cluster: InProcessCluster;
  let nodes: readonly InProcessNode[];
  afterEach(() => cluster.remove());

  it('leave one cluster behind, which all of its members see alike', async () => {
    cluster = await startCluster(4);
    const [n1, n2, n3, n4] = cluster.nodes as [InProcessNode, InProcessNode, InProcessNode, InProcessNode];
    await n4.write('from n4', 'value', { query: 'w=all' });
    await Promise.all([n3.stop(), n4.stop()]);
    cluster.cut(n1, n2);
    cluster.cut(n2, n1);
    await Promise.all([forgetAt(n1, 'n3'), forgetAt(n2, 'n4')]);
    const [n5, n6] = await Promise.all([cluster.add('n5', { knows: ['n1'] }), cluster.add('n6', { knows: ['n2'] })]);
    await Promise.all([n1, n2, n5, n6].map((node) => node.write(`at ${node.name}`, 'value')));
    await until('n1 has n5', async () => (await n1.cluster()).members.includes('n5'));
    await until('n2 has n6', async () => (await n2.cluster()).members.includes('n6'));
    cluster.heal();
    nodes = [n1, n2, n5, n6];
    await untilMembers(nodes, ['n1', 'n2', 'n5', 'n6']);
    await cluster.converge(nodes);
    await expectSame(nodes);
    expect(await n6.listing()).toHaveLength(5);
    await expectTogether(nodes, 'level');
    await untilTrimmed(nodes);
  });
});

describe('a node that joins is reached', () => {
  it('where its own entry among the members says, or QUARTET_URL', async () => {
    const cluster = await startCluster(1);
    try {
      const [n1] = cluster.nodes as [InProcessNode];
      for (const name of ['n2', 'n3']) {
        // Its address is chosen when it is added, so it is told afterwards.
        const node = await cluster.add(name, { knows: ['n1'], url: undefined });
        await node.wipe();
        const door = cluster.doorOf(name);
        const environment = name === 'n2' ? { QUARTET_PEERS: `n2=${door},n1=${n1.url}` } : { QUARTET_URL: door };
        const { url } = await loadConfig({ QUARTET_NAME: name, ...environment });
        await cluster.restart(node, { url });
        await until(`${name} is a member`, async () => (await n1.cluster()).members.includes(name));
        expect((await n1.cluster()).peers.find((peer) => peer.name === name)!.url).toBe(door);
      }
      await cluster.converge();
      await expectTogether(cluster.nodes, 'reached');
    } finally {
      await cluster.remove();
    }
  });

  it('though it lists all the members there are, and so agrees with each of them', async () => {
    const cluster = await startCluster(2);
    try {
      const [n1, n2] = cluster.nodes as [InProcessNode, InProcessNode];
      await expectTogether([n1, n2], 'two');
      const gate = await cluster.gate(n1, n2);
      await until('they have told each other', () => gate.answered('compare') >= 3);
      await cluster.add('n3', { knows: ['n1', 'n2'] });
      await untilMembers(cluster.nodes, ['n1', 'n2', 'n3']);
      await expectTogether(cluster.nodes, 'three');
    } finally {
      await cluster.remove();
    }
  });

  it('nowhere when neither says it: then it reads and writes as they do, but is no member, and not ready', async () => {
    const cluster = await startCluster(1);
    try {
      const [n1] = cluster.nodes as [InProcessNode];
      await n1.write('a', 'value');
      const reader = await cluster.add('reader', { knows: ['n1'], url: undefined });
      await until('it has the key', async () => (await reader.get('a')).status === 200);
      await n1.write('b', 'value', { query: 'w=all' });
      await until('it has the next one', async () => (await reader.get('b')).status === 200);
      expect((await n1.cluster()).members).toEqual(['n1']);
      await until('it knows', async () => /^- .*QUARTET_URL/.test((await reader.readiness()).checks['member']!));
      expect((await reader.readiness()).isReady).toBe(false);
      await reader.write('c', 'value', { query: 'w=all' });
      expect((await n1.get('c')).status).toBe(200);
    } finally {
      await cluster.remove();
    }
  });
});

describe('a node that joins a cluster of sixteen', () => {
  it('is no member, and not ready, until one of them is removed', async () => {
    const cluster = await startCluster(1);
    try {
      const [n1] = cluster.nodes as [InProcessNode];
      // Nothing listens on port 1.
      const dead = Array.from({ length: 15 }, (_, place) => `n${place + 2}`);
      await cluster.restart(n1, { peers: dead.map((name) => ({ name, url: 'http://127.0.0.1:1', isNamed: true })) });
      const n17 = await cluster.add('n17', { knows: ['n1'] });
      await until('it knows', async () => /^- .*16 members/.test((await n17.readiness()).checks['member']!));
      expect((await n17.readiness()).isReady).toBe(false);
      expect((await forgetAt(n1, 'n2')).status).toBe(204);
      await untilMembers([n1, n17], ['n1', ...dead.slice(1), 'n17'].sort());
      expect((await n17.readiness()).checks).toMatchObject({ member: '+ yes' });
    } finally {
      await cluster.remove();
    }
  });
});
