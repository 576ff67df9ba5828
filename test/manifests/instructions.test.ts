// Can the commands of the README be pasted as they are? Where one fails, nothing may follow that destroys data, or that lets
// clients see a cluster that is not there yet.

import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';

interface Compose {
  readonly services: Readonly<Record<string, { readonly profiles?: readonly string[]; readonly mem_limit: string }>>;
}

let readme: string;
let compose: Compose;
beforeAll(async () => {
  readme = await readFile('README.md', 'utf8');
  compose = parse(await readFile('docker-compose.yml', 'utf8'), { merge: true }) as Compose;
});

/** The one block of commands with this text in it. */
function blockWith(text: string): string {
  const blocks = [...readme.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block]) => block!);
  const found = blocks.filter((block) => block.includes(text));
  expect(found).toHaveLength(1);
  return found[0]!;
}

/** What a chain of commands does once the snapshot is found to be whole, one after the other; a pipe is one step. */
function stepsOf(chain: string): readonly string[] {
  const lines = chain.trimEnd().split('\n');
  // No line can be run by itself.
  for (const line of lines.slice(0, -1)) expect(line).toMatch(/(?:&&|\|)$/);
  const [check, ...steps] = chain.split('&&').map((step) => step.replace(/\s+/g, ' ').trim());
  expect(check).toBe(`gunzip < snapshot.ndjson.gz | tail -n 1 | grep '"end":true'`);
  return steps;
}

test('a request that is refused ends its line', () => {
  const deciding = readme.match(/\bcurl\b(?:[^\n&|]|&(?!&))*(?:&&|\| gzip)/g)!;
  expect(deciding.length).toBeGreaterThanOrEqual(3);
  for (const curl of deciding) expect(curl).toContain(' -f ');
});

test('a backup that is refused or cut off does not take the place of the last one', () => {
  const backups = readme.match(/.*\/v1\/snapshot \|[^#]*/g)!;
  expect(backups).toHaveLength(2);
  for (const backup of backups) {
    expect(backup.replace(/\s+/g, ' ').trim()).toBe(
      'curl -f http://127.0.0.1:5000/v1/snapshot | gzip > snapshot.new && ' +
        `gunzip < snapshot.new | tail -n 1 | grep '"end":true' && mv snapshot.new snapshot.ndjson.gz`,
    );
  }
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
  const runs = texts.match(/\bdocker run .*/g)!;
  expect(runs).toHaveLength(2);
  for (const run of runs) expect(run).toMatch(/ -e QUARTET_NAME=[a-z0-9-]+ /);
});

test('compose lets a replica have the memory that it takes under load', () => {
  const [, megabytes] = /up to (\d+) MB under load/.exec(readme)!;
  const [, gigabytes] = /^(\d+)g$/.exec(compose.services['n1']!.mem_limit)!;
  expect(Number(gigabytes) * 2 ** 30).toBeGreaterThan(Number(megabytes) * 1e6);
});

describe('A cluster that is taken back to a snapshot', () => {
  test('in compose has its restored replica alone until that is ready', () => {
    const steps = stepsOf(blockWith('docker compose run'));
    const [, name] = /--name (\S+)$/.exec(steps.find((step) => step.includes('quartet.js restore'))!)!;
    expect(steps[0]).toBe('docker compose down --volumes');
    expect(steps.slice(2)).toEqual([`docker compose up -d --wait ${name}`, 'docker compose up -d']);
  });

  test('in Kubernetes has its restored replica alone until that is ready, and waits for nothing for ever', () => {
    const steps = stepsOf(blockWith('k8s/restore.yaml'));
    const verbs = steps.map((step) => /\bk (\w+)/.exec(step)![1]);
    expect(verbs).toEqual(['scale', 'delete', 'patch', 'rollout', 'exec', 'patch', 'rollout', 'scale']);
    expect(steps[0]).toContain('--replicas=0');
    expect(steps.at(-1)).toContain('--replicas=4');
    expect(steps[4]).toMatch(/ exec -i quartet-0 .* --name quartet-0$/);
    for (const place of [1, 3, 6]) expect(steps[place]).toMatch(/ --timeout=\d+m$/);
    for (const [wait] of readme.matchAll(/\bk wait [^&\n]*/g)) expect(wait).toContain('--timeout=');
  });

  test('by ./run.sh, which starts all at once, is restored into every replica', () => {
    const steps = stepsOf(blockWith('mv data/n?').replace(/\(for .* done\)/s, (loop) => loop.replaceAll('\n', ' ')));
    expect(steps).toHaveLength(5);
    expect(steps[3]).toContain('restore --data data/$n --name $n');
    expect(steps[4]).toBe('./run.sh');
  });

  test('by ./run.sh keeps what it has, and does nothing while one of its replicas answers', () => {
    const steps = stepsOf(blockWith('mv data/n?').replace(/\(for .* done\)/s, (loop) => loop.replaceAll('\n', ' ')));
    expect(steps.slice(0, 3)).toEqual([
      "! curl -s 'http://127.0.0.1:500[0-3]/livez' | grep ok",
      'old=$(mktemp -d data/old-XXXXXX)',
      'mv data/n? "$old"',
    ]);
    expect(readme).not.toMatch(/\brm -r data/);
  });
});
