import config from './jest.config.js';

// Drawn once, by the process that starts the workers, which inherit it.
process.env.TEST_JITTER ??= String(Math.floor(Math.random() * 1_000_000));
console.log(`To repeat it: TEST_JITTER=${process.env.TEST_JITTER} npm run test:jitter`);

/** @type {import('jest').Config} */
export default {
  ...config,
  roots: ['<rootDir>/test/e2e', '<rootDir>/test/contracts', '<rootDir>/test/cluster'],
};
