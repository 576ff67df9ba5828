// etcd, through its HTTP gateway: strongly consistent, one leader, every write fsynced by a majority before the answer.

import { execFileSync, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../test/support/process-cluster.js';
import { until } from '../../test/support/until.js';
import { SERVER_LAUNCHER } from '../cores.js';
import { end, start } from '../processes.js';
import type { Sizes } from '../rows.js';
import { HttpTarget, type Dialect } from './http-target.js';
import type { Target } from './target.js';

const QUOTA_BYTES = 8 * 2 ** 30;

/** Operations of one transaction; its default is 128. */
const OPERATIONS_MAX = 128;

const DIALECT: Dialect = {
  // Read from the server that is asked, as Quartet does: what etcd calls serializable.
  get: (key) => post('range', { key: base64(key), serializable: true }),
  put: (key, value) => post('put', { key: base64(key), value: base64(value) }),
  putMajority: (key, value) => post('put', { key: base64(key), value: base64(value) }),
  list: (after, count) =>
    post('range', { key: base64(after), range_end: base64('\0'), limit: count, keys_only: true, serializable: true }),
  batch: (keys, value) =>
    post('txn', {
      success: keys.map((key) => ({ requestPut: { key: base64(key), value: base64(value) } })),
    }),
  canOverwrite: true,
};

export function etcdVersion(): string | undefined {
  try {
    return /etcd Version: (\S+)/.exec(execFileSync('etcd', ['--version']).toString())?.[1];
  } catch {
    return undefined;
  }
}

export async function etcd(sizes: Sizes, nodes: number, version: string): Promise<Target> {
  const folder = await mkdtemp(join(tmpdir(), 'quartet-etcd-'));
  const ports: number[] = [];
  for (let i = 0; i < nodes * 2; i++) ports.push(await freePort(ports));
  const names = Array.from({ length: nodes }, (_, i) => `e${i + 1}`);
  const url = (port: number): string => `http://127.0.0.1:${port}`;
  const peers = names.map((name, i) => `${name}=${url(ports[nodes + i]!)}`).join(',');
  const children: ChildProcess[] = names.map((name, i) => {
    const [client, peer] = [url(ports[i]!), url(ports[nodes + i]!)];
    const options = {
      name,
      'data-dir': join(folder, name),
      'listen-client-urls': client,
      'advertise-client-urls': client,
      'listen-peer-urls': peer,
      'initial-advertise-peer-urls': peer,
      'initial-cluster': peers,
      'initial-cluster-state': 'new',
      'quota-backend-bytes': QUOTA_BYTES,
      'max-txn-ops': OPERATIONS_MAX,
      'log-level': 'error',
    };
    const flags = Object.entries(options).map(([flag, value]) => `--${flag}=${value}`);
    return start([...SERVER_LAUNCHER, 'etcd', ...flags], { stdio: 'ignore' });
  });
  const urls = names.map((_, i) => url(ports[i]!));
  await until('etcd answers', async () => {
    const { path, body } = DIALECT.get('any');
    return (await fetch(urls.at(-1)! + path, { method: 'POST', body: body! })).ok;
  });
  const server = {
    id: `etcd-${nodes}`,
    title: `etcd, ${nodes === 1 ? 'one node' : `${nodes} nodes`}`,
    settings: `${version}, HTTP gateway, defaults: fsync by a majority; reads serializable${nodes > 1 ? '; load at all of them' : ''}`,
    urls,
    pids: children.map(({ pid }) => pid!),
    folders: [folder],
    stop: async () => {
      await Promise.all(children.map(end));
      await rm(folder, { recursive: true, force: true });
    },
  };
  const put = nodes === 1 ? 'put' : 'put-majority';
  return new HttpTarget(server, DIALECT, sizes, ['get', 'get-large', put, 'mixed', 'list', 'batch']);
}

function post(what: string, body: object) {
  return { method: 'POST', path: `/v3/kv/${what}`, body: JSON.stringify(body) } as const;
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
