// Does the cluster of docker-compose.yml keep its promises, as containers that are killed, cut off, emptied and replaced?

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { inParallel } from '../support/process-parallel.js';
import { until } from '../support/until.js';
import { BASE, buildImage, ComposeCluster, IMAGE, JOINER, NAMES, type Name } from './compose-cluster.js';
import { startLoad } from './load.js';
import { run, shown, tell } from './shell.js';

const BUILD_MS_MAX = 900_000;
const TEST_MS_MAX = 120_000;

const READY_SECONDS_MAX = 10;
/** The disk may be busy with the image just built, and the machine with others; neither makes a replica faster. */
const READY_ATTEMPTS = 3;
const IMAGE_ABOVE_BASE_BYTES_MAX = 60e6;
const IDLE_MEMORY_BYTES_MAX = 150e6;

let cluster: ComposeCluster;
let readySeconds = Infinity;

beforeAll(async () => {
  await buildImage();
  cluster = await ComposeCluster.create();
  for (let attempt = 1; attempt <= READY_ATTEMPTS && readySeconds >= READY_SECONDS_MAX; attempt++) {
    if (attempt > 1) await cluster.down();
    const startedAt = performance.now();
    try {
      await shown('compose up', () => cluster.up());
      await cluster.untilReady(...NAMES);
    } catch (error) {
      tell(await cluster.logs());
      throw error;
    }
    readySeconds = (performance.now() - startedAt) / 1000;
    tell(`from up to four ready: ${readySeconds.toFixed(1)} s`);
  }
}, BUILD_MS_MAX);

afterAll(() => cluster?.remove(), TEST_MS_MAX);

describe('The image', () => {
  test(`is at most ${IMAGE_ABOVE_BASE_BYTES_MAX / 1e6} MB larger than its base`, async () => {
    const bytesOf = async (image: string): Promise<number> =>
      Number(await run(['docker', 'image', 'inspect', '--format', '{{.Size}}', image]));
    const above = (await bytesOf(IMAGE)) - (await bytesOf(BASE));
    tell(`image: ${(above / 1e6).toFixed(1)} MB above its base`);
    expect(above).toBeLessThanOrEqual(IMAGE_ABOVE_BASE_BYTES_MAX);
  });

  test('runs as nobody special, cannot write to its root, and holds production packages only', async () => {
    const probe = `
      const { existsSync, writeFileSync } = require('node:fs');
      const writes = (path) => { try { writeFileSync(path, ''); return true; } catch { return false; } };
      console.log(JSON.stringify({
        uid: process.getuid(), gid: process.getgid(),
        writable: ['/quartet/dist/main.js', '/quartet/x', '/etc/x', require('node:os').tmpdir() + '/x', '/x'].filter(writes),
        development: ['jest', 'typescript', '@swc/core', 'eslint'].filter((name) => existsSync('/quartet/node_modules/' + name)),
      }));`;
    const container = await cluster.container('n1');
    const found = JSON.parse(await run(['docker', 'exec', container, 'node', '-e', probe]));
    expect(found).toEqual({ uid: 1000, gid: 1000, writable: [], development: [] });
    expect(await cluster.docker('n1', 'inspect', '--format', '{{.HostConfig.ReadonlyRootfs}}')).toBe('true');
  });
});

describe('Four containers', () => {
  test(`are ready within ${READY_SECONDS_MAX} s of compose up, at best of ${READY_ATTEMPTS} times`, () => {
    expect(readySeconds).toBeLessThan(READY_SECONDS_MAX);
  });

  test(
    `take less than ${IDLE_MEMORY_BYTES_MAX / 1e6} MB each when idle, and become healthy`,
    async () => {
      await shown('waiting for the health checks', async () => {
        for (const name of NAMES) await untilHealthy(name);
      });
      for (const name of NAMES) {
        const bytes = bytesOf(await cluster.docker(name, 'stats', '--no-stream', '--format', '{{.MemUsage}}'));
        tell(`${name}: ${(bytes / 1e6).toFixed(1)} MB idle`);
        expect(bytes).toBeLessThan(IDLE_MEMORY_BYTES_MAX);
      }
    },
    TEST_MS_MAX,
  );

  test(
    'show everywhere what was written anywhere',
    async () => {
      for (const name of NAMES) await writeAll(name, `everywhere/${name}`, 50);
      expect(await cluster.untilLevel()).toBe(200);
    },
    TEST_MS_MAX,
  );

  test(
    'go on without one that was killed, which keeps what it had acknowledged, and gets the rest',
    async () => {
      await writeAll('n2', 'kill/before', 100);
      await cluster.docker('n2', 'kill', '--signal', 'KILL');
      await writeAll('n1', 'kill/meanwhile', 100);
      await cluster.docker('n2', 'start');
      await cluster.untilReady('n2');
      await cluster.untilLevel();
      expect(await valuesAt('n2', 'kill/before')).toBe(100);
      expect(await valuesAt('n2', 'kill/meanwhile')).toBe(100);
    },
    TEST_MS_MAX,
  );

  test.each([{ away: ['n4'] }, { away: ['n3', 'n4'] }] as const)(
    'of which $away lost the network take writes on all sides, and agree when it is back',
    async ({ away }) => {
      const key = `cut-${away.length}`;
      await cluster.client('n1').put(`${key}-deleted`, 'before');
      await cluster.untilLevel();
      for (const name of away) await cluster.disconnect(name);
      try {
        for (const name of NAMES) await writeAll(name, `${key}/${name}`, 30);
        await cluster.client('n1').put(key, 'here');
        for (const name of away) await cluster.client(name).put(key, `at ${name}`);
        await cluster.client('n4').delete(`${key}-deleted`);
        expect((await cluster.client('n1').get(key)).body.toString()).toBe('here');
        expect(await valuesAt('n1', `${key}/n4`)).toBe(0);
        expect(await valuesAt('n4', `${key}/n1`)).toBe(0);
      } finally {
        for (const name of away) await cluster.reconnect(name);
      }
      await cluster.untilLevel();
      for (const name of NAMES) {
        const values = (await cluster.client(name).siblings(key)).map(({ value }) => value);
        expect(values).toEqual(['here', ...away.map((gone) => `at ${gone}`).reverse()]);
        expect(await cluster.client(name).siblings(`${key}-deleted`)).toEqual([]);
        for (const writer of NAMES) expect(await valuesAt(name, `${key}/${writer}`)).toBe(30);
      }
    },
    TEST_MS_MAX,
  );

  test(
    'of which one lost its volume refill it',
    async () => {
      await writeAll('n3', 'volume/before', 200);
      const keys = await cluster.untilLevel();
      await cluster.lose('n3');
      await writeAll('n1', 'volume/meanwhile', 100);
      await cluster.up('n3');
      await cluster.untilReady('n3');
      expect(await valuesAt('n3', 'volume/before')).toBe(200);
      expect(await cluster.untilLevel()).toBe(keys + 100);
    },
    TEST_MS_MAX,
  );

  test(
    'are joined by a fifth that lists one of them: it takes over everything and serves; removed, it is forgotten',
    async () => {
      const five = [...NAMES, JOINER] as const;
      await writeAll('n2', 'joined/before', 100);
      const keys = await cluster.untilLevel();
      await untilTrimmed();
      await cluster.join('n1');
      try {
        await cluster.untilReady(JOINER);
        expect(await valuesAt(JOINER, 'joined/before')).toBe(100);
        expect(await metricOf(JOINER, 'quartet_bootstraps_total')).toBe(1);
        await untilMembers(NAMES, five);
        expect(await acksOf(JOINER, 'joined/at-the-fifth')).toBe(5);
        expect(await acksOf('n4', 'joined/at-the-fourth')).toBe(5);
        expect(await cluster.untilLevel(five)).toBe(keys + 2);
        await cluster.docker(JOINER, 'stop', '--time', '30');
      } finally {
        await cluster.dispose(JOINER);
      }
      const removed = await cluster.client('n3').request('DELETE', `/v1/cluster/members/${JOINER}`);
      expect(removed.status).toBe(204);
      await untilMembers(NAMES, NAMES);
      expect(await acksOf('n1', 'joined/after')).toBe(4);
      expect(await cluster.untilLevel()).toBe(keys + 3);
    },
    TEST_MS_MAX,
  );

  test('take what replicas send each other at no published port', async () => {
    for (const name of NAMES) {
      const { status, body } = await cluster.client(name).request('POST', '/put_remote');
      expect(status).toBe(404);
      expect(JSON.parse(body.toString())).toMatchObject({ code: 'NO_SUCH_ROUTE' });
    }
  });

  test(
    'restarted one after another under load lose no request that is tried once more elsewhere',
    async () => {
      const stopLoad = startLoad(NAMES.map((name) => cluster.client(name)));
      try {
        for (const name of NAMES) {
          tell(`restarting ${name}`);
          await shown(`restarting ${name}`, () => cluster.docker(name, 'restart', '--time', '30'));
          await cluster.untilReady(name);
        }
      } finally {
        await stopLoad();
      }
      const { requests, retried, lost, written } = await stopLoad();
      tell(`rolling restart: ${requests} requests, ${retried} tried again, ${lost.length} lost`);
      expect(lost).toEqual([]);
      expect(retried).toBeGreaterThan(0);
      await cluster.untilLevel();
      await inParallel(written, 16, async ([key, value]) => {
        expect((await cluster.client('n1').get(key)).body.toString()).toBe(value);
      });
    },
    TEST_MS_MAX,
  );

  test(
    'end by one signal, with status 0, and go on from where they were',
    async () => {
      const keys = await cluster.untilLevel();
      for (const name of NAMES) await cluster.docker(name, 'stop', '--time', '30');
      for (const name of NAMES) {
        expect(await cluster.docker(name, 'inspect', '--format', '{{.State.ExitCode}}')).toBe('0');
      }
      for (const name of NAMES) await cluster.docker(name, 'start');
      await cluster.untilReady(...NAMES);
      expect(await cluster.untilLevel()).toBe(keys);
    },
    TEST_MS_MAX,
  );
});

async function writeAll(name: Name, prefix: string, count: number): Promise<void> {
  const keys = Array.from({ length: count }, (_, index) => `${prefix}/${index}`);
  await inParallel(keys, 16, async (key) => void (await cluster.client(name).put(key, key)));
}

/** How many keys below `prefix` have their own name as their value there. */
async function valuesAt(name: Name, prefix: string): Promise<number> {
  let count = 0;
  for await (const { key, value } of cluster.client(name).list(`${prefix}/`)) count += Number(key === value);
  return count;
}

/** How many replicas have a key, once all members were waited for. */
async function acksOf(name: Name, key: string): Promise<number> {
  const { body } = await cluster.client(name).request('PUT', `/v1/kv/${encodeURIComponent(key)}?w=all`, { body: key });
  return (JSON.parse(body.toString()) as { acks: number }).acks;
}

async function metricOf(name: Name, metric: string): Promise<number> {
  const { body } = await cluster.client(name).request('GET', '/metrics');
  return Number(new RegExp(`^${metric}\\{node="${name}"\\} (\\S+)$`, 'm').exec(body.toString())?.[1]);
}

/** No log holds anything: whoever lacks something has to take over all keys. */
async function untilTrimmed(): Promise<void> {
  await until('no log has entries', async () => {
    const told = await Promise.all(NAMES.map((name) => cluster.client(name).request('GET', '/v1/cluster')));
    return told.every(({ body }) => (JSON.parse(body.toString()) as { log: { entries: number } }).log.entries === 0);
  });
}

async function untilMembers(names: readonly Name[], members: readonly Name[]): Promise<void> {
  await until(`the members are ${members.join(', ')} everywhere`, async () => {
    const told = await Promise.all(
      names.map(async (name) => (await cluster.client(name).request('GET', '/v1/cluster')).body.toString()),
    );
    return told.every((body) => (JSON.parse(body) as { members: string[] }).members.join() === members.join());
  });
}

async function untilHealthy(name: Name): Promise<void> {
  const end = performance.now() + 40_000;
  let health = '';
  while (performance.now() < end && health !== 'healthy') {
    health = await cluster.docker(name, 'inspect', '--format', '{{.State.Health.Status}}');
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  expect(health).toBe('healthy');
}

/** Of the first figure of `docker stats`, as in `80.55MiB / 512MiB`. */
function bytesOf(usage: string): number {
  const [, figure, unit] = /^([\d.]+)(KiB|MiB|GiB)/.exec(usage)!;
  return Number(figure) * { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 }[unit as 'KiB' | 'MiB' | 'GiB'];
}
