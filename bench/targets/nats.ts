// NATS, JetStream's key-value store, through its client for Node: the generator is a process with that client.

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../test/support/process-cluster.js';
import { until } from '../../test/support/until.js';
import { GENERATOR_LAUNCHER, SERVER_LAUNCHER } from '../cores.js';
import type { Measurement } from '../load.js';
import { end, start } from '../processes.js';
import type { Sizes } from '../rows.js';
import { PEERS } from './node-binaries.js';
import { canConnect } from './redis.js';
import type { RowId, Target } from './target.js';

export interface NatsOrder {
  /** Where the client is. */
  readonly client: string;
  readonly port: number;
  readonly keys: readonly string[];
  readonly bytes: number;
  readonly connections: number;
  /** `load`: each key once. */
  readonly what: 'load' | 'get' | 'put';
  readonly seconds: number;
}

const CLIENT = join(PEERS, 'nats/index.js');

/** Undefined when the server or its client is not installed. */
export function natsVersion(): string | undefined {
  try {
    const version = /v(\d\S*)/.exec(execFileSync('nats-server', ['--version']).toString())?.[1];
    return existsSync(CLIENT) ? version : undefined;
  } catch {
    return undefined;
  }
}

export async function nats(sizes: Sizes, version: string): Promise<Target> {
  const folder = await mkdtemp(join(tmpdir(), 'quartet-nats-'));
  const port = await freePort();
  const child = start(
    [...SERVER_LAUNCHER, 'nats-server', '-js', '-sd', folder, '-a', '127.0.0.1', '-p', String(port)],
    {
      stdio: 'ignore',
    },
  );
  await until('nats answers', () => canConnect(port));
  const { keys, bytes, connections } = sizes;

  async function run(what: NatsOrder['what'], seconds: number): Promise<Measurement> {
    const script = join(import.meta.dirname, 'nats-generator.ts');
    const generator = start([...GENERATOR_LAUNCHER, process.execPath, '--import', 'tsx', script], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const order: NatsOrder = { client: CLIENT, port, keys, bytes, connections, what, seconds };
    generator.send(order);
    const failed = once(generator, 'exit').then(() => {
      throw new Error('the generator for nats ended; see above');
    });
    const [told] = (await Promise.race([once(generator, 'message'), failed])) as [Measurement];
    failed.catch(() => {});
    return told;
  }

  return {
    id: 'nats',
    title: 'NATS JetStream KV',
    settings: `${version}, file storage, its own protocol; it fsyncs every two minutes, not before the answer`,
    replicas: 1,
    pids: [child.pid!],
    folders: [folder],
    rows: ['get', 'put'],
    load: async () => void (await run('load', 0)),
    measure: (row: RowId, seconds: number) => run(row === 'get' ? 'get' : 'put', seconds),
    stop: async () => {
      await end(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
