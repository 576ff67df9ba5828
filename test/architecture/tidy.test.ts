// Is the tree in order? What no compiler and no linter looks at: length and opening of files, words that should not be
// left behind, and files that people and machines expect at the top.

import { beforeAll, describe, expect, test } from '@jest/globals';
import { access, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../support/planted-tree.js';

/** A file that does not fit on a few screens has more than one subject: split it by concern. */
const SOURCE_LINES_MAX = 320;

const REQUIRED_FILES = [
  '.dependency-cruiser.js',
  '.gitignore',
  '.prettierrc',
  '.swcrc',
  'eslint.config.js',
  'jest.config.js',
  'nest-cli.json',
  'package-lock.json',
  'package.json',
  'README.md',
  'src/app.module.ts',
  'src/main.ts',
  'tsconfig.build.json',
  'tsconfig.json',
  'tsconfig.pure.json',
];

/** Written apart, so that this file does not hold what it forbids. */
const LEFT_BEHIND = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X', 'HA' + 'CK'].join('|')})\\b`);
const FOCUSED = new RegExp(`\\b(?:test|it|describe)\\.${'on' + 'ly'}\\b|\\bf(?:describe|it)\\(`);
/** Folders of somebody's machine. What a test writes goes to os.tmpdir(). */
const MACHINE_PATH = new RegExp(
  `(?<![\\w.~-])/(?:${['wo' + 'rk', 'ro' + 'ot', 'ho' + 'me', 'Us' + 'ers', 'tm' + 'p'].join('|')})/\\w`,
);

interface TextFile {
  readonly path: string;
  readonly text: string;
}

interface Rule {
  readonly name: string;
  /** Which files it is about. */
  readonly about: RegExp;
  /** Why the file is not in order; undefined when it is. */
  readonly complaint: (file: TextFile) => string | undefined;
  /** A text that it must complain of. */
  readonly planted: string;
}

const RULES: readonly Rule[] = [
  {
    name: `no source file is longer than ${SOURCE_LINES_MAX} lines`,
    about: /^src\/.*\.ts$/,
    complaint: ({ text }) => {
      const lines = text.trimEnd().split('\n').length;
      return lines > SOURCE_LINES_MAX ? `${lines} lines: split it by concern` : undefined;
    },
    planted: '// A comment.\n'.repeat(SOURCE_LINES_MAX + 1),
  },
  {
    name: 'each source file opens with a comment that says what it is for',
    about: /^src\/.*\.ts$/,
    complaint: ({ text }) => (/^\/[/*]/.test(text) ? undefined : 'say in the first line which question it answers'),
    planted: "import { a } from './a.js';\n",
  },
  {
    name: 'no file has notes to oneself',
    about: /^(?:src|test|bench|demo)\/.*\.[jt]s$/,
    complaint: ({ text }) => found(text, LEFT_BEHIND, 'do it, or write down what is so'),
    planted: `// ${'TO' + 'DO'}: later\n`,
  },
  {
    name: 'no test keeps the others from running',
    about: /^test\/.*\.ts$/,
    complaint: ({ text }) => found(text, FOCUSED, 'all tests run'),
    planted: `test.${'on' + 'ly'}('this one', () => {});\n`,
  },
  {
    name: 'no file knows the folders of one machine',
    about: /^(?:src|test|bench|demo)\/.*|^[^/]+\.(?:json|js|md)$|^docs\/.*\.md$/,
    complaint: ({ text }) => found(text, MACHINE_PATH, 'use a path of the tree, an option, or os.tmpdir()'),
    planted: `const path = '/${'ro' + 'ot'}/quartet';\n`,
  },
  {
    name: 'no file is a barrel',
    about: /^src\/.*\.ts$/,
    complaint: ({ path }) => (/(?:^|\/)index\.ts$/.test(path) ? 'import the file that defines the thing' : undefined),
    planted: '',
  },
  {
    name: 'the lock file names no download addresses: the registry is the reader’s choice',
    about: /^package-lock\.json$/,
    complaint: ({ text }) =>
      found(text, /"resolved": *"https?:/, 'run npm install with omit-lockfile-registry-resolved=true'),
    planted: '{ "resolved": "https://registry.example/a.tgz" }',
  },
];

describe('The tree', () => {
  let files: readonly TextFile[];

  beforeAll(async () => {
    files = await textFiles();
  });

  test.each(RULES)('is in order: $name', ({ about, complaint }) => {
    const subjects = files.filter(({ path }) => about.test(path));
    expect(subjects.length).toBeGreaterThan(0);
    const complaints = subjects.map((file) => ({ path: file.path, complaint: complaint(file) }));
    expect(complaints.filter((each) => each.complaint !== undefined)).toEqual([]);
  });

  test.each(REQUIRED_FILES)('has %s', async (path) => {
    await expect(access(join(ROOT, path))).resolves.toBeUndefined();
  });

  test('has packages with licences and versions that the lock file pins', () => {
    const lock = JSON.parse(files.find(({ path }) => path === 'package-lock.json')!.text) as {
      packages: Record<string, { version?: string; integrity?: string; link?: boolean }>;
    };
    const loose = Object.entries(lock.packages).filter(
      ([path, { integrity, link }]) => path !== '' && !integrity && !link,
    );
    // A package bundled in another one comes with that one's checksum.
    expect(loose.filter(([path]) => path.split('node_modules/').length <= 2)).toEqual([]);
  });
});

describe('The check of the tree', () => {
  test.each(RULES)('complains when it should: $name', ({ complaint, planted }) => {
    expect(complaint({ path: 'src/planted/index.ts', text: planted })).toBeDefined();
  });

  test.each(RULES)('lets a good file pass: $name', ({ complaint }) => {
    const text = "// What is it?\n\nexport const path = new URL('https://a.example/work/x');\nimport './work/a.js';\n";
    expect(complaint({ path: 'src/planted/good.ts', text })).toBeUndefined();
  });
});

function found(text: string, pattern: RegExp, remedy: string): string | undefined {
  const place = text.search(pattern);
  if (place < 0) return undefined;
  return `line ${text.slice(0, place).split('\n').length}: ${remedy}`;
}

async function textFiles(): Promise<TextFile[]> {
  const paths: string[] = [];
  for (const entry of await readdir(ROOT, { withFileTypes: true })) {
    if (entry.isFile()) paths.push(entry.name);
    else if (['src', 'test', 'bench', 'demo', 'docs'].includes(entry.name)) {
      for (const path of await readdir(join(ROOT, entry.name), { recursive: true }))
        paths.push(`${entry.name}/${path}`);
    }
  }
  // The peers of the benchmark are installed in a folder of their own.
  const own = paths.filter((path) => !path.includes('/node_modules/'));
  const texts = own.filter((path) => /\.(?:ts|js|json|md)$/.test(path));
  return Promise.all(texts.map(async (path) => ({ path, text: await readFile(join(ROOT, path), 'utf8') })));
}
