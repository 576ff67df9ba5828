// What does a replica risk that does not wait for its disk? Writes, when the power fails, and never more than that: after a
// stop without closing it is another actor, so that no dot that others may have is given again.

import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Durability } from '../../src/config/config.js';
import { startCluster, type InProcessCluster } from '../support/in-process-cluster.js';
import { InProcessNode } from '../support/in-process-node.js';
import { temporaryFolder, type TemporaryFolder } from '../support/temporary-folder.js';

const RELAXED: Durability = 'may-lose-writes-on-power-loss';

describe('a replica that does not wait for its disk', () => {
  let node: InProcessNode;
  let folder: TemporaryFolder;
  const copies: InProcessNode[] = [];

  beforeEach(async () => {
    folder = await temporaryFolder();
    node = await InProcessNode.start({ durability: RELAXED });
    await node.write('a', 'value');
  });
  afterEach(async () => {
    await Promise.all([node, ...copies.splice(0)].map((each) => each.remove()));
    await folder.remove();
  });

  /** What the disk would have if the machine stopped now, started as a replica. */
  async function startCopy(of: InProcessNode, durability: Durability): Promise<InProcessNode> {
    const data = join(folder.path, `copy-${copies.length}`);
    await cp(of.config.data, data, { recursive: true });
    const copy = await InProcessNode.start({ data, durability });
    copies.push(copy);
    return copy;
  }

  async function actorOf(each: InProcessNode): Promise<string> {
    return (await each.cluster()).actor;
  }

  it.each<Durability>([RELAXED, 'fsync'])('goes on as the same actor after a stop in order, as %s', async (next) => {
    const actor = await actorOf(node);
    await node.restart({ durability: next });
    expect(await actorOf(node)).toBe(actor);
    expect((await node.write('a', 'again')).dot).toBe(`${actor}:2`);
    await node.restart({ durability: next });
    expect(await actorOf(node)).toBe(actor);
  });

  it.each<Durability>([RELAXED, 'fsync'])(
    'goes on as another actor after a stop without closing, with what is on its disk, as %s',
    async (next) => {
      const actor = await actorOf(node);
      const copy = await startCopy(node, next);
      const renewed = await actorOf(copy);
      expect(renewed).not.toBe(actor);
      expect(await (await copy.get('a')).text()).toBe('value');
      expect((await copy.write('a', 'again')).dot).toBe(`${renewed}:1`);
      expect(await copy.clock()).toEqual({ [actor]: 1, [renewed]: 1 });
      // Once is enough: it was stopped in order since.
      await copy.restart();
      expect(await actorOf(copy)).toBe(renewed);
    },
  );

  it('is another actor after every such stop, though it has written nothing since the last', async () => {
    const second = await startCopy(node, RELAXED);
    const third = await startCopy(second, RELAXED);
    const actors = [await actorOf(node), await actorOf(second), await actorOf(third)];
    expect(new Set(actors).size).toBe(3);
  });

  it('is the same actor after such a stop once it waits for its disk again', async () => {
    const waiting = await startCopy(node, 'fsync');
    await waiting.write('b', 'value');
    const next = await startCopy(waiting, RELAXED);
    expect(await actorOf(next)).toBe(await actorOf(waiting));
  });
});

describe('a member that does not wait for its disk, and loses its last writes', () => {
  let cluster: InProcessCluster;
  afterEach(() => cluster.remove());

  it('gets back from the others what they have, and gives none of those dots again', async () => {
    cluster = await startCluster(3, { durability: RELAXED });
    const [n1, n2, n3] = cluster.nodes as [InProcessNode, InProcessNode, InProcessNode];
    await n1.write('early', 'value', { query: 'w=all' });
    const folder = await temporaryFolder();
    const copy = join(folder.path, 'copy');
    await cp(n1.config.data, copy, { recursive: true });
    const late = await n1.write('late', 'value', { query: 'w=2' });
    await n1.wipe();
    await cp(copy, n1.config.data, { recursive: true });
    await cluster.restart(n1);
    const next = await n1.write('next', 'value', { query: 'w=all' });
    expect(next.dot).not.toBe(late.dot);
    await cluster.converge();
    for (const node of [n1, n2, n3]) {
      expect((await node.listing()).map(({ key }) => key)).toEqual(['early', 'late', 'next']);
    }
    await folder.remove();
  });
});
