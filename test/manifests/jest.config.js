import project from '../../jest.config.js';

/** @type {import('jest').Config} */
export default {
  ...project,
  rootDir: '../..',
  roots: ['<rootDir>/test/manifests'],
  testPathIgnorePatterns: ['/node_modules/'],
  // Tools are fetched once, and not by two at the same time.
  maxWorkers: 1,
  verbose: true,
};
