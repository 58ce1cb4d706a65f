import { join } from 'node:path';
import { expect } from 'vitest';
import type { AgentComputer, AgentRun } from './agent-process.ts';
import { compareTrees, compareTreesInPython, describeDifference } from './compare-trees.ts';
import type { Account } from './installation.ts';

const SAID_CHARACTERS_MAX = 2000;
const DIFFERENCES_SHOWN_MAX = 20;

/** How a command ended; when it did otherwise, what it said stands in the message. */
export function expectEnd({ status, signal, stdout, stderr }: AgentRun, expected: number): void {
  const said =
    status === expected ? '' : `${stdout.slice(-SAID_CHARACTERS_MAX)}\n${stderr.slice(-SAID_CHARACTERS_MAX)}`;
  expect({ status, signal, said }).toEqual({ status: expected, signal: null, said: '' });
}

/** How a command is to fail. */
export interface ExpectedFailure {
  readonly exit: number;
  readonly code: string;
  readonly message: string | RegExp;
  readonly hint: string;
}

/** Expects a failure, told to people on standard error and, of a command with `--json`, to programs as well. */
export function expectFailure(run: AgentRun, { exit, code, message, hint }: ExpectedFailure): void {
  expectEnd(run, exit);
  const said = /^error: ([^]*)\nhint: (.*)\n$/m.exec(run.stderr);
  const text = typeof message === 'string' ? message : expect.stringMatching(message);
  expect({ message: said?.[1], hint: said?.[2] }).toEqual({ message: text, hint });
  const errors = run.stdout === '' ? [] : run.json().filter((line) => 'exit_code' in line);
  if (run.stdout === '') return;
  expect(errors).toMatchObject([{ message_type: 'error', code, message: text, hint, exit_code: exit }]);
}

export interface BackupLine {
  readonly snapshot_id: string;
  readonly kind: string;
  readonly chunks_healed: number;
  readonly files_new: number;
  readonly files_changed: number;
  readonly files_unmodified: number;
  readonly files_failed: number;
  readonly bytes_read: number;
  readonly bytes_sent: number;
  readonly bytes_total: number;
}

/** Backs up and expects the run to be whole; gives its summary. */
export async function backUp(computer: AgentComputer, ...words: string[]): Promise<BackupLine> {
  const run = await computer.run('backup', ...words, '--json');
  expectEnd(run, 0);
  return backupLine(run);
}

/** The summary of a backup. */
export function backupLine(run: AgentRun): BackupLine {
  return run.jsonOf('summary') as unknown as BackupLine;
}

/** Restores everything that can be restored and expects it to be whole; gives the summary. */
export async function restore(
  computer: AgentComputer,
  { kit }: Account,
  snapshot: string,
  target: string,
  ...words: string[]
): Promise<Record<string, unknown>> {
  const asked = ['restore', snapshot, ...words, '--target', target, '--kit', kit];
  const run = await computer.run(...asked, '--json');
  expectEnd(run, 0);
  const summary = run.jsonOf('summary');
  expect(summary).toMatchObject({ is_complete: true, chunks_lost: 0 });
  expect(summary['problems']).toEqual({});
  return summary;
}

/** Where a path lies below a target. */
export function restoredAt(target: string, source: string): string {
  return join(target, source);
}

/** Both trees are the same; sockets, which no backup keeps, are left out. */
export function expectSameTrees(expected: string, actual: string): void {
  const differences = [];
  for (const difference of compareTrees(expected, actual, { ignoreSockets: true })) {
    differences.push(describeDifference(difference));
    if (differences.length === DIFFERENCES_SHOWN_MAX) break;
  }
  expect(differences).toEqual([]);
}

/** As {@link expectSameTrees}, and a program that shares no code with ours finds no difference either. */
export function expectSameTreesTwice(expected: string, actual: string): void {
  expectSameTrees(expected, actual);
  const others = compareTreesInPython(expected, actual, { ignoreSockets: true }) ?? [];
  expect(others.slice(0, DIFFERENCES_SHOWN_MAX).map(describeDifference)).toEqual([]);
}

/** Restores a snapshot into a new folder and compares it with what it was made of. */
export async function expectRestores(
  computer: AgentComputer,
  account: Account,
  snapshot: string,
  expected: { readonly source: string; readonly like?: string; readonly target: string },
): Promise<void> {
  await restore(computer, account, snapshot, expected.target);
  expectSameTrees(expected.like ?? expected.source, restoredAt(expected.target, expected.source));
}
