// PouchDB Server: the nearest relative, a replicating store in JavaScript on LevelDB, over HTTP.

import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../test/support/process-cluster.js';
import { until } from '../../test/support/until.js';
import { SERVER_LAUNCHER } from '../cores.js';
import { end, start } from '../processes.js';
import type { Sizes } from '../rows.js';
import { HttpTarget, type Dialect } from './http-target.js';
import { PEERS, type NodeBinary } from './node-binaries.js';
import type { Target } from './target.js';

const PACKAGE = join(PEERS, 'pouchdb-server');
const JSON_TYPE = { 'Content-Type': 'application/json' };

const DIALECT: Dialect = {
  get: (key) => ({ method: 'GET', path: `/bench/${key}` }),
  put: (key, value) => ({ method: 'PUT', path: `/bench/${key}`, headers: JSON_TYPE, body: JSON.stringify({ value }) }),
  // A document is written again only by who names its revision.
  canOverwrite: false,
};

export function pouchdbVersion(): string | undefined {
  if (!existsSync(PACKAGE)) return undefined;
  return (JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8')) as { version: string }).version;
}

export async function pouchdb(sizes: Sizes, node: NodeBinary, version: string): Promise<Target> {
  const folder = await mkdtemp(join(tmpdir(), 'quartet-pouchdb-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const script = join(PACKAGE, 'bin/pouchdb-server');
  const flags = ['--port', String(port), '--host', '127.0.0.1', '--dir', folder, '--no-stdout-logs', '--no-color'];
  const child = start([...SERVER_LAUNCHER, node.path, script, ...flags], { stdio: 'ignore', cwd: folder });
  await until('PouchDB answers', async () => (await fetch(url)).ok);
  await fetch(`${url}/bench`, { method: 'PUT' });
  const server = {
    id: 'pouchdb',
    title: 'PouchDB Server',
    settings: `${version}, Node ${node.version}, defaults: LevelDB without fsync; each PUT makes a document`,
    urls: [url],
    pids: [child.pid!],
    folders: [folder],
    stop: async () => {
      await end(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
  return new HttpTarget(server, DIALECT, sizes, ['get', 'get-large', 'put']);
}
