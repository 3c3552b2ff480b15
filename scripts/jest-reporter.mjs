/** A Jest reporter that leaves the run's counts in `<package>/reports/jest.json`, for scripts/test.mjs to add up. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export default class CountsReporter {
  constructor(globalConfig) {
    this.folder = join(globalConfig.rootDir, 'reports');
  }

  onRunComplete(_contexts, results) {
    const counts = {
      passed: results.numPassedTests,
      // A suite that could not even load has no failed tests of its own, yet it is a failure.
      failed: results.numFailedTests + results.numRuntimeErrorTestSuites,
      skipped: results.numPendingTests + results.numTodoTests,
    };
    mkdirSync(this.folder, { recursive: true });
    writeFileSync(join(this.folder, 'jest.json'), `${JSON.stringify(counts)}\n`);
  }
}
