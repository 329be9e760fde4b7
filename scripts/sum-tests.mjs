// Prints the closing line over vitest's report and the static checks; exits 1 when either failed.
import { existsSync, readFileSync } from 'node:fs';

const [, , path, checksFailed] = process.argv;
let passed = 0;
let failed = checksFailed === '0' ? 0 : 1;
let skipped = 0;
if (checksFailed === '0') passed += 1;
if (existsSync(path)) {
  const report = JSON.parse(readFileSync(path, 'utf8'));
  passed += report.numPassedTests;
  failed += report.numFailedTests;
  skipped += report.numPendingTests + report.numTodoTests;
  const brokenFiles = report.testResults.filter(
    (file) =>
      file.status === 'failed' && file.assertionResults.every((one) => one.status !== 'failed'),
  );
  for (const file of brokenFiles) console.log(`file failed: ${file.name}: ${file.message}`);
  failed += brokenFiles.length;
  if (passed === 0) failed += 1;
} else {
  console.log('the tests gave no report');
  failed += 1;
}
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed === 0 ? 0 : 1);
