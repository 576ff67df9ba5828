// Is the core free of the platform? It compiles with the language's own types alone, and a use of Node's or the browser's
// does not. (`tsconfig.pure.json` names the folders.)

import { describe, expect, test } from '@jest/globals';
import { plantedTree, runTool } from '../support/planted-tree.js';

const SCRIPT = 'typescript/bin/tsc';
const ARGUMENTS = ['-p', 'tsconfig.pure.json', '--noEmit', '--pretty', 'false'];

/** By file, code that only a platform can run. */
const PLANTS: Readonly<Record<string, string>> = {
  'src/clock/planted-a.ts': 'export const a = Buffer.alloc(1);',
  'src/clock/planted-b.ts': "import { randomUUID } from 'node:crypto';\nexport const b = randomUUID();",
  'src/clock/planted-c.ts': 'export const c = process.pid;',
  'src/replication/engine/planted-d.ts': 'setTimeout(() => {}, 1);',
  'src/replication/engine/planted-e.ts': 'export const e = performance.now();',
  'src/replication/engine/planted-f.ts': 'console.log(1);',
  'src/replication/planted-g.port.ts': 'export type G = NodeJS.Timeout;',
  'src/store/planted-h.port.ts': 'export const h = new TextEncoder();',
};

describe('Clock, engine and ports', () => {
  test('compile without the types of Node or of a browser, all but those that use the platform', async () => {
    const folder = await plantedTree(['src', 'package.json', 'tsconfig.json', 'tsconfig.pure.json'], PLANTS);
    try {
      const { stdout } = await runTool(folder.path, SCRIPT, ARGUMENTS);
      const failing = new Set(Array.from(stdout.matchAll(/^(src\S+?)\(/gm), ([, file]) => file));
      expect([...failing].sort()).toEqual(Object.keys(PLANTS).sort());
    } finally {
      await folder.remove();
    }
  }, 60_000);
});
