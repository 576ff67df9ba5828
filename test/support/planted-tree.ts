// How does a test of a check see it fail? It copies the tree into a temporary folder and plants violations there.

import { cp, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { execFile } from 'node:child_process';
import { temporaryFolder, type TemporaryFolder } from './temporary-folder.js';

export const ROOT = resolve(import.meta.dirname, '../..');

/** A copy of `paths` of this tree, with `planted` files added, that finds its packages and its tools. */
export async function plantedTree(
  paths: readonly string[],
  planted: Readonly<Record<string, string>>,
): Promise<TemporaryFolder> {
  const folder = await temporaryFolder();
  await symlink(join(ROOT, 'node_modules'), join(folder.path, 'node_modules'));
  for (const path of paths) await cp(join(ROOT, path), join(folder.path, path), { recursive: true });
  for (const [path, code] of Object.entries(planted)) {
    const target = join(folder.path, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, code);
  }
  return folder;
}

export interface ToolResult {
  readonly stdout: string;
  readonly stderr: string;
  /** 0: the tool found nothing. */
  readonly exitCode: number;
}

/** Runs a tool of `node_modules` by its script, as a process of its own. */
export function runTool(folder: string, script: string, args: readonly string[]): Promise<ToolResult> {
  return new Promise((resolve) => {
    const command = [join(ROOT, 'node_modules', script), ...args];
    execFile(process.execPath, command, { cwd: folder, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      const exitCode = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ stdout, stderr, exitCode });
    });
  });
}
