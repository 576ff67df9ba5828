// How is a replica ended that takes its time to stop? By a signal again. The first process of a container must hear it, too: no
// signal but SIGKILL ends that one unless it handles it.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import { compileSource } from '../support/compiled-source.js';
import { freePort } from '../support/process-cluster.js';
import { ReplicaProcess } from '../support/process-replica.js';
import { temporaryFolder, type TemporaryFolder } from '../support/temporary-folder.js';
import { until } from '../support/until.js';

jest.setTimeout(30_000);

let folder: TemporaryFolder;
let replica: ReplicaProcess | undefined;

beforeAll(async () => {
  folder = await temporaryFolder();
  await compileSource(join(folder.path, 'compiled'), ['.']);
});
afterEach(() => replica?.killAtOnce());
afterAll(() => folder.remove());

async function started(log: string, leaveMs: number): Promise<ReplicaProcess> {
  replica = new ReplicaProcess({
    name: 'n1',
    port: await freePort(),
    data: join(folder.path, 'data'),
    log,
    entry: join(folder.path, 'compiled', 'main.js'),
    peers: '',
    launcher: [],
    environment: { QUARTET_LEAVE_MS: String(leaveMs) },
  });
  await replica.start();
  return replica;
}

it.each([
  ['SIGTERM', 'SIGINT'],
  ['SIGINT', 'SIGTERM'],
  ['SIGTERM', 'SIGTERM'],
] as const)('stops at %s, and ends itself at once at a second signal, %s', async (first, second) => {
  const log = join(folder.path, `${first} ${second}.log`);
  // Twice as long as this test may take.
  const ending = await started(log, 60_000);
  ending.signal(first);
  await until('it stops', async () => (await readFile(log, 'utf8')).includes(`${first}: stopping`));
  await until('it is gone', () => {
    ending.signal(second);
    return !ending.isRunning;
  });
  expect(await ending.gone()).toEqual({ code: 1, signal: null });
});

it('takes a signal that npm passes on, though the terminal has sent it already, for one', async () => {
  const log = join(folder.path, 'twice.log');
  const ending = await started(log, 500);
  const sentAt = performance.now();
  ending.signal('SIGINT');
  await until('it stops', async () => (await readFile(log, 'utf8')).includes('SIGINT: stopping'));
  ending.signal('SIGINT');
  // A machine that was too slow for that has sent two.
  const isOne = performance.now() - sentAt < 900;
  expect(await ending.gone()).toEqual({ code: isOne ? 0 : expect.any(Number), signal: null });
});
