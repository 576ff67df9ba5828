// Compiles src/ and test/simulation/ to plain modules that Node can run, outside of jest. A patch changes the text of one
// source file on the way: that is how a deliberate bug gets into a copy of production code.

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformSync } from '@swc/core';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Parts of src/ that a replica without its routes is made of. */
const SOURCES = [
  'src/clock',
  'src/codec',
  'src/store',
  'src/replication',
  // For the tokens of sessions.
  'src/controllers/http',
  'test/simulation',
];

/** @throws when a patch does not match its source exactly once */
export function checkPatches(patches) {
  for (const { file, find } of patches) {
    const matches = readFileSync(join(ROOT, file), 'utf8').split(find).length - 1;
    if (matches !== 1) throw new Error(`the patch of ${file} matches ${matches} times, not once: ${find}`);
  }
}

/**
 * @param {string} name of the copy
 * @param {{ file: string, find: string, replace: string }[]} patches each must match exactly once
 * @returns {string} the folder of the compiled copy
 */
export function compile(name, patches = []) {
  checkPatches(patches);
  const target = join(ROOT, 'node_modules', '.cache', 'simulation', name);
  rmSync(target, { recursive: true, force: true });
  for (const source of SOURCES) {
    for (const entry of readdirSync(join(ROOT, source), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !entry.name.endsWith('.ts') || entry.name.endsWith('.test.ts')) continue;
      const path = join(entry.parentPath, entry.name);
      const file = relative(ROOT, path);
      const code = patched(file, readFileSync(path, 'utf8'), patches);
      const out = join(target, file.replace(/\.ts$/, '.js'));
      mkdirSync(dirname(out), { recursive: true });
      writeFileSync(out, transpile(path, code));
    }
  }
  writeFileSync(join(target, 'package.json'), '{ "type": "module" }');
  return target;
}

function patched(file, code, patches) {
  return patches
    .filter((patch) => patch.file === file)
    .reduce((text, { find, replace }) => text.replace(find, () => replace), code);
}

function transpile(filename, code) {
  return transformSync(code, { filename, configFile: join(ROOT, '.swcrc'), sourceMaps: 'inline' }).code;
}
