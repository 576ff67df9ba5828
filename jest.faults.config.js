import config from './jest.config.js';

/** @type {import('jest').Config} */
export default {
  ...config,
  roots: ['<rootDir>/test/real-faults'],
  globalSetup: '<rootDir>/test/real-faults/cleanup.js',
  testPathIgnorePatterns: [],
  // Each file runs a cluster of processes.
  maxWorkers: 1,
};
