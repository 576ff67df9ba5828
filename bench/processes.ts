// What do processes cost, and how are the ones of a benchmark started and ended?

import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

const CLOCK_TICKS_PER_SECOND = 100;
const END_MS_MAX = 5000;

const running = new Set<ChildProcess>();
process.once('exit', () => running.forEach((child) => child.kill('SIGKILL')));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

/** A process that ends at the latest with this one. */
export function start(command: readonly string[], options: SpawnOptions): ChildProcess {
  const [program, ...rest] = command;
  const child = spawn(program!, rest, options);
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const kill = setTimeout(() => child.kill('SIGKILL'), END_MS_MAX);
  await exited;
  clearTimeout(kill);
}

/** They stand still until they are resumed. */
export function suspend(pids: readonly number[]): void {
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
}

/** Those that have ended meanwhile stay so. */
export function resume(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGCONT');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

/** Processor time that the processes have had so far, all threads, in seconds. */
export function cpuSeconds(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks / CLOCK_TICKS_PER_SECOND;
}

/** The most memory that the processes have had resident at one time each, in bytes. */
export function peakBytes(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + statusBytes(pid, 'VmHWM'), 0);
}

/** What the processes have resident now, in bytes. */
export function residentBytes(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + statusBytes(pid, 'VmRSS'), 0);
}

/** What the processes have had from disks so far, in bytes. */
export function readBytes(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const io = readFileSync(`/proc/${pid}/io`, 'utf8');
    return sum + Number(/^read_bytes: (\d+)$/m.exec(io)![1]);
  }, 0);
}

/** What the folders take of the disk, in whole blocks, as `du` counts. */
export async function diskBytes(folders: readonly string[]): Promise<number> {
  let bytes = 0;
  for (const folder of folders) {
    for (const file of await readdir(folder, { recursive: true })) {
      // A compaction may remove it meanwhile.
      const found = await stat(join(folder, file)).catch(() => undefined);
      bytes += (found?.blocks ?? 0) * 512;
    }
  }
  return bytes;
}

function statusBytes(pid: number, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)![1]) * 1024;
}
