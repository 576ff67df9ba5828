// Who renders and judges the files of k8s/ and deploy/? The tools that their users have: kubectl, the published schemas of
// Kubernetes, promtool. What the machine lacks is fetched by name once, and kept: from then on nothing needs a network.

import { execFile } from 'node:child_process';
import { access, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';

export const ROOT = resolve(import.meta.dirname, '../..');
const CACHE = join(ROOT, 'node_modules/.cache/manifests');

/** It has the schemas of all versions up to its own. */
const VALIDATOR = 'kubernetes-validate==1.37.0';
/** Those that get patches now. */
export const KUBERNETES_VERSIONS = ['1.35.0', '1.36.0', '1.37.0'] as const;

/** The kustomize that stands in for a missing kubectl, which has the same inside. */
const KUSTOMIZE = 'sigs.k8s.io/kustomize/kustomize/v5@v5.7.1';

const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;

export interface Ending {
  readonly status: number;
  readonly output: string;
}

/** What `kubectl kustomize` makes of a folder. @throws what it says when it can't */
export async function render(folder: string): Promise<string> {
  if (await isThere('kubectl', ['version', '--client'])) return must('kubectl', ['kustomize', folder]);
  if (await isThere('kustomize', ['version'])) return must('kustomize', ['build', folder]);
  const program = await kept('kustomize', async (into) => {
    await must('go', ['install', KUSTOMIZE], { GOBIN: into });
  });
  return must(join(program, 'kustomize'), ['build', folder]);
}

/** Judges a rendered file by the schemas of one version of Kubernetes; fields that they do not know are errors. */
export async function validate(file: string, version: string): Promise<Ending> {
  const packages = await kept(VALIDATOR, async (into) => {
    await must('python3', ['-m', 'pip', 'install', '--quiet', '--target', into, VALIDATOR]);
  });
  const args = ['-m', 'kubernetes_validate', '--strict', '-k', version, file];
  return run('python3', args, { PYTHONPATH: packages });
}

/** Prometheus' own judge of its files. */
export async function promtool(...args: string[]): Promise<Ending> {
  if (await isThere('promtool', ['--version'])) return run('promtool', args);
  const unpacked = await kept('promtool', async (into) => {
    await must('bash', ['-c', 'cd "$0" && apt-get download -qq prometheus && dpkg-deb -x prometheus_*.deb .', into]);
  });
  return run(join(unpacked, 'usr/bin/promtool'), args);
}

/** A folder of the cache, filled by `fetch` when there is none yet; half of one is never kept. */
async function kept(name: string, fetch: (into: string) => Promise<void>): Promise<string> {
  const folder = join(CACHE, name);
  const isKept = await access(folder).then(
    () => true,
    () => false,
  );
  if (isKept) return folder;
  const begun = `${folder}.begun`;
  await rm(begun, { recursive: true, force: true });
  await mkdir(begun, { recursive: true });
  await fetch(begun);
  if ((await readdir(begun)).length === 0) throw new Error(`${name}: nothing came`);
  await rename(begun, folder);
  return folder;
}

async function isThere(program: string, args: readonly string[]): Promise<boolean> {
  return (await run(program, args)).status === 0;
}

async function must(program: string, args: readonly string[], environment: Record<string, string> = {}) {
  const { status, output } = await run(program, args, environment);
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${output}`);
  return output;
}

/** @returns what it wrote to standard output, and to standard error when it failed */
function run(program: string, args: readonly string[], environment: Record<string, string> = {}): Promise<Ending> {
  const options = { cwd: ROOT, env: { ...process.env, ...environment }, maxBuffer: OUTPUT_BYTES_MAX };
  return new Promise((settle) => {
    execFile(program, args, options, (error, stdout, stderr) => {
      if (error === null) settle({ status: 0, output: stdout });
      else
        settle({
          status: typeof error.code === 'number' ? error.code : 1,
          output: `${stdout}${stderr || error.message}`,
        });
    });
  });
}
