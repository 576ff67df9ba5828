import { writeFileSync } from 'node:fs';

/** Writes how many tests passed and failed to the file named by TEST_COUNTS, for a script that sums several runs. */
export default class CountReporter {
  onRunComplete(_contexts, { numPassedTests, numFailedTests, numRuntimeErrorTestSuites }) {
    const file = process.env['TEST_COUNTS'];
    if (file) writeFileSync(file, `${numPassedTests} ${numFailedTests + numRuntimeErrorTestSuites}\n`);
  }
}
