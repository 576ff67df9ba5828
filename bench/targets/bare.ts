// What can HTTP do here at most, and what can the disk? A server that answers from a Map and does nothing else, and
// LevelDB alone, with commits of groups and nothing before it.

import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChildProcess } from 'node:child_process';
import { SERVER_LAUNCHER } from '../cores.js';
import type { Measurement } from '../load.js';
import { end, start } from '../processes.js';
import type { Sizes } from '../rows.js';
import { HttpTarget, type Dialect } from './http-target.js';
import type { NodeBinary } from './node-binaries.js';
import type { RowId, Target } from './target.js';

export const PLAIN_DIALECT: Dialect = {
  get: (key) => ({ method: 'GET', path: `/v1/kv/${key}` }),
  put: (key, value) => ({ method: 'PUT', path: `/v1/kv/${key}`, body: value }),
  canOverwrite: true,
};

export async function bareServer(sizes: Sizes, node: NodeBinary): Promise<Target> {
  const child = spawnScript('bare-server.ts', node);
  const [port] = (await once(child, 'message')) as [number];
  const server = {
    id: `bare${node.suffix}`,
    title: `bare \`node:http\`, a Map, Node ${node.major}`,
    settings: `Node ${node.version}, nothing on disk`,
    urls: [`http://127.0.0.1:${port}`],
    pids: [child.pid!],
    folders: [],
    stop: () => end(child),
  };
  return new HttpTarget(server, PLAIN_DIALECT, sizes, ['get', 'get-large', 'put', 'mixed']);
}

/** Writers that each wait for their commit before the next write, in the process of the store. */
export async function bareStore(sizes: Sizes, node: NodeBinary): Promise<Target> {
  const folder = await mkdtemp(join(tmpdir(), 'quartet-level-'));
  const child = spawnScript('bare-store.ts', node);
  child.send({ folder, writers: sizes.connections });
  await once(child, 'message');
  return {
    id: 'level',
    title: 'bare LevelDB, without HTTP',
    settings: `classic-level, group commit, fsync, ${sizes.connections} writers in its process, Node ${node.version}`,
    replicas: 1,
    pids: [child.pid!],
    folders: [folder],
    rows: ['put'],
    load: () => Promise.resolve(),
    measure: async (_row: RowId, seconds: number): Promise<Measurement> => {
      child.send({ seconds });
      const [told] = (await once(child, 'message')) as [Measurement];
      return told;
    },
    stop: async () => {
      await end(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function spawnScript(file: string, { path }: NodeBinary): ChildProcess {
  return start([...SERVER_LAUNCHER, path, '--import', 'tsx', join(import.meta.dirname, file)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
}
