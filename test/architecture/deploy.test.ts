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

test('the engine that replicas run on is of the sources that are there', async () => {
  const sources = ['node_modules/classic-level/package.json', 'engine/leveldb.patch', 'engine/build.sh'];
  const hash = createHash('sha256');
  for (const path of sources) hash.update(await read(path));
  // To mend it: engine/build.sh.
  expect(await read('engine/prebuilds/sources.sha256')).toBe(`${hash.digest('hex')}\n`);
});

function read(path: string): Promise<string> {
  return readFile(join(ROOT, path), 'utf8');
}
