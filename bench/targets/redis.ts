// Redis, with its own protocol and its own generator: no HTTP, and one request at a time on each connection, as the
// others have it.

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../test/support/process-cluster.js';
import { until } from '../../test/support/until.js';
import { GENERATOR_LAUNCHER, SERVER_LAUNCHER } from '../cores.js';
import { RefusedError, type Measurement } from '../load.js';
import { end, start } from '../processes.js';
import type { Sizes } from '../rows.js';
import type { RowId, Target } from './target.js';

/** Requests of a first try, which tells how many fill the time. */
const TRIED = 5000;

export function redisVersion(): string | undefined {
  try {
    execFileSync('redis-benchmark', ['--version']);
    return /v=(\S+)/.exec(execFileSync('redis-server', ['--version']).toString())?.[1];
  } catch {
    return undefined;
  }
}

export async function redis(sizes: Sizes, version: string): Promise<Target> {
  const folder = await mkdtemp(join(tmpdir(), 'quartet-redis-'));
  const port = await freePort();
  const flags = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--loglevel', 'warning'];
  const child = start(
    [...SERVER_LAUNCHER, 'redis-server', ...flags, '--appendonly', 'yes', '--appendfsync', 'always'],
    {
      stdio: 'ignore',
    },
  );
  await until('redis answers', () => canConnect(port));
  const { connections } = sizes;
  const rates = new Map<string, number>();

  async function run(command: readonly string[], requests: number): Promise<Measurement> {
    const options = ['-h', '127.0.0.1', '-p', String(port), '-c', String(connections), '-n', String(requests), '--csv'];
    const keys = ['-r', String(sizes.keys.length)];
    const generator = start([...GENERATOR_LAUNCHER, 'redis-benchmark', ...options, ...keys, ...command], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    generator.stdout!.on('data', (piece: Buffer) => (output += piece.toString()));
    const [code] = (await once(generator, 'exit')) as [number];
    // The last line: "test","rps","avg","min","p50","p95","p99","max", in milliseconds.
    const cells = (output.trim().split('\n').at(-1) ?? '').split('","').map((cell) => cell.replaceAll('"', ''));
    const [rate, p50Ms, p99Ms] = [Number(cells.at(-7)), Number(cells.at(-4)), Number(cells.at(-2))];
    if (code !== 0 || !(rate > 0)) throw new RefusedError(`redis-benchmark: ${output}`);
    return {
      requests,
      seconds: requests / rate,
      p50Ms,
      p99Ms,
      p999Ms: undefined,
      bytesReceived: undefined,
      generatorBusy: 0,
    };
  }

  return {
    id: 'redis',
    title: 'Redis',
    settings: `${version}, appendfsync always, its own protocol, not pipelined, redis-benchmark`,
    replicas: 1,
    pids: [child.pid!],
    folders: [folder],
    rows: ['get', 'put'],
    load: async () => void (await run(['SET', 'key:__rand_int__', 'v'.repeat(sizes.bytes)], sizes.keys.length * 2)),
    measure: async (row: RowId, seconds: number) => {
      const command =
        row === 'get' ? ['GET', 'key:__rand_int__'] : ['SET', 'key:__rand_int__', 'v'.repeat(sizes.bytes)];
      if (!rates.has(row)) {
        const tried = await run(command, TRIED);
        rates.set(row, tried.requests / tried.seconds);
      }
      return run(command, Math.ceil(rates.get(row)! * seconds));
    },
    stop: async () => {
      await end(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
