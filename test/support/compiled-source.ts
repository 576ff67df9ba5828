// How does a test run our code in a process of its own? It compiles the folders of `src/` that it needs into a temporary
// folder: no build must have run before, and none that runs meanwhile can pull the files away.

import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { transform, type Options } from '@swc/core';

const ROOT = resolve(import.meta.dirname, '../..');

/** Compiles `folders` of `src/` into `target`, where they find their packages, and writes `scripts` beside them. */
export async function compileSource(
  target: string,
  folders: readonly string[],
  scripts: Readonly<Record<string, string>> = {},
): Promise<void> {
  const options = JSON.parse(await readFile(join(ROOT, '.swcrc'), 'utf8')) as Options;
  await mkdir(target, { recursive: true });
  await symlink(join(ROOT, 'node_modules'), join(target, 'node_modules'));
  // As far above `store/` as it is in the project.
  await symlink(join(ROOT, 'engine'), join(target, '..', 'engine'));
  await writeFile(join(target, 'package.json'), '{ "type": "module" }');
  for (const folder of folders) {
    for (const file of await readdir(join(ROOT, 'src', folder), { recursive: true })) {
      if (!file.endsWith('.ts')) continue;
      const source = await readFile(join(ROOT, 'src', folder, file), 'utf8');
      const { code } = await transform(source, { ...options, swcrc: false, sourceMaps: false, filename: file });
      const compiled = join(target, folder, file.replace(/\.ts$/, '.js'));
      await mkdir(dirname(compiled), { recursive: true });
      await writeFile(compiled, code);
    }
  }
  for (const [name, code] of Object.entries(scripts)) await writeFile(join(target, name), code);
}
