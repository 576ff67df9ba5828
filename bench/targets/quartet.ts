// Quartet itself: replicas as they run in production, the interface that clients have.

import { SERVER_LAUNCHER } from '../cores.js';
import { ProcessCluster } from '../../test/support/process-cluster.js';
import type { Sizes } from '../rows.js';
import { PLAIN_DIALECT } from './bare.js';
import { HttpTarget, type Dialect } from './http-target.js';
import type { NodeBinary } from './node-binaries.js';
import type { RowId } from './target.js';

const JSON_TYPE = { 'Content-Type': 'application/json' };

const DIALECT: Dialect = {
  ...PLAIN_DIALECT,
  putMajority: (key, value) => ({ method: 'PUT', path: `/v1/kv/${key}?w=majority`, body: value }),
  list: (after, count) => ({ method: 'GET', path: `/v1/kv?after=${after}&limit=${count}` }),
  batch: (keys, value) => ({
    method: 'POST',
    path: '/v1/batch',
    headers: JSON_TYPE,
    body: JSON.stringify(keys.map((key) => ({ op: 'put', key, value }))),
  }),
  add: (key) => ({ method: 'POST', path: `/v1/counters/${key}`, headers: JSON_TYPE, body: '{"add":1}' }),
};

export interface QuartetTarget extends HttpTarget {
  readonly cluster: ProcessCluster;
}

export async function quartet(
  sizes: Sizes,
  node: NodeBinary,
  replicas: number,
  launcher = SERVER_LAUNCHER,
): Promise<QuartetTarget> {
  const cluster = await ProcessCluster.start({
    replicas,
    isCuttable: false,
    launcher,
    node: node.path,
  });
  const server = {
    id: `quartet-${replicas}${node.suffix}`,
    title: `Quartet, ${replicas === 1 ? 'one replica' : `${replicas} replicas`}, Node ${node.major}`,
    settings: `Node ${node.version}, defaults: each commit fsynced${replicas > 1 ? ', load at all of them' : ''}`,
    urls: cluster.clients.map(({ url }) => url),
    pids: cluster.replicas.map(({ pid }) => pid),
    folders: [`${cluster.folder}/data`],
    stop: () => cluster.stop(),
  };
  const rows: RowId[] = [
    'get',
    'get-large',
    'put',
    ...(replicas > 1 ? (['put-majority'] as const) : []),
    'mixed',
    'list',
  ];
  for (const [row, path] of [
    ['batch', '/v1/batch'],
    ['counter', '/v1/counters/a'],
  ] as const) {
    // A route that is not there answers 404; one that is there refuses an empty body otherwise.
    if ((await cluster.clients[0]!.request('POST', path, { body: '' })).status !== 404) rows.push(row);
  }
  return Object.assign(new HttpTarget(server, DIALECT, sizes, rows), { cluster });
}
