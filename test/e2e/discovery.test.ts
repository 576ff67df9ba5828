// How does a cluster form whose members are listed by a name service, as pods of a set are? Each looks who is there; who
// comes later is found, and who was removed stays so though the list has not noticed yet.

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Member } from '../../src/cluster/members.js';
import { InProcessNode } from '../support/in-process-node.js';
import { freePort } from '../support/process-cluster.js';
import { until } from '../support/until.js';

let listed: Member[];
/** How often each node that joined has asked who is listed, by name. */
let asks: Map<string, number>;
let nodes: InProcessNode[];

beforeEach(() => {
  listed = [];
  asks = new Map();
  nodes = [];
});

afterEach(async () => {
  await Promise.all(nodes.map((node) => node.remove()));
});

/** Listed first, then started: as an address that is published before its pod is ready. */
async function join(name: string): Promise<InProcessNode> {
  const port = await freePort(listed.map(({ url }) => Number(new URL(url).port)));
  const url = `http://127.0.0.1:${port}`;
  listed.push({ name, url, isNamed: true });
  const findMembers = async (): Promise<readonly Member[]> => {
    asks.set(name, (asks.get(name) ?? 0) + 1);
    return [...listed];
  };
  const node = await InProcessNode.start({ name, port, url, findMembers });
  nodes.push(node);
  return node;
}

async function untilAll(names: readonly string[]): Promise<void> {
  await until(`all know ${names.join(', ')}`, async () => {
    const told = await Promise.all(nodes.map(async (node) => (await node.cluster()).members.join(', ')));
    return told.every((members) => members === names.join(', '));
  });
}

describe('a cluster whose members a name service lists', () => {
  it('forms by itself, and takes in who comes later', async () => {
    const n1 = await join('n1');
    await n1.write('key', 'written alone');
    const n2 = await join('n2');
    const n3 = await join('n3');
    await untilAll(['n1', 'n2', 'n3']);
    expect((await n2.write('another', 'value', { query: 'w=all' })).acks).toBe(3);
    await until('the last one has what the first one wrote', async () => (await n3.get('key')).status === 200);
  });

  it('does not take back who was removed', async () => {
    const n1 = await join('n1');
    await join('n2');
    await untilAll(['n1', 'n2']);
    const gone = await join('n3');
    await untilAll(['n1', 'n2', 'n3']);
    await gone.stop();
    expect((await n1.request('/v1/cluster/members/n3', { method: 'DELETE' })).ok).toBe(true);
    const asked = asks.get('n1')!;
    await until('n1 has asked again, and was told of it', () => asks.get('n1')! > asked);
    expect((await n1.cluster()).members).toEqual(['n1', 'n2']);
  });

  it('takes back who was removed, and starts with an empty disk, though it is listed when it starts', async () => {
    const n1 = await join('n1');
    const gone = await join('n2');
    await untilAll(['n1', 'n2']);
    await gone.wipe();
    expect((await n1.request('/v1/cluster/members/n2', { method: 'DELETE' })).ok).toBe(true);
    await gone.restart();
    await until('n1 has it again', async () => (await n1.cluster()).members.includes('n2'));
    expect((await gone.write('key', 'value', { query: 'w=all' })).acks).toBe(2);
  });

  it.each([
    ['nobody answers', () => Promise.reject(new Error('no answer'))],
    ['nobody is listed', () => Promise.resolve([])],
  ])('starts also while %s, but is not ready with a new disk: it does not know where it belongs', async (_, find) => {
    const node = await InProcessNode.start({ findMembers: find });
    nodes.push(node);
    const readiness = await node.request('/readyz?verbose');
    expect(readiness.status).toBe(503);
    expect(await readiness.text()).toContain('lists nobody, not even this node');
    // Whoever calls it all the same is served.
    await node.write('key', 'value');
    expect((await node.get('key')).status).toBe(200);
    await node.restart();
    await until('it is ready: its disk is used', async () => (await node.request('/readyz')).status === 200);
  });

  it('is ready, found late, when it has what the others have', async () => {
    const n1 = await join('n1');
    await n1.write('key', 'value');
    const port = await freePort([n1.port]);
    const url = `http://127.0.0.1:${port}`;
    let isFound = false;
    const node = await InProcessNode.start({
      name: 'n2',
      port,
      url,
      findMembers: () => (isFound ? Promise.resolve([...listed]) : Promise.reject(new Error('no answer'))),
    });
    nodes.push(node);
    expect((await node.request('/readyz')).status).toBe(503);
    isFound = true;
    await until('it is ready', async () => (await node.request('/readyz')).status === 200);
    expect((await node.get('key')).status).toBe(200);
  });
});
