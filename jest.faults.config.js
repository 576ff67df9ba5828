import config from './jest.config.js';

/** @type {import('jest').Config} */
export default {
  ...config,
  roots: ['<rootDir>/test/real-faults'],
  testPathIgnorePatterns: [],
  // Each file runs a cluster of processes.
  maxWorkers: 1,
};
