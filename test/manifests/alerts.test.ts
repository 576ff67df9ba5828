// Does Prometheus take the files of deploy/observability, and do the alerts fire when they should?

import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { promtool } from './tools.js';

const FETCH_MS_MAX = 600_000;
const RULES = 'deploy/observability/alerts.yml';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quartet-alerts-'));
  await copyFile(RULES, join(folder, 'alerts.yml'));
  await copyFile('test/manifests/alerts.rules-test.yml', join(folder, 'alerts.rules-test.yml'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test(
  'Prometheus takes its configuration, and the rules that it names',
  async () => {
    const config = await readFile('deploy/observability/prometheus.yml', 'utf8');
    const inContainer = '/etc/prometheus/alerts.yml';
    expect(config).toContain(inContainer);
    const file = join(folder, 'prometheus.yml');
    await writeFile(file, config.replace(inContainer, join(folder, 'alerts.yml')));
    const { status, output } = await promtool('check', 'config', file);
    expect({ status, output }).toEqual({ status: 0, output: expect.stringContaining('rules found') });
  },
  FETCH_MS_MAX,
);

test(
  'alerts fire when they should, and not before',
  async () => {
    const { status, output } = await promtool('test', 'rules', join(folder, 'alerts.rules-test.yml'));
    expect({ status, output }).toEqual({ status: 0, output: expect.stringContaining('SUCCESS') });
    // A rule that never fires is told.
    await writeFile(join(folder, 'alerts.yml'), (await readFile(RULES, 'utf8')).replace('> 30', '> 3000'));
    expect((await promtool('test', 'rules', join(folder, 'alerts.rules-test.yml'))).status).not.toBe(0);
  },
  FETCH_MS_MAX,
);
