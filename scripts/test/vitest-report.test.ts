import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { addCounts, closingLine, countRun } from './vitest-report.ts';

const folder = mkdtempSync(join(tmpdir(), 'cofre-vitest-report-'));
afterAll(() => rmSync(folder, { recursive: true }));

function writeReport(name: string, report: object): string {
  const file = join(folder, name);
  writeFileSync(file, JSON.stringify(report));
  return file;
}

const clean = {
  numPassedTests: 5,
  numFailedTests: 0,
  numPendingTests: 2,
  numTodoTests: 1,
  testResults: [{ status: 'passed', assertionResults: [{ status: 'passed' }] }],
};

test('counts passed and skipped tests', () => {
  expect(countRun(writeReport('clean.json', clean), 0)).toEqual({ passed: 5, failed: 0, skipped: 3 });
});

test('counts a file that could not be loaded as a failure', () => {
  const report = { ...clean, testResults: [{ status: 'failed', assertionResults: [] }] };
  expect(countRun(writeReport('unloaded.json', report), 1).failed).toBe(1);
});

test('counts a failed test once, not again for its file', () => {
  const report = {
    ...clean,
    numFailedTests: 1,
    testResults: [{ status: 'failed', assertionResults: [{ status: 'failed' }] }],
  };
  expect(countRun(writeReport('failed.json', report), 1).failed).toBe(1);
});

test('counts a run that ended badly without naming a test as a failure', () => {
  expect(countRun(writeReport('crashed.json', clean), 1).failed).toBe(1);
  expect(countRun(join(folder, 'absent.json'), 1).failed).toBe(1);
});

test('counts a run without any test as a failure', () => {
  const empty = { ...clean, numPassedTests: 0, numPendingTests: 0, numTodoTests: 0, testResults: [] };
  expect(countRun(writeReport('empty.json', empty), 0).failed).toBe(1);
});

test('closes with a plain line, and names skipped tests only where there are some', () => {
  expect(closingLine({ passed: 7, failed: 0, skipped: 0 })).toBe('7 passed, 0 failed');
  const sum = addCounts({ passed: 7, failed: 1, skipped: 0 }, { passed: 1, failed: 0, skipped: 2 });
  expect(closingLine(sum)).toBe('8 passed, 1 failed, 2 skipped');
});
