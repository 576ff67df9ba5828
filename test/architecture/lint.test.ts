// Do the linter's bans bite? `eslint.config.js` states them, `npm run lint` holds them against the whole tree; here each is
// held against a violation, planted into a folder of the layer that it protects, and must name what to do instead.

import { beforeAll, describe, expect, test } from '@jest/globals';
import { plantedTree, runTool } from '../support/planted-tree.js';

const SCRIPT = 'eslint/bin/eslint.js';

interface LintedFile {
  readonly filePath: string;
  readonly messages: readonly { readonly ruleId: string | null; readonly message: string; readonly line: number }[];
}

/** A line of code, the rule that refuses it, and what the refusal says to do. */
type Plant = readonly [code: string, rule: string, remedy: RegExp];

const PURE_PLANTS: readonly Plant[] = [
  ['export const a = Date.now();', 'no-restricted-globals', /from the input/],
  ['export const b = new Date();', 'no-restricted-globals', /from the input/],
  ['export const c = Math.random();', 'no-restricted-properties', /as an argument/],
  ['export const d = performance.now();', 'no-restricted-globals', /from the input/],
  ['export const e = process.pid;', 'no-restricted-globals', /as an argument/],
  ['setTimeout(() => {}, 1);', 'no-restricted-globals', /through its Time/],
  ['setInterval(() => {}, 1);', 'no-restricted-globals', /through its Time/],
  ['setImmediate(() => {});', 'no-restricted-globals', /the driver runs the next one/],
  ['queueMicrotask(() => {});', 'no-restricted-globals', /the driver runs the next one/],
  ['export const f = crypto.randomUUID();', 'no-restricted-globals', /as an argument/],
  ['console.log(1);', 'no-restricted-globals', /observation/],
  ['export const g = Buffer.alloc(1);', 'no-restricted-globals', /Uint8Array/],
  ['export const h = globalThis.name;', 'no-restricted-globals', /as an argument/],
  ['void fetch("http://n2");', 'no-restricted-globals', /Put a send into the output/],
  ['@((_: unknown) => {}) export class I {}', 'no-restricted-syntax', /no framework/],
  ['export async function j() {}', 'no-restricted-syntax', /runs to its end/],
];

const BITWISE_PLANTS: readonly Plant[] = [
  ['export const k = (n: number) => n | 0;', 'no-restricted-syntax', /53 bits/],
  ['export const l = (n: number) => n << 7;', 'no-restricted-syntax', /53 bits/],
  ['export const m = (n: number) => n & 0x7f;', 'no-restricted-syntax', /53 bits/],
  ['export const n = (n: number) => n >>> 0;', 'no-restricted-syntax', /53 bits/],
  ['export const o = (n: number) => ~n;', 'no-restricted-syntax', /53 bits/],
  ['export function p(n: number) { n >>= 1; return n; }', 'no-restricted-syntax', /53 bits/],
];

/** Not in a file with a decorator: there an import may be needed by what decorators emit. */
const TYPE_PLANTS: readonly Plant[] = [
  ['import { Other } from "./other.js"; export type V = Other;', '@typescript-eslint/consistent-type-imports', /type/],
];

const SOURCE_PLANTS: readonly Plant[] = [
  ['export default class Q {}', 'no-restricted-syntax', /Export by name/],
  ['export * from "./other.js";', 'no-restricted-syntax', /import the file that defines/],
  ['export { other } from "./other.js";', 'no-restricted-syntax', /import the file that defines/],
];

const EVERYWHERE: readonly Plant[] = [
  ['export function r(s: () => Promise<void>) { s(); }', '@typescript-eslint/no-floating-promises', /awaited/],
  [
    'export function t(s: () => Promise<void>) { [1].forEach(async () => { await s(); }); }',
    '@typescript-eslint/no-misused-promises',
    /Promise returned/,
  ],
  ['export const u = (v: unknown) => v == 1;', 'eqeqeq', /===/],
  [
    'export function w(x: "a" | "b") { switch (x) { case "a": return 1; } return 2; }',
    '@typescript-eslint/switch-exhaustiveness-check',
    /not matched: "b"/,
  ],
];

const SHELL_PLANTS: readonly Plant[] = [
  ['export const a = process.env.HOME;', 'no-restricted-properties', /src\/config/],
  ['export const b = () => process.exit(1);', 'no-restricted-properties', /main decides/],
  ['console.log(1);', 'no-console', /console/],
  [
    'import { forwardRef } from "@nestjs/common"; export const c = forwardRef;',
    'no-restricted-imports',
    /imports run one way/,
  ],
  ['import { Global } from "@nestjs/common"; export const d = Global;', 'no-restricted-imports', /four nodes/],
];

const SIMULATED_PLANTS: readonly Plant[] = [
  ['export const a = Date.now();', 'no-restricted-globals', /Use Time/],
  ['setTimeout(() => {}, 1);', 'no-restricted-globals', /Use Time/],
  ['setImmediate(() => {});', 'no-restricted-globals', /Use Time/],
];

/** Written apart, so that no search for them ends here. */
const ONLY = 'on' + 'ly';
const SKIP = 'sk' + 'ip';

const TEST_PLANTS: readonly Plant[] = [
  [`test.${ONLY}("a", () => {});`, 'no-restricted-syntax', /Remove \.only/],
  [`describe.${ONLY}("b", () => {});`, 'no-restricted-syntax', /Remove \.only/],
  [`it.${ONLY}.each([1])("c", () => {});`, 'no-restricted-syntax', /Remove \.only/],
  [`test.${SKIP}("d", () => {});`, 'no-restricted-syntax', /proves nothing/],
];

const LAYERS: Readonly<Record<string, readonly Plant[]>> = {
  'src/clock': [...PURE_PLANTS, ...BITWISE_PLANTS, ...SOURCE_PLANTS, ...EVERYWHERE],
  'src/replication/engine': [...PURE_PLANTS, ...SOURCE_PLANTS],
  'src/store/ports': PURE_PLANTS,
  'src/codec': [...BITWISE_PLANTS, ...SOURCE_PLANTS, ...SHELL_PLANTS],
  'src/replication': [...SIMULATED_PLANTS, ...SHELL_PLANTS],
  'src/store': [...SIMULATED_PLANTS, ...SOURCE_PLANTS, ...TYPE_PLANTS],
  'src/controllers': [...SHELL_PLANTS, ...SOURCE_PLANTS, ...EVERYWHERE],
  test: TEST_PLANTS,
};

/** What is refused in one layer and right in another: a ban that hits everything would be no rule of a layer. */
const INNOCENT: Readonly<Record<string, string>> = {
  'src/clock/innocent.ts':
    'export const one = (left: 1 | 2, right: boolean) => (right || left === 1 ? left * 2 : left % 2);\n',
  'src/replication/engine/innocent.ts': 'export const hash = (n: number) => (n ^ 7) >>> 0;\n',
  'src/replication/system-time.ts': 'export const now = () => Date.now();\n',
  'src/config/innocent.ts': 'export const home = process.env.HOME;\n',
  'src/controllers/innocent.ts': 'export const now = () => Date.now();\n',
  'test/innocent.ts': 'export const some = [1].filter((only) => only > 0);\n',
};

/** All plants of a layer stand in one file, one on each line, below the imports that some of them need. */
const CASES = Object.entries(LAYERS).flatMap(([layer, plants]) =>
  plants.map(([code, rule, remedy], index) => ({
    layer,
    code,
    rule,
    remedy,
    file: plantedFile(layer),
    line: index + 2,
  })),
);

/** The folders of this tree that are linted along: small, and the ones whose rules are strictest. */
const LINTED_FOLDERS = ['src/clock', 'src/codec', 'src/replication/engine'];

describe('The linter', () => {
  let linted: ReadonlyMap<string, LintedFile['messages']>;

  beforeAll(async () => {
    const others = Object.keys(LAYERS).map((layer) => `${layer}/other.ts`);
    const planted = Object.entries(LAYERS).map(([layer, plants]) => {
      return [plantedFile(layer), [prelude(layer), ...plants.map(([code]) => code), ''].join('\n')] as const;
    });
    const folder = await plantedTree(['eslint.config.js', 'package.json', 'tsconfig.json', ...LINTED_FOLDERS], {
      ...Object.fromEntries(others.map((file) => [file, 'export class Other {}\nexport const other = 1;\n'])),
      ...Object.fromEntries(planted),
      ...INNOCENT,
    });
    try {
      const { stdout, stderr } = await runTool(folder.path, SCRIPT, ['--format', 'json', 'src', 'test']);
      if (stdout === '') throw new Error(stderr);
      const files = JSON.parse(stdout) as LintedFile[];
      linted = new Map(files.map(({ filePath, messages }) => [filePath.slice(folder.path.length + 1), messages]));
    } finally {
      await folder.remove();
    }
  }, 60_000);

  test.each(CASES)('refuses in $layer: $code', ({ file, line, rule, remedy }) => {
    const messages = linted.get(file)!.filter((message) => message.ruleId === rule && message.line === line);
    expect(messages.map(({ message }) => message).join('\n')).toMatch(remedy);
  });

  test.each(Object.keys(INNOCENT))('finds nothing in %s', (file) => {
    expect(linted.get(file)).toEqual([]);
  });

  test('finds nothing in the pure folders of this tree, nor in its layouts of bytes', () => {
    const planted = new Set(CASES.map(({ file }) => file));
    const own = [...linted].filter(([file]) => !planted.has(file));
    expect(own.length).toBeGreaterThan(Object.keys(INNOCENT).length + 10);
    expect(own.filter(([, messages]) => messages.length > 0)).toEqual([]);
  });
});

function plantedFile(layer: string): string {
  return `${layer}/planted${layer.endsWith('/ports') ? '.port' : ''}.ts`;
}

/** The first line. */
function prelude(layer: string): string {
  return layer === 'test' ? "import { describe, it, test } from '@jest/globals';" : '// Planted.';
}
