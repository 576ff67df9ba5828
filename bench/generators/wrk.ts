// Who sends the requests, where it is installed? wrk: it costs a tenth of what a generator in JavaScript does, so that it
// is seldom the limit, and it is not ours.

import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GENERATOR_LAUNCHER } from '../cores.js';
import { RefusedError, type HttpRequest, type Load, type Measurement } from '../load.js';
import { cpuSeconds, start } from '../processes.js';

const SCRIPT = join(import.meta.dirname, 'wrk.lua');

/** It never lasts so long: it is ended when all is loaded. */
const LOAD_SECONDS_MAX = 3600;

/** wrk's own two seconds are a failure that says nothing of the server, where many processes share a core. */
const TIMEOUT_SECONDS = '10';

export const HAS_WRK = spawnSync('wrk', ['-v']).error === undefined;

interface Told {
  readonly requests: number;
  readonly micros: number;
  readonly bytes: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly failed: number;
  readonly refused: number;
}

export async function generateByWrk(load: Load): Promise<Measurement> {
  const folder = await mkdtemp(join(tmpdir(), 'quartet-wrk-'));
  try {
    const file = join(folder, 'requests');
    await writeFile(
      file,
      load.requests
        .map(raw)
        .map((request) => `${request}\0`)
        .join(''),
    );
    return await run(load, file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function run({ urls, connections, seconds, mayRefuse = false }: Load, file: string): Promise<Measurement> {
  const mode = seconds === undefined ? ['once'] : [];
  const duration = String(seconds ?? LOAD_SECONDS_MAX);
  const count = ['-t', String(urls.length), '-c', String(connections), '-d', duration, '--timeout', TIMEOUT_SECONDS];
  const child = start([...GENERATOR_LAUNCHER, 'wrk', ...count, '-s', SCRIPT, urls[0]!, '--', file, ...mode], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      BENCH_ADDRESSES: urls.map((url) => new URL(url).host).join(','),
      BENCH_THREADS: String(urls.length),
    },
  });
  let output = '';
  let loaded = 0;
  let busySeconds = 0;
  child.stdout!.on('data', (piece: Buffer) => (output += piece.toString()));
  child.stderr!.on('data', (piece: Buffer) => {
    loaded += piece.toString().split('loaded').length - 1;
    if (loaded === urls.length && seconds === undefined) child.kill('SIGINT');
  });
  const watch = setInterval(() => (busySeconds = busySoFar(child.pid!, busySeconds)), 100);
  const [code] = (await once(child, 'exit')) as [number | null];
  clearInterval(watch);
  const json = /JSON(\{.*\})/.exec(output)?.[1];
  if (code !== 0 || json === undefined) throw new Error(`wrk ended with status ${code}: ${output}`);
  return measurementOf(JSON.parse(json) as Told, busySeconds, mayRefuse);
}

function measurementOf(told: Told, busySeconds: number, mayRefuse: boolean): Measurement {
  const { requests, micros, bytes, p50, p99, p999, failed, refused } = told;
  if (failed + (mayRefuse ? 0 : refused) > 0)
    throw new RefusedError(`${failed} failures and ${refused} refusals of ${requests}`);
  return {
    requests,
    seconds: micros / 1e6,
    p50Ms: p50 / 1000,
    p99Ms: p99 / 1000,
    p999Ms: p999 / 1000,
    bytesReceived: bytes,
    generatorBusy: busySeconds / (micros / 1e6),
  };
}

function busySoFar(pid: number, before: number): number {
  try {
    return cpuSeconds([pid]);
  } catch {
    return before;
  }
}

/** As it goes over the connection. */
export function raw({ method, path, headers = {}, body }: HttpRequest): string {
  const length = body === undefined ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`;
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\nHost: bench\r\n${lines.join('')}${length}\r\n${body ?? ''}`;
}
