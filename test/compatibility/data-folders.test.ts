// Do data folders of earlier releases open? Each folder here was written by the release that it is named after, and left as
// it was; it is copied, and a replica of today starts from the copy.

import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { startCluster } from '../support/in-process-cluster.js';
import { InProcessNode } from '../support/in-process-node.js';
import { temporaryFolder, type TemporaryFolder } from '../support/temporary-folder.js';

jest.setTimeout(30_000);

describe('A data folder of release 0.1.0', () => {
  const actor = 'n1.tp1dgn7ib5';
  let folder: TemporaryFolder;
  let node: InProcessNode;

  beforeEach(async () => {
    folder = await temporaryFolder();
    await cp(join(import.meta.dirname, 'release-0.1.0'), folder.path, { recursive: true });
    node = await InProcessNode.start({ name: 'n1', data: folder.path });
  });
  afterEach(async () => {
    await node.remove();
    await folder.remove();
  });

  it('opens with every value as it was, siblings and deletes too', async () => {
    expect(await node.clock()).toEqual({ [actor]: 8 });
    expect((await node.listing()).map(({ key, etag, siblings }) => [key, etag.length > 2, siblings])).toEqual([
      ['bytes', true, 1],
      ['greeting', true, 1],
      ['raced', true, 2],
      ['ключ/é', true, 1],
    ]);
    expect((await node.siblings('greeting')).siblings).toEqual([
      {
        dot: `${actor}:1`,
        time: '2026-11-25T02:26:47.281Z',
        type: 'register',
        contentType: 'text/plain',
        value: 'hello',
      },
    ]);
    const bytes = await node.get('bytes');
    expect(bytes.headers.get('content-type')).toBe('image/x');
    expect([...new Uint8Array(await bytes.arrayBuffer())]).toEqual([0xff, 0xfe, 0, 10, 13]);
    expect((await node.siblings('raced')).siblings.map(({ dot, value }) => [dot, value])).toEqual([
      [`${actor}:5`, 'right'],
      [`${actor}:4`, 'left'],
    ]);
    expect(await (await node.get('ключ/é')).text()).toBe('ж'.repeat(100));
    expect((await node.get('deleted')).status).toBe(404);
  });

  it('is written on as before: the next dot follows the last one', async () => {
    expect(await node.write('raced', 'settled')).toMatchObject({ dot: `${actor}:9`, siblings: 1 });
    await node.restart();
    expect(await (await node.get('raced')).text()).toBe('settled');
    expect(await (await node.get('greeting')).text()).toBe('hello');
  });

  it('is told to other replicas, log and all', async () => {
    const listed = await node.listing();
    await node.stop();
    const cluster = await startCluster(0);
    try {
      await cluster.add('n1', { knows: ['n2'], data: folder.path });
      const other = await cluster.add('n2', { knows: ['n1'] });
      await cluster.converge();
      expect(await other.clock()).toEqual({ [actor]: 8 });
      expect(await other.listing()).toEqual(listed);
    } finally {
      await cluster.remove();
    }
  });
});
