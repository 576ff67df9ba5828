// What if tests fail, or are interrupted? Whatever ends this process: what they have started, their disks and their folders go
// first. Here and not beside the tests, because signals reach the process that runs them, and the `process` that they see is a
// copy.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export default function globalSetup() {
  // All that the tests write is below it: clusters, and the build that their replicas run. And all that they start inherits it.
  const folder = mkdtempSync(join(tmpdir(), 'quartet-tests-'));
  process.env.TMPDIR = folder;
  process.once('exit', () => removeAll(folder));
  process.once('SIGINT', () => process.exit(130));
  process.once('SIGTERM', () => process.exit(143));
  process.once('SIGHUP', () => process.exit(129));
}

function removeAll(folder) {
  for (const id of processesOf(folder)) spawnSync('kill', ['-KILL', id]);
  for (const path of mountsIn(folder)) spawnSync('umount', ['-l', path]);
  rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
}

/** Other systems than Linux have no such folder, and what an interrupted test has started goes on there. */
function processesOf(folder) {
  const ids = existsSync('/proc') ? readdirSync('/proc').filter((name) => /^\d+$/.test(name)) : [];
  return ids.filter((id) => contentOf(`/proc/${id}/environ`).split('\0').includes(`TMPDIR=${folder}`));
}

function mountsIn(folder) {
  const words = contentOf('/proc/mounts').split(/\s/);
  return words.filter((word) => word.startsWith(`${folder}/`));
}

/** Empty for what is gone. */
function contentOf(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
