// What if the tests are interrupted? Whatever ends this process, the cluster goes first. Here and not beside the tests,
// because signals reach the process that runs them, and the `process` that they see is a copy.

import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';

const PROJECT = resolve(import.meta.dirname, '../..');
const FILES = ['docker-compose.yml', 'test/containers/edges.yml'];
const DOWN_MS_MAX = 60_000;

export default function globalSetup() {
  const compose = spawnSync('docker', ['compose', 'version']).status === 0 ? ['docker', 'compose'] : ['docker-compose'];
  process.env.CONTAINERS_COMPOSE = compose.join(' ');
  process.env.CONTAINERS_PROJECT = `quartet-test-${randomBytes(4).toString('hex')}`;
  process.once('exit', removeAll);
  process.once('SIGINT', () => process.exit(130));
  process.once('SIGTERM', () => process.exit(143));
  process.once('SIGHUP', () => process.exit(129));
}

/** Harmless when there is nothing left. */
function removeAll() {
  const [program, ...args] = process.env.CONTAINERS_COMPOSE.split(' ');
  const files = FILES.flatMap((file) => ['-f', resolve(PROJECT, file)]);
  const project = ['--project-directory', PROJECT, ...files, '-p', process.env.CONTAINERS_PROJECT];
  const down = [...args, ...project, 'down', '--volumes', '--remove-orphans', '--timeout', '1'];
  spawnSync(program, down, { stdio: 'ignore', timeout: DOWN_MS_MAX });
}
