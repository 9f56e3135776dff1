/**
 * Adds up test reports: `count-tests.ts <status> <report.json>…`. Prints "N passed, N failed" alone on the last line.
 * A report that is missing, or a step that failed without a failing test, counts as one failure: silence is not success.
 */
import { existsSync, readFileSync } from 'node:fs';

const [status = '1', ...files] = process.argv.slice(2);
let passed = 0;
let failed = 0;
for (const file of files) {
  if (!existsSync(file)) {
    console.log(`${file} was not written: the test run did not end.`);
    failed += 1;
    continue;
  }
  const report: unknown = JSON.parse(readFileSync(file, 'utf8'));
  passed += numberIn(report, 'numPassedTests');
  failed += numberIn(report, 'numFailedTests');
  const skipped = numberIn(report, 'numPendingTests') + numberIn(report, 'numTodoTests');
  if (skipped > 0) console.log(`${skipped} tests did not run.`);
}
if (failed === 0 && status !== '0') {
  console.log('A step other than a test failed; see above.');
  failed = 1;
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

function numberIn(report: unknown, key: string): number {
  const value = typeof report === 'object' && report !== null ? Reflect.get(report, key) : 0;
  return typeof value === 'number' ? value : 0;
}
