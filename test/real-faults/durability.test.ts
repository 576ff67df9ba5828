// Which actor is a replica that does not wait for its disk, after it was killed? Another one: its last writes may be missing.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Durability } from '../../src/config/config.js';
import { compileSource } from '../support/compiled-source.js';
import { freePort } from '../support/process-cluster.js';
import { ReplicaProcess } from '../support/process-replica.js';
import { temporaryFolder, type TemporaryFolder } from '../support/temporary-folder.js';

const RELAXED: Durability = 'may-lose-writes-on-power-loss';

describe('a process', () => {
  let folder: TemporaryFolder;
  let entry: string;
  let port: number;
  let replica: ReplicaProcess | undefined;

  beforeAll(async () => {
    folder = await temporaryFolder();
    const compiled = join(folder.path, 'compiled');
    await compileSource(compiled, ['.']);
    entry = join(compiled, 'main.js');
    port = await freePort();
  });
  afterEach(() => replica?.killAtOnce());
  afterAll(() => folder.remove());

  async function started(durability: string): Promise<{ actor: string; log: string }> {
    const log = join(folder.path, 'log');
    await writeFile(log, '');
    const data = join(folder.path, 'data');
    const environment = { QUARTET_DURABILITY: durability };
    replica = new ReplicaProcess({ name: 'n1', port, data, log, entry, peers: '', launcher: [], environment });
    await replica.start();
    const answer = await replica.client.request('GET', '/v1/cluster');
    replica.client.close();
    const { actor } = JSON.parse(answer.body.toString()) as { actor: string };
    return { actor, log: await readFile(log, 'utf8') };
  }

  it('that is killed in the relaxed mode is another actor, in whichever mode it starts again, and has its writes', async () => {
    const first = await started(RELAXED);
    await replica!.client.put('a', 'value');
    await replica!.kill('SIGKILL');
    const second = await started('fsync');
    expect(second.actor).not.toBe(first.actor);
    expect((await replica!.client.get('a')).body.toString()).toBe('value');
    // Killed while every write was on disk: nothing can be missing.
    await replica!.kill('SIGKILL');
    const third = await started(RELAXED);
    expect(third.actor).toBe(second.actor);
    expect(await replica!.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    const fourth = await started(RELAXED);
    expect(fourth.actor).toBe(second.actor);
  });

  it.each(['relaxed', 'may-lose-writes', 'FSYNC'])(
    'does not start with a durability that there is not, and names those there are: %s',
    async (durability) => {
      await expect(started(durability)).rejects.toThrow(/ended before it was ready/);
      expect(await replica!.gone()).toEqual({ code: 2, signal: null });
      const log = await readFile(join(folder.path, 'log'), 'utf8');
      expect(log).toContain(`QUARTET_DURABILITY="${durability}" must be one of: fsync, ${RELAXED}`);
    },
  );
});
