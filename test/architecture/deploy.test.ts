// Do the files of deploy/ and the image speak of what there is? A metric renamed in src/ must not leave an alert that
// never fires.

import { expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../support/planted-tree.js';
import { START_OPTIONS } from '../support/process-replica.js';

const METRIC = /\bquartet_[a-z_]+\b/g;
const OF_HISTOGRAM = /(?<=_seconds)_(bucket|sum|count)$/;

test('every metric that an alert or a panel asks for is one that replicas show', async () => {
  const sources = await Promise.all(['metrics', 'request-meter'].map((name) => read(`src/observability/${name}.ts`)));
  const shown = new Set(sources.join('').match(METRIC));
  const files = await readdir(join(ROOT, 'deploy/observability'), { recursive: true, withFileTypes: true });
  const asked: string[] = [];
  for (const file of files.filter((entry) => entry.isFile())) {
    asked.push(...((await readFile(join(file.parentPath, file.name), 'utf8')).match(METRIC) ?? []));
  }
  expect(asked.length).toBeGreaterThan(20);
  expect(asked.filter((name) => !shown.has(name.replace(OF_HISTOGRAM, '')))).toEqual([]);
});

test('the dashboard shows replicas whatever Prometheus calls their job', async () => {
  const dashboard = await read('deploy/observability/grafana/dashboards/quartet.json');
  expect(dashboard).toContain('process_resident_memory_bytes');
  expect(dashboard).not.toMatch(/\bjob=/);
});

test('run.sh and all tests start a replica as npm start does', async () => {
  const { scripts } = JSON.parse(await read('package.json')) as { scripts: { start: string } };
  expect(scripts.start).toBe(['node', ...START_OPTIONS, 'dist/main.js'].join(' '));
  expect(await read('run.sh')).toContain(`start=(${scripts.start})\n`);
});

test('the image starts a replica as npm start does, and bears the release of the package', async () => {
  const { version, scripts } = JSON.parse(await read('package.json')) as {
    version: string;
    scripts: { start: string };
  };
  const dockerfile = await read('Dockerfile');
  expect(dockerfile).toContain(`CMD ${JSON.stringify(scripts.start.split(' ')).replaceAll(',', ', ')}\n`);
  expect(dockerfile).toContain(`image.version="${version}"`);
});

test('the engines that replicas run on are of the sources that are there', async () => {
  const sums = (await read('engine/prebuilds/sha256sums')).trimEnd().split('\n');
  expect(sums).toHaveLength(10);
  // To mend it: engine/build.sh.
  for (const line of sums) {
    const [, sum, path] = /^([0-9a-f]{64}) {2}(.+)$/.exec(line)!;
    const file = await readFile(join(ROOT, path!.endsWith('.node') ? 'engine/prebuilds' : '.', path!));
    expect([path, createHash('sha256').update(file).digest('hex')]).toEqual([path, sum]);
  }
});

function read(path: string): Promise<string> {
  return readFile(join(ROOT, path), 'utf8');
}
