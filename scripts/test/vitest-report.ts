import { existsSync, readFileSync } from 'node:fs';

/** How many tests ended how. */
export type Counts = { passed: number; failed: number; skipped: number };

/** The part of vitest's JSON report that is read here. */
type Report = {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  testResults: { status: string; assertionResults: { status: string }[] }[];
};

export const NO_COUNTS: Counts = { passed: 0, failed: 0, skipped: 0 };

export function addCounts(left: Counts, right: Counts): Counts {
  return {
    passed: left.passed + right.passed,
    failed: left.failed + right.failed,
    skipped: left.skipped + right.skipped,
  };
}

/**
 * Counts a run of vitest from its JSON report and its exit code.
 *
 * A failure never counts as none: a file that could not be loaded counts as one failed test, and so does a run that
 * ended badly without naming a test (a crash, an unhandled rejection, no report). A run without any test fails too.
 */
export function countRun(reportFile: string, exitCode: number): Counts {
  const counts = existsSync(reportFile) ? countReport(reportFile) : NO_COUNTS;
  const ranNothing = counts.passed + counts.failed + counts.skipped === 0;
  const failedUnnamed = exitCode !== 0 && counts.failed === 0;
  return ranNothing || failedUnnamed ? { ...counts, failed: counts.failed + 1 } : counts;
}

function countReport(reportFile: string): Counts {
  const report = JSON.parse(readFileSync(reportFile, 'utf8')) as Report;
  const filesNotLoaded = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  ).length;
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + filesNotLoaded,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/** The closing line, alone on a line, that a person and a machine read alike. */
export function closingLine(counts: Counts): string {
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
  return `${counts.passed} passed, ${counts.failed} failed${skipped}`;
}
