// Which generator sends the load? wrk where it is installed, else autocannon: the same one for all servers of a run.

import { once } from 'node:events';
import { join } from 'node:path';
import { GENERATOR_LAUNCHER } from '../cores.js';
import type { Load, Measurement } from '../load.js';
import { start } from '../processes.js';
import { generateByWrk, HAS_WRK } from './wrk.js';

export const GENERATOR = HAS_WRK ? 'wrk' : 'autocannon (wrk is not installed; this one is often the limit itself)';

export function generate(load: Load): Promise<Measurement> {
  return HAS_WRK ? generateByWrk(load) : generateByAutocannon(load);
}

async function generateByAutocannon(load: Load): Promise<Measurement> {
  const script = join(import.meta.dirname, 'autocannon-child.ts');
  const child = start([...GENERATOR_LAUNCHER, process.execPath, '--import', 'tsx', script], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const failed = once(child, 'exit').then(([code]) => {
    throw new Error(`the generator ended with status ${code}; see above`);
  });
  child.send(load);
  const [measurement] = (await Promise.race([once(child, 'message'), failed])) as [Measurement];
  failed.catch(() => {});
  return measurement;
}
