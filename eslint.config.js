// What does the linter forbid here beyond the usual? Each ban names what to do instead.

import js from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

const PURE = ['src/clock/**/*.ts', 'src/replication/engine/**/*.ts', 'src/**/*.port.ts'];

/** Time, randomness and the outside world come into pure code as values. */
const IMPURE_GLOBALS = {
  Date: 'Take the time from the input (wallMs): simulation owns the clock.',
  performance: 'Take the time from the input: simulation owns the clock.',
  setTimeout: 'Say in the output what is wanted; the driver waits, through its Time.',
  setInterval: 'Say in the output what is wanted; the driver waits, through its Time.',
  setImmediate: 'A step runs to its end; the driver runs the next one.',
  queueMicrotask: 'A step runs to its end; the driver runs the next one.',
  process: 'Take what you need as an argument: the composition root knows the process.',
  crypto: 'Take random names as an argument (nextIncarnation): simulation owns randomness.',
  console: 'Put an observation into the output: the shell logs and counts it.',
  fetch: 'Put a send into the output: the shell owns the network.',
  Buffer: 'Use Uint8Array: pure code runs without Node.',
  globalThis: 'Take what you need as an argument.',
};

const SYNTAX = {
  decorator: {
    selector: 'Decorator',
    message: 'The core has no framework: decorate in controllers/ and *.module.ts, or provide by factory.',
  },
  asynchrony: {
    selector: ':function[async=true]',
    message: 'A step runs to its end: return what is wanted as a value, and let the driver wait.',
  },
  bitwise: {
    selector:
      ':matches(BinaryExpression[operator=/^(\\||&|\\^|<<|>>|>>>)$/], ' +
      'AssignmentExpression[operator=/^(\\||&|\\^|<<|>>|>>>)=$/], UnaryExpression[operator="~"])',
    message: 'Counters have 53 bits and bitwise operators keep 32: use *, %, Math.floor.',
  },
  defaultExport: {
    selector: 'ExportDefaultDeclaration',
    message: 'Export by name: one thing has one name everywhere.',
  },
  reexport: {
    selector: ':matches(ExportAllDeclaration, ExportNamedDeclaration[source])',
    message: 'No barrels: import the file that defines the thing.',
  },
  focusedTest: {
    selector: 'MemberExpression[property.name="only"][object.name=/^(test|it|describe)$/]',
    message: 'Remove .only, or all the other tests are silently left out; name the test on the command line instead.',
  },
  skippedTest: {
    selector: 'MemberExpression[property.name=/^(skip|todo|failing)$/][object.name=/^(test|it|describe)$/]',
    message: 'A test that does not run proves nothing: repair it or remove it.',
  },
};

const banned = (...rules) => ['error', ...rules];

export default defineConfig(
  globalIgnores(['dist/', 'data/', 'coverage/', '**/node_modules/']),
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      // What was caught is passed on as it came, whatever it is.
      '@typescript-eslint/only-throw-error': ['error', { allowRethrowing: true, allowThrowingUnknown: true }],
      '@typescript-eslint/prefer-promise-reject-errors': ['error', { allowThrowingUnknown: true }],
      // It takes a `!` that the compiler asks for in one place for superfluous in another.
      '@typescript-eslint/no-unnecessary-type-assertion': 'off',
      // An adapter without I/O keeps an asynchronous contract all the same.
      '@typescript-eslint/require-await': 'off',
      eqeqeq: 'error',
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      'no-restricted-syntax': banned(SYNTAX.defaultExport, SYNTAX.reexport),
      'no-restricted-imports': [
        'error',
        {
          paths: [
            {
              name: '@nestjs/common',
              importNames: ['forwardRef', 'Global'],
              message:
                'Import the module that provides it: four nodes must run in one process, and imports run one way.',
            },
          ],
        },
      ],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/config/**', 'src/cli/**', 'src/main.ts'],
    rules: {
      // Through the logger of Nest: it carries level and context. main reports what comes before there is one.
      'no-console': 'error',
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Declare an option: src/config/ alone reads the environment.' },
        { object: 'process', property: 'exit', message: 'Throw, or report through DriverEvents: main decides to end.' },
      ],
    },
  },
  {
    files: ['src/replication/*.ts', 'src/store/**/*.ts'],
    ignores: ['src/replication/system-time.ts', 'src/replication/incarnation.ts', 'src/store/level/disk-space.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...['Date', 'performance', 'setTimeout', 'setInterval', 'setImmediate'].map((name) => ({
          name,
          message: 'Use Time, which is injected: this code runs in simulation too.',
        })),
      ],
    },
  },
  {
    files: ['src/codec/**/*.ts'],
    rules: { 'no-restricted-syntax': banned(SYNTAX.defaultExport, SYNTAX.reexport, SYNTAX.decorator, SYNTAX.bitwise) },
  },
  {
    files: PURE,
    rules: {
      'no-restricted-globals': [
        'error',
        ...Object.entries(IMPURE_GLOBALS).map(([name, message]) => ({ name, message })),
      ],
      'no-restricted-properties': [
        'error',
        {
          object: 'Math',
          property: 'random',
          message: 'Take random names as an argument: simulation owns randomness.',
        },
      ],
      'no-restricted-syntax': banned(SYNTAX.defaultExport, SYNTAX.reexport, SYNTAX.decorator, SYNTAX.asynchrony),
    },
  },
  {
    files: ['src/clock/**/*.ts'],
    rules: {
      'no-restricted-syntax': banned(
        SYNTAX.defaultExport,
        SYNTAX.reexport,
        SYNTAX.decorator,
        SYNTAX.asynchrony,
        SYNTAX.bitwise,
      ),
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      'no-restricted-syntax': banned(SYNTAX.focusedTest, SYNTAX.skippedTest),
      // Answers of a server and of tools are JSON of any shape; what matters is asserted.
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-base-to-string': 'off',
      // A simulated failure is thrown as it came.
      '@typescript-eslint/only-throw-error': 'off',
    },
  },
  {
    files: ['**/*.js', '**/*.cjs', '**/*.mjs'],
    languageOptions: {
      globals: Object.fromEntries(
        [
          'process',
          'console',
          'Buffer',
          'URL',
          'setTimeout',
          'clearTimeout',
          'setInterval',
          'performance',
          'fetch',
        ].map((name) => [name, 'readonly']),
      ),
    },
  },
);
