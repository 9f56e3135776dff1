/**
 * Adds up test reports: `count-tests.ts <status> <report.json>…`. Says what failed and why, then prints "N passed, N failed" alone
 * on the last line. A report that is missing, or a step that failed without a failing test, counts as one failure: silence is not success.
 */
import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { z } from 'zod';

/** The parts of a JSON report of Vitest that are read here. */
const Report = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number().default(0),
  numTodoTests: z.number().default(0),
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      message: z.string().default(''),
      assertionResults: z.array(
        z.object({ fullName: z.string(), status: z.string(), failureMessages: z.array(z.string()).nullish() }),
      ),
    }),
  ),
});

/** Of a long failure the end is rarely what matters. */
const MESSAGE_CHARACTERS_MAX = 2_000;

const [status = '1', ...files] = process.argv.slice(2);
let passed = 0;
let failed = 0;
for (const file of files) {
  const run = basename(file, '.json');
  if (!existsSync(file)) {
    console.log(`${file} was not written: the test run did not end.`);
    failed += 1;
    continue;
  }
  const report = Report.parse(JSON.parse(readFileSync(file, 'utf8')));
  passed += report.numPassedTests;
  failed += report.numFailedTests;
  const skipped = report.numPendingTests + report.numTodoTests;
  if (skipped > 0) console.log(`${run}: ${skipped} tests did not run.`);
  for (const suite of report.testResults) {
    const failures = suite.assertionResults.filter((test) => test.status === 'failed');
    for (const test of failures) tell(`${run}: ${suite.name}\n  ${test.fullName}`, test.failureMessages ?? []);
    if (suite.status === 'failed' && failures.length === 0) tell(`${run}: ${suite.name}`, [suite.message]);
  }
}
if (failed === 0 && status !== '0') {
  console.log('A step other than a test failed; see above.');
  failed = 1;
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

function tell(what: string, messages: readonly string[]): void {
  console.log(`\nFAILED ${what}`);
  for (const message of messages) console.log(message.slice(0, MESSAGE_CHARACTERS_MAX).replaceAll(/^/gm, '    '));
}
