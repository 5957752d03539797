// Prints 'N passed, N failed' from jest's JSON report: node tools/count-tests.mjs FILE
import { readFileSync } from 'node:fs';

const report = JSON.parse(readFileSync(process.argv[2], 'utf8'));
// A file that does not load has no tests to count; it counts as one that failed.
console.log(`${report.numPassedTests} passed, ${report.numFailedTests + report.numRuntimeErrorTestSuites} failed`);
