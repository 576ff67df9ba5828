import { availableParallelism } from 'node:os';

/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  // Tests wait for disks and sockets too: two more than there are processors keep these busy.
  maxWorkers: availableParallelism() + 2,
  // No test is a race: a machine that is busy elsewhere may take six times as long.
  testTimeout: 30_000,
  globalSetup: '<rootDir>/test/support/cleanup.js',
  roots: ['<rootDir>/test'],
  reporters: ['default', '<rootDir>/test/support/count-reporter.js'],
  testRegex: '\\.test\\.ts$',
  // Minutes of real faults, signals, and the start script: `npm run test:faults`; what needs a container engine: `npm run
  // test:containers`; what needs the tools of Kubernetes and Prometheus: `npm run test:manifests`.
  testPathIgnorePatterns: ['<rootDir>/test/real-faults/', '<rootDir>/test/containers/', '<rootDir>/test/manifests/'],
  testSequencer: '<rootDir>/test/support/longest-first.js',
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  // Compiled as the build does: by .swcrc.
  transform: { '^.+\\.ts$': '@swc/jest' },
};
