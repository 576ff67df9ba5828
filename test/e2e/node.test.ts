// What does a replica tell of itself, to operators and to tools? And how does it start and end?

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { StoreOpenError } from '../../src/store/level/level-store.js';
import { InProcessNode } from '../support/in-process-node.js';
import { ProcessCluster } from '../support/process-cluster.js';
import { ReplicaProcess } from '../support/process-replica.js';
import { RawClient, rawRequest } from '../support/raw-client.js';
import { until } from '../support/until.js';

const JSON_TYPE = { 'Content-Type': 'application/json' };

let node: InProcessNode;
beforeAll(async () => {
  // One peer that is not there: nothing listens on port 1.
  node = await InProcessNode.start({ peers: [{ name: 'n2', url: 'http://127.0.0.1:1', isNamed: true }] });
});
afterAll(() => node.remove());

describe('/v1/cluster', () => {
  it('shows this node, its clock, the members, and how each peer is', async () => {
    await node.write('a', '1');
    await node.write('a', '2');
    const cluster = await node.cluster();
    expect(cluster).toEqual({
      name: 'n1',
      actor: expect.stringMatching(/^n1\.[a-z0-9]{5,16}$/),
      clock: { [cluster.actor]: 2 },
      standing: 'unlisted',
      members: ['n1', 'n2'],
      peers: [
        {
          name: 'n2',
          url: 'http://127.0.0.1:1',
          state: 'unreachable',
          lagDots: 2,
          lagSeconds: expect.any(Number),
          missingDots: 0,
          problem: expect.stringContaining('ECONNREFUSED'),
        },
      ],
      // The peer may lack both.
      log: { entries: 2 },
      catchUp: { isOver: true, missingDots: 0, bootstrapsFrom: null },
    });
  });

  it('counts no log entries in a replica without peers, for nobody will ever need one', async () => {
    const alone = await InProcessNode.start();
    await alone.write('a', '1');
    await until('its log is empty', async () => (await alone.cluster()).log.entries === 0);
    await alone.remove();
  });

  it('shows how long a peer has been behind, which grows', async () => {
    const lag = async () => (await node.cluster()).peers[0]!.lagSeconds;
    await until('the peer is behind', async () => (await lag()) > 0);
    const before = await lag();
    await until('it is further behind', async () => (await lag()) > before);
  });
});

describe('probes', () => {
  it('say that the process is alive and that it serves', async () => {
    for (const path of ['/livez', '/readyz']) {
      const response = await node.request(path);
      expect(response.status).toBe(200);
      expect(response.headers.get('Content-Type')).toBe('text/plain; charset=utf-8');
      expect(response.headers.get('Cache-Control')).toBe('no-store');
      expect(await response.text()).toBe('ok\n');
      expect((await node.request(path, { method: 'HEAD' })).status).toBe(200);
    }
  });

  it('name each check with ?verbose', async () => {
    const lines = (await (await node.request('/readyz?verbose')).text()).trimEnd().split('\n');
    expect(lines).toEqual([
      '[+] member: not as far as it knows: nobody has told of it, and it has no QUARTET_URL to join with',
      '[+] store: open',
      '[+] clock: loaded, 1 actors',
      '[+] caught up: may be behind: no peer has answered',
      '[+] disk: has room',
      '[+] running: yes',
    ]);
  });

  it('say whether the replica is a member yet', async () => {
    const saying = async (isNamed: boolean): Promise<string> => {
      const peers = [{ name: 'n2', url: 'http://127.0.0.1:1', isNamed }];
      const newcomer = await InProcessNode.start({ url: 'http://127.0.0.1:2', peers });
      try {
        await until('it has tried', async () => (await newcomer.cluster()).peers[0]!.problem !== null);
        return (await newcomer.readiness()).checks['member']!;
      } finally {
        await newcomer.remove();
      }
    };
    expect(await saying(true)).toMatch(/^\+ not yet: /);
    expect(await saying(false)).toMatch(/^\+ not known: /);
  });

  it('turn red as soon as the replica is about to stop, while it still answers', async () => {
    const leaving = await InProcessNode.start();
    const client = await RawClient.connect(leaving.port);
    // A request under way keeps its connection open.
    client.send('PUT /v1/kv/a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n');
    expect((await client.response()).status).toBe(100);
    const stopped = leaving.stop();
    client.send(`last${rawRequest('GET', '/readyz?verbose')}`);
    expect((await client.response()).status).toBe(201);
    const readiness = await client.response();
    expect(readiness.status).toBe(503);
    expect(readiness.body).toMatch(/^\[-\] running: shutting down$/m);
    client.leave();
    await stopped;
    await leaving.restart();
    expect(await (await leaving.get('a')).text()).toBe('last');
    await leaving.remove();
  });
});

describe('/metrics', () => {
  it('has the figures of this node in the format of Prometheus', async () => {
    const response = await node.request('/metrics');
    expect(response.status).toBe(200);
    expect(response.headers.get('Content-Type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const text = await response.text();
    for (const line of text
      .trimEnd()
      .split('\n')
      .filter((each) => each !== '')) {
      expect(line).toMatch(/^(# (HELP|TYPE) [a-zA-Z_:]\w* .+|[a-zA-Z_:]\w*\{.*node="n1".*\} (\S+))$/);
    }
    const { actor } = await node.cluster();
    expect(text).toContain(`quartet_clock{actor="${actor}",node="n1"} 2`);
    expect(text).toMatch(/^quartet_peer_up\{(?=[^}]*peer="n2")[^}]*\} 0$/m);
    expect(text).toMatch(/^quartet_peer_failures_total\{(?=[^}]*peer="n2")[^}]*\} [1-9]/m);
    expect(text).toMatch(/^quartet_log_entries\{[^}]*\} 2$/m);
    expect(text).toMatch(/^quartet_catch_up_missing_dots\{[^}]*\} 0$/m);
    expect(text).toMatch(/^quartet_bootstrapping\{[^}]*\} 0$/m);
    expect(text).toMatch(/^quartet_disk_free_bytes\{[^}]*\} [1-9]/m);
    expect(text).toMatch(/^process_cpu_seconds_total/m);
  });

  it('count answers by route, method and status, whoever takes the request, and how soon they began', async () => {
    const counted = await InProcessNode.start({ name: 'counted' });
    const requests: readonly (readonly [string, string, string | undefined, number])[] = [
      ['PUT', '/v1/kv/a', 'one', 201],
      ['GET', '/v1/kv/a', undefined, 200],
      ['GET', '/v1/kv/a?resolve=latest', undefined, 200],
      ['HEAD', '/v1/kv/a', undefined, 200],
      ['GET', '/v1/kv/b', undefined, 404],
      // Not a plain request.
      ['GET', '/v1/kv/%C3%A4?w=1', undefined, 400],
      ['GET', '/v1/kv?limit=1', undefined, 200],
      ['GET', '/v1/kvetch', undefined, 404],
      ['PATCH', '/v1/maps/m', '{"set":{"f":1}}', 201],
      ['PATCH', '/put', undefined, 405],
      ['PURGE', '/v1/cluster', undefined, 405],
    ];
    for (const [method, path, body, status] of requests) {
      expect([
        path,
        (await counted.request(path, { method, ...(body !== undefined && { body, headers: JSON_TYPE }) })).status,
      ]).toEqual([path, status]);
    }
    const shown = (await (await counted.request('/metrics')).text()).split('\n');
    const NAME = 'quartet_http_request_duration_seconds';
    const counts = shown.filter((line) => line.startsWith(`${NAME}_count`));
    expect(counts.map((line) => line.slice(NAME.length + 6).replace('node="counted",', '')).sort()).toEqual([
      '{route="/put",method="PATCH",code="405"} 1',
      '{route="/v1/cluster",method="other",code="405"} 1',
      '{route="/v1/kv",method="GET",code="200"} 1',
      '{route="/v1/kv/{key}",method="GET",code="200"} 2',
      '{route="/v1/kv/{key}",method="GET",code="400"} 1',
      '{route="/v1/kv/{key}",method="GET",code="404"} 1',
      '{route="/v1/kv/{key}",method="HEAD",code="200"} 1',
      '{route="/v1/kv/{key}",method="PUT",code="201"} 1',
      '{route="/v1/maps/{key}",method="PATCH",code="201"} 1',
      '{route="other",method="GET",code="404"} 1',
    ]);
    const figures = (suffix: string) =>
      shown
        .filter(
          (line) => line.startsWith(NAME + suffix) && /route="\/v1\/kv\/\{key\}",method="GET",code="200"/.test(line),
        )
        .map((line) => Number(line.split(' ').at(-1)));
    const buckets = figures('_bucket');
    expect(buckets.length).toBeGreaterThan(10);
    expect(buckets).toEqual([...buckets].sort((one, other) => one - other));
    expect(buckets.at(-1)).toBe(2);
    expect(figures('_sum')[0]).toBeGreaterThan(0);
    await counted.remove();
  });

  it('say whether the node is ready', async () => {
    expect(await node.metric('quartet_ready')).toBe(Number((await node.readiness()).isReady));
  });

  it('are each node’s own, with several in one process', async () => {
    const other = await InProcessNode.start({ name: 'other' });
    const text = await (await other.request('/metrics')).text();
    expect(text).toContain('node="other"');
    expect(text).not.toContain('node="n1"');
    await other.remove();
  });
});

describe('the description of the interface', () => {
  interface Parameter {
    readonly in: string;
    readonly name: string;
    readonly required?: boolean;
    readonly description: string;
    readonly schema: { readonly type: string };
  }
  interface Operation {
    readonly operationId: string;
    readonly summary: string;
    readonly parameters?: readonly Parameter[];
    readonly responses: Readonly<Record<string, { readonly description: string }>>;
  }
  interface Description {
    readonly openapi: string;
    readonly info: { readonly title: string; readonly version: string };
    readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  }
  let description: Description;
  let operations: { method: string; path: string; operation: Operation }[];

  beforeAll(async () => {
    const response = await node.request('/openapi.json');
    expect(response.headers.get('Content-Type')).toMatch(/^application\/json/);
    description = (await response.json()) as Description;
    operations = Object.entries(description.paths).flatMap(([path, methods]) =>
      Object.entries(methods)
        // Like its GET.
        .filter(([method]) => method !== 'head')
        .map(([method, operation]) => ({ method, path, operation })),
    );
  });

  it('is an OpenAPI 3 document', () => {
    expect(description.openapi).toMatch(/^3\.\d+\.\d+$/);
    expect(description.info).toMatchObject({ title: 'Quartet', version: expect.any(String) });
    expect(new Set(operations.map(({ operation }) => operation.operationId)).size).toBe(operations.length);
    for (const { method, path, operation } of operations) {
      expect(path).toMatch(/^\//);
      expect(['get', 'put', 'post', 'delete', 'patch']).toContain(method);
      expect(operation.summary).toMatch(/\S/);
      const parameters = operation.parameters ?? [];
      expect(new Set(parameters.map((each) => `${each.in} ${each.name.toLowerCase()}`)).size).toBe(parameters.length);
      for (const parameter of parameters) {
        expect(['path', 'query', 'header']).toContain(parameter.in);
        expect(parameter.description).toMatch(/\S/);
        expect(parameter.schema.type).toMatch(/^(string|integer|boolean)$/);
        if (parameter.in === 'path') expect(parameter.required).toBe(true);
      }
      const inPath = parameters.filter((each) => each.in === 'path').map((each) => each.name);
      expect(inPath).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
      expect(Object.keys(operation.responses).some((status) => status.startsWith('2'))).toBe(true);
      for (const [status, response] of Object.entries(operation.responses)) {
        expect(status).toMatch(/^[2-5]\d\d$/);
        expect(response.description).toMatch(/\S/);
      }
    }
  });

  it('lists exactly the query parameters that each route says it takes', async () => {
    for (const { method, path, operation } of operations) {
      if (/^\/(docs|openapi|put_remote)/.test(path)) continue;
      const url = path.replace('{key}', 'a').replace('{name}', 'n9');
      const response = await node.request(`${url}?nonsense=1`, { method: method.toUpperCase() });
      const { detail } = (await response.json()) as { readonly detail: string };
      const taken = /there are: (.*)$/.exec(detail)?.[1]?.split(', ') ?? [];
      const listed = (operation.parameters ?? []).filter((each) => each.in === 'query').map(({ name }) => name);
      expect({ method, path, taken: taken.filter((each) => each !== 'none').sort() }).toEqual({
        method,
        path,
        taken: listed.sort(),
      });
    }
  });

  it('agrees with what each path says it takes', async () => {
    for (const [path, methods] of Object.entries(description.paths)) {
      if (/^\/(docs|openapi)/.test(path)) continue;
      const response = await node.request(path.replace('{key}', 'a'), { method: 'OPTIONS' });
      expect(response.status).toBe(405);
      const allowed = response.headers.get('Allow')!.toLowerCase().split(', ');
      expect(allowed.sort()).toEqual(Object.keys(methods).sort());
    }
  });

  it('is a page for people at /docs, which loads nothing from elsewhere', async () => {
    const response = await node.request('/docs');
    expect(response.status).toBe(200);
    expect(response.headers.get('Content-Type')).toMatch(/^text\/html/);
    const html = await response.text();
    expect(html).toMatch(/<html/);
    const assets = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, asset]) => asset!);
    expect(assets.length).toBeGreaterThan(1);
    for (const asset of assets) {
      expect(asset).not.toMatch(/^(https?:)?\/\//);
      const loaded = await node.request(new URL(asset, `${node.url}/docs`).pathname);
      expect(loaded.status).toBe(200);
      await loaded.arrayBuffer();
    }
  });
});

describe('a replica that starts', () => {
  it('goes on with what was on its disk: values, clock and actor', async () => {
    const before = await node.cluster();
    await node.restart();
    const after = await node.cluster();
    expect([after.actor, after.clock]).toEqual([before.actor, before.clock]);
    expect(await (await node.get('a')).text()).toBe('2');
  });

  it('is another actor with an empty disk', async () => {
    const other = await InProcessNode.start();
    expect((await other.cluster()).actor).not.toBe((await node.cluster()).actor);
    await other.remove();
  });

  it('refuses a folder that another replica has open, and says so', async () => {
    await expect(InProcessNode.start({ data: node.config.data })).rejects.toThrow(StoreOpenError);
    await expect(InProcessNode.start({ data: node.config.data })).rejects.toThrow(/in use by another process/);
    expect((await node.get('a')).status).toBe(200);
  });

  it('refuses a folder that cannot be one', async () => {
    await mkdir(node.config.data, { recursive: true });
    await writeFile(`${node.config.data}/file`, '');
    await expect(InProcessNode.start({ data: `${node.config.data}/file` })).rejects.toThrow();
  });

  it('refuses the data of a replica with another name', async () => {
    const owner = await InProcessNode.start({ name: 'owner' });
    await owner.write('a', 'mine');
    await owner.stop();
    await expect(owner.restart({ name: 'thief' })).rejects.toThrow(StoreOpenError);
    // It has let go of the folder.
    await owner.restart();
    expect(await (await owner.get('a')).text()).toBe('mine');
    await owner.remove();
  });

  it('tells whoever gave it the data of a replica with another name, in one line, what to do', async () => {
    const cluster = await ProcessCluster.create({ replicas: 1 });
    try {
      const [owner] = cluster.replicas;
      await owner!.start();
      await owner!.kill('SIGTERM');
      const log = join(cluster.folder, 'thief.log');
      const thief = new ReplicaProcess({ ...owner!.setup, name: 'thief', log });
      await expect(thief.start()).rejects.toThrow('ended before it was ready');
      expect(await thief.gone()).toEqual({ code: 1, signal: null });
      const said = await readFile(log, 'utf8');
      const { data } = owner!.setup;
      expect(said).toBe(
        `the data folder ${data} is of n1, and this replica is thief: set QUARTET_NAME=n1 or choose another folder\n`,
      );
    } finally {
      await cluster.stop();
    }
  });

  it('tells whoever gave it an address that is not there, in one line, what to do', async () => {
    const cluster = await ProcessCluster.create({
      replicas: 1,
      environmentOf: () => ({ QUARTET_HOST: '192.0.2.1', QUARTET_CLUSTER_SECRET: 'a secret of this test' }),
    });
    try {
      const [stray] = cluster.replicas;
      await expect(stray!.start()).rejects.toThrow('ended before it was ready');
      expect(await stray!.gone()).toEqual({ code: 1, signal: null });
      expect(await readFile(stray!.setup.log, 'utf8')).toMatch(/^QUARTET_HOST=192\.0\.2\.1 is no address .*\n$/);
    } finally {
      await cluster.stop();
    }
  });

  it('refuses a port that is taken, and leaves its data to the next attempt', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const second = await InProcessNode.start();
    const { port } = taken.address() as AddressInfo;
    await expect(second.restart({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await second.restart();
    expect((await second.request('/readyz')).status).toBe(200);
    await second.remove();
    await new Promise((resolve) => taken.close(resolve));
  });
});

describe('a replica that stops', () => {
  it('has on its disk what it has acknowledged, and acknowledges what it has taken', async () => {
    const stopping = await InProcessNode.start();
    const writes = Array.from({ length: 30 }, (_, i) =>
      stopping.put(`key ${i}`, 'value').then(
        (response) => response.status,
        () => undefined,
      ),
    );
    await writes[0];
    await stopping.stop();
    const statuses = await Promise.all(writes);
    await stopping.restart();
    for (const [i, status] of statuses.entries()) {
      if (status !== undefined) expect((await stopping.get(`key ${i}`)).status).toBe(200);
    }
    await stopping.remove();
  });

  it('takes no connections any more', async () => {
    const stopping = await InProcessNode.start();
    const { url } = stopping;
    await stopping.stop();
    await expect(fetch(`${url}/livez`)).rejects.toThrow();
    await stopping.remove();
  });
});
