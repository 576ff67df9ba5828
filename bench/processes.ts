// How do server and generator keep out of each other's way? Each has a core, where the system lets one choose.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Load, Measurement } from './load.js';

export const ARE_CORES_CHOSEN = availableParallelism() > 1 && spawnSync('taskset', ['-c', '0', 'true']).status === 0;

export const SERVER_LAUNCHER = ARE_CORES_CHOSEN ? ['taskset', '-c', '0'] : [];
const GENERATOR_LAUNCHER = ARE_CORES_CHOSEN ? ['taskset', '-c', '1'] : [];

const CLOCK_TICKS_PER_SECOND = 100;

export async function startBareServer(): Promise<{ url: string; pid: number; stop(): void }> {
  const child = spawnScript('bare-server.ts', SERVER_LAUNCHER);
  const [port] = (await once(child, 'message')) as [number];
  return { url: `http://127.0.0.1:${port}`, pid: child.pid!, stop: () => void child.kill() };
}

export async function generate(load: Load): Promise<Measurement> {
  const child = spawnScript('generator.ts', GENERATOR_LAUNCHER);
  child.send(load);
  const failed = once(child, 'exit').then(([code]) => {
    throw new Error(`the generator ended with status ${code}; see above`);
  });
  const [measurement] = (await Promise.race([once(child, 'message'), failed])) as [Measurement];
  failed.catch(() => {});
  return measurement;
}

/** Processor time that a process has had so far, all threads, in seconds. */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND;
}

function spawnScript(file: string, launcher: readonly string[]): ChildProcess {
  const [command, ...rest] = [...launcher, process.execPath, '--import', 'tsx', join(import.meta.dirname, file)];
  return spawn(command!, rest, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}
