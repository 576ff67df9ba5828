import project from '../../jest.config.js';

/** @type {import('jest').Config} */
export default {
  ...project,
  rootDir: '../..',
  roots: ['<rootDir>/test/containers'],
  globalSetup: '<rootDir>/test/containers/cleanup.js',
  testPathIgnorePatterns: ['/node_modules/'],
  // One cluster, one test after another; each names what it is about.
  maxWorkers: 1,
  verbose: true,
};
