// How do servers and generator keep out of each other's way? Each has a core, where the system lets one choose.

import { spawnSync } from 'node:child_process';
import { availableParallelism, cpus } from 'node:os';

export const ARE_CORES_CHOSEN = availableParallelism() > 1 && spawnSync('taskset', ['-c', '0', 'true']).status === 0;

/** All servers of a run share a core. */
export const SERVER_LAUNCHER: readonly string[] = ARE_CORES_CHOSEN ? ['taskset', '-c', '0'] : [];
export const GENERATOR_LAUNCHER: readonly string[] = ARE_CORES_CHOSEN ? ['taskset', '-c', '1'] : [];

export function describeCores(): string {
  const cores = ARE_CORES_CHOSEN ? 'all servers on core 0, the generator on core 1' : 'cores not chosen';
  return `${cpus()[0]!.model.trim()}, ${availableParallelism()} cores (${cores})`;
}
