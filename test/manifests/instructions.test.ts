// Can the commands of the README be pasted as they are? Where one fails, nothing may follow that destroys data, or that lets
// clients see a cluster that is not there yet.

import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';

interface Service {
  readonly image: string;
  readonly build?: object;
  readonly profiles?: readonly string[];
  readonly mem_limit: string;
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, null>>;
}

let readme: string;
let compose: Compose;
beforeAll(async () => {
  readme = await readFile('README.md', 'utf8');
  compose = parse(await readFile('docker-compose.yml', 'utf8'), { merge: true }) as Compose;
});

/** The one block of commands with this text in it. */
function blockWith(text: string): string {
  const found = blocks().filter((block) => block.includes(text));
  expect(found).toHaveLength(1);
  return found[0]!;
}

/** Every block of commands, without what is said beside them. */
function blocks(): readonly string[] {
  return [...readme.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block]) => block!.replace(/ +# .*$/gm, ''));
}

/** What a chain of commands does once `quartet check` has taken the snapshot, one after the other; a pipe is one step. */
function stepsOf(block: string): readonly string[] {
  const chain = block.replace(/\(for .* done\)/s, (loop) => loop.replaceAll('\n', ' '));
  const lines = chain.trimEnd().split('\n');
  // No line can be run by itself.
  for (const line of lines.slice(0, -1)) expect(line).toMatch(/(?:&&|\|)$/);
  const [check, ...steps] = chain.split('&&').map((step) => step.replace(/\s+/g, ' ').trim());
  expect(check).toMatch(/^gunzip < snapshot\.ndjson\.gz \| (?:[^|;]+ )?node dist\/cli\/quartet\.js check$/);
  return steps;
}

test('a request that is refused ends its line', () => {
  const deciding = readme.match(/\bcurl\b(?:[^\n&|]|&(?!&))*(?:&&|\| gzip)/g)!;
  expect(deciding.length).toBeGreaterThanOrEqual(3);
  for (const curl of deciding) expect(curl).toContain(' -f ');
});

describe('A backup', () => {
  const END = '{"end":true,"keys":0,"sha256":"0"}\n';
  const WHOLE = `{"quartet":"snapshot","clock":{"n1.one":1}}\n${END}`;

  test.each([
    ['takes the place of the last one when it is whole', true, WHOLE, WHOLE],
    ['does not when its replica is not ready', false, WHOLE, 'last'],
    ['does not when it is refused', true, undefined, 'last'],
    ['does not when it is cut off', true, WHOLE.replace(END, ''), 'last'],
    ['does not when keys were being taken over', true, WHOLE.replace('}}', '},"takingOver":true}'), 'last'],
    ['does not when its replica knew of no write', true, WHOLE.replace('"n1.one":1', ''), 'last'],
  ])('%s', async (_what, isReady, snapshot, left) => {
    const backups = blocks().flatMap((block) => block.match(/^curl \S+ \S+\/readyz &&.*\n(?: .*\n)+/gm) ?? []);
    expect(backups).toHaveLength(2);
    expect(readme.match(/\/v1\/snapshot \|/g)).toHaveLength(2);
    for (const backup of backups) {
      const folder = await mkdtemp(join(tmpdir(), 'quartet-backup-'));
      try {
        // In the place of a replica.
        const curl = `curl() { case "$2" in
          http://127.0.0.1:5000/readyz) ${isReady} ;;
          http://127.0.0.1:5000/v1/snapshot) ${snapshot === undefined ? 'return 22' : 'cat served'} ;;
        esac; }`;
        await writeFile(join(folder, 'served'), snapshot ?? '');
        const last = spawnSync('bash', ['-c', 'printf last | gzip > snapshot.ndjson.gz'], { cwd: folder });
        expect(last.status).toBe(0);
        const { status } = spawnSync('bash', ['-c', `${curl}\n${backup}`], { cwd: folder });
        expect(status === 0).toBe(left !== 'last');
        expect(gunzipSync(await readFile(join(folder, 'snapshot.ndjson.gz'))).toString()).toBe(left);
      } finally {
        await rm(folder, { recursive: true });
      }
    }
  });
});

test('a loop over the replicas ends at the first that fails, and leaves none out', () => {
  const loops = [...readme.matchAll(/\bfor n in ([^;]*); do\b(.*?)\bdone\b/gs)];
  expect(loops.length).toBeGreaterThanOrEqual(2);
  const names = Object.keys(compose.services).filter((name) => compose.services[name]!.profiles === undefined);
  for (const [, listed, body] of loops) {
    expect(listed!.split(' ')).toEqual(names);
    expect(body).toMatch(/\|\| (?:break|exit)\s*;?\s*$/);
  }
});

test('a replica that is run by itself has a name that is the same in the next container', async () => {
  const texts = readme + (await readFile('Dockerfile', 'utf8'));
  const runs = texts.match(/\bdocker run (?!--rm\b).*/g)!;
  expect(runs).toHaveLength(2);
  for (const run of runs) expect(run).toMatch(/ -e QUARTET_NAME=[a-z0-9-]+ /);
});

test('in Kubernetes what is to last is said in files, which the next apply does not undo', () => {
  expect(readme).not.toMatch(/\bset image\b/);
  const scaled = blocks().filter((block) => /\bscale\b/.test(block));
  expect(scaled).toEqual([blockWith('k8s/restore.yaml')]);
  expect(scaled[0]!.match(/\bscale\b/g)).toHaveLength(1);
});

test('compose builds each image once', () => {
  const services = Object.values(compose.services);
  const built = services.filter(({ build }) => build !== undefined).map(({ image }) => image);
  expect(built).toEqual([services[0]!.image]);
});

test('compose has the volumes that the README names', () => {
  const volumes = readme.match(/(?<=docker volume rm )\S+/g)!;
  expect(volumes).toHaveLength(1);
  expect(Object.keys(compose.volumes).map((name) => `quartet_${name}`)).toEqual(expect.arrayContaining(volumes));
});

test('compose ends all that it has started', () => {
  const [, profile] = /docker compose --profile (\S+) up/.exec(readme)!;
  expect(blockWith('docker compose ps')).toContain(`docker compose --profile ${profile} down`);
});

test('compose lets a replica have the memory that it takes under load', () => {
  const [, megabytes] = /up to (\d+) MB under load/.exec(readme)!;
  const [, gigabytes] = /^(\d+)g$/.exec(compose.services['n1']!.mem_limit)!;
  expect(Number(gigabytes) * 2 ** 30).toBeGreaterThan(Number(megabytes) * 1e6);
});

describe('A cluster that is taken back to a snapshot', () => {
  test('is given up only once the snapshot has been checked, while its replicas are still there', () => {
    const destructive = blocks().filter((block) => /down --volumes|delete pvc --selector|mv data\/n\?/.test(block));
    expect(destructive).toHaveLength(3);
    for (const block of destructive) stepsOf(block);
  });

  test('in compose has its restored replica alone until that is ready', () => {
    const steps = stepsOf(blockWith('docker compose run'));
    const [, name] = /--name (\S+)$/.exec(steps.find((step) => step.includes('quartet.js restore'))!)!;
    expect(steps[0]).toBe('docker compose down --volumes');
    expect(steps.slice(2)).toEqual([`docker compose up -d --wait ${name}`, 'docker compose up -d']);
  });

  test('in Kubernetes has its restored replica alone until that is ready, and waits for nothing for ever', () => {
    const steps = stepsOf(blockWith('k8s/restore.yaml'));
    const verbs = steps.map((step) => /\bk (\w+)/.exec(step)![1]);
    expect(verbs).toEqual(['scale', 'delete', 'patch', 'rollout', 'exec', 'patch', 'rollout', 'apply']);
    expect(steps[0]).toContain('--replicas=0');
    expect(steps.at(-1)).toBe('k apply -k k8s/overlays/production');
    expect(steps[4]).toMatch(/ exec -i quartet-0 .* --name quartet-0$/);
    for (const place of [1, 3, 6]) expect(steps[place]).toMatch(/ --timeout=\d+m$/);
    for (const [wait] of readme.matchAll(/\bk wait [^&\n]*/g)) expect(wait).toContain('--timeout=');
  });

  test('by ./run.sh, which starts all at once, is restored into every replica', () => {
    const steps = stepsOf(blockWith('mv data/n?'));
    expect(steps).toHaveLength(5);
    expect(steps[3]).toContain('restore --data data/$n --name $n');
    expect(steps[4]).toBe('./run.sh');
  });

  test('by ./run.sh keeps what it has, and does nothing while one of its replicas answers', () => {
    const steps = stepsOf(blockWith('mv data/n?'));
    expect(steps.slice(0, 3)).toEqual([
      "! curl -s 'http://127.0.0.1:500[0-3]/livez' | grep ok",
      'old=$(mktemp -d data/old-XXXXXX)',
      'mv data/n? "$old"',
    ]);
    expect(readme).not.toMatch(/\brm -r data/);
  });
});
