// Does the one command of the README work? It runs in a folder of its own: it builds, and a build in the project's folder
// would take the ground from under other tests.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, cp, mkdtemp, readdir, readFile, readlink, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { LevelStore } from '../../src/store/level/level-store.js';
import { ReplicaClient } from '../support/process-client.js';
import { freePort } from '../support/process-cluster.js';
import { put } from '../support/store-changes.js';
import { until } from '../support/until.js';

const PROJECT = resolve(import.meta.dirname, '../..');
const COPIED = ['run.sh', 'package.json', 'package-lock.json', 'nest-cli.json', '.swcrc', 'tsconfig.json'];

describe('./run.sh', () => {
  let folder: string;
  let data: string;
  let script: ChildProcess;
  let output: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'quartet-run-'));
    for (const name of [...COPIED, 'tsconfig.build.json']) await copyFile(join(PROJECT, name), join(folder, name));
    for (const name of ['src', 'engine']) await cp(join(PROJECT, name), join(folder, name), { recursive: true });
    await symlink(join(PROJECT, 'node_modules'), join(folder, 'node_modules'));
    // Older than what is installed: the script has nothing to install.
    await utimes(join(folder, 'package-lock.json'), 0, 0);
  });

  beforeEach(async () => {
    data = await mkdtemp(join(folder, 'data-'));
    output = '';
  });

  afterEach(async () => {
    signalGroup('SIGKILL');
    // Replicas have sessions of their own, and outlive a script that is killed.
    for (const pid of await processesIn(folder)) process.kill(Number(pid), 'SIGKILL');
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('builds and starts the replicas, says where they are and what it waits for, and stops them all on Ctrl-C', async () => {
    const port = await freePort();
    run(['--replicas', '2', '--port', String(port), '--data', data]);
    await until(
      'the script says so',
      () => script.exitCode !== null || output.includes('2 replicas are ready'),
      30_000,
    );
    expect(output).toContain(`2 replicas are ready: http://127.0.0.1:${port} to :${port + 1}`);
    await buildNoMore();

    const [first, second] = [port, port + 1].map((at) => new ReplicaClient(`http://127.0.0.1:${at}`));
    await first!.put('greeting', 'hello');
    await until('the other has the value', async () => (await second!.get('greeting')).body.toString() === 'hello');
    expect(await refusal(['--port', String(port + 1)])).toMatch(/port \d+ is taken/);
    const elsewhere = ['--port', String(await freePort()), '--data', data, '--fresh'];
    expect(await refusal(elsewhere)).toMatch(/n1 is in use by a running replica/);
    expect((await first!.get('greeting')).body.toString()).toBe('hello');
    first!.close();
    second!.close();

    const removal = await fetch(`http://127.0.0.1:${port}/v1/cluster/members/n2`, { method: 'DELETE' });
    expect(removal.status).toBe(204);
    const readyz = `http://127.0.0.1:${port + 1}/readyz`;
    await until('the other knows that it was removed', async () => (await fetch(readyz)).status === 503);
    await interrupted();
    expect(output).toContain('All replicas have stopped');
    expect(await processesIn(folder)).toEqual([]);
    for (const at of [port, port + 1]) {
      expect(await readFile(join(folder, `out${at}`), 'utf8')).toContain('SIGTERM: stopping');
      await expect(new ReplicaClient(`http://127.0.0.1:${at}`).get('greeting')).rejects.toThrow('ECONNREFUSED');
    }

    // A member that was removed does not become ready.
    run(['--replicas', '2', '--port', String(port), '--data', data]);
    await until('the script says what it waits for', () => output.includes('n2 is not ready yet'), 30_000);
    expect(output).toMatch(/n2 is not ready yet: \[-\] member: removed from the cluster/);
    await interrupted();
  }, 60_000);

  test('says that a member is left out, and nothing that deletes what only that one may have', async () => {
    const port = await freePort();
    const options = ['--port', String(port), '--data', data];
    run(['--replicas', '2', ...options]);
    await until('both are ready', () => output.includes('2 replicas are ready'), 30_000);
    await interrupted();
    run(['--replicas', '1', ...options]);
    await until('it tells of the other', () => output.includes('/v1/cluster/members/n2'), 30_000);
    expect(output).toMatch(/n2 is still a member.* what only it has is lost: .*\n.*lagDots of every peer is 0/);
    expect(output).not.toMatch(/\brm\b/);
    await interrupted();
    expect(await readdir(join(data, 'n2'))).toContain('level');
  }, 60_000);

  test('leaves a database that has no beginning any more as it is, and says what its replica says', async () => {
    const level = join(data, 'n1/level');
    const store = await LevelStore.open(level);
    await store.commit([put('a', 'only this disk has it')]);
    await store.sync();
    await store.close();
    await rm(join(level, 'CURRENT'));
    const left = await readdir(level);
    run(['--replicas', '1', '--port', String(await freePort()), '--data', data]);
    expect(await once(script, 'exit')).toEqual([1, null]);
    expect(output).toMatch(/n1 did not start; .*CURRENT is missing/s);
    expect(await readdir(level)).toEqual(left);
  }, 60_000);

  test('says what is wrong with an option, and starts nothing', async () => {
    run(['--replicas', '17']);
    expect(await once(script, 'exit')).toEqual([2, null]);
    expect(output).toContain('--replicas must be 1 to 16');
  });

  /** It has been seen that it builds, which takes most of a start. */
  async function buildNoMore(): Promise<void> {
    const file = join(folder, 'package.json');
    const manifest = JSON.parse(await readFile(file, 'utf8')) as { scripts: Record<string, string> };
    manifest.scripts['build'] = 'true';
    await writeFile(file, JSON.stringify(manifest));
  }

  /** In a process group of its own, as a terminal runs a command. */
  function run(options: readonly string[]): void {
    script = spawn('./run.sh', options, { cwd: folder, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [script.stdout!, script.stderr!]) {
      stream.on('data', (piece: Buffer) => (output += piece.toString()));
    }
  }

  async function interrupted(): Promise<void> {
    const ended = once(script, 'exit');
    signalGroup('SIGINT');
    expect(await ended).toEqual([0, null]);
  }

  /** What a second call says before it gives up. */
  async function refusal(options: readonly string[]): Promise<string> {
    const second = spawn('./run.sh', ['--replicas', '2', ...options], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    second.stderr.on('data', (piece: Buffer) => (said += piece.toString()));
    expect(await once(second, 'close')).toEqual([2, null]);
    return said;
  }

  function signalGroup(signal: NodeJS.Signals): void {
    if (script.exitCode === null && script.signalCode === null) process.kill(-script.pid!, signal);
  }
});

/** Process ids of everything that has this folder as its working directory. */
async function processesIn(folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => '');
    if (cwd === folder) found.push(pid);
  }
  return found;
}
