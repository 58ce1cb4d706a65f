import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatEnrolmentLine } from '@cofre/shared/wire/enrolment-line';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { lockState } from '../state/run-lock.ts';

/** The program as people start it, where no server is needed: exit statuses, and what goes where. */

const PROGRAM = new URL('../main.ts', import.meta.url).pathname;
let state: string;

beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'cofre-cli-'));
});
afterEach(() => rmSync(state, { recursive: true }));

function cofre(words: readonly string[], environment: NodeJS.ProcessEnv = {}): SpawnSyncReturns<string> {
  const env = { PATH: process.env['PATH'], COFRE_STATE: state, COFRE_LANGUAGE: 'en', ...environment };
  return spawnSync(process.execPath, [PROGRAM, ...words], { encoding: 'utf8', env, cwd: state });
}

function jsonLines(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

test('--help and --version answer on standard output with 0', () => {
  const help = cofre(['--help']);
  expect(help).toMatchObject({ status: 0, stderr: '' });
  expect(help.stdout).toContain('Usage: cofre');
  expect(cofre(['--version'])).toMatchObject({ status: 0, stderr: '' });
  expect(jsonLines(cofre(['version', '--json']).stdout)).toMatchObject([{ message_type: 'version' }]);
});

test('every command has help, in both languages', () => {
  const commands = [...cofre(['--help']).stdout.matchAll(/^ {2}([a-z-]+) /gm)].map((match) =>
    String(match[1]),
  );
  expect(commands).toEqual(
    expect.arrayContaining([
      'enroll',
      'backup',
      'snapshots',
      'ls',
      'find',
      'diff',
      'restore',
      'verify',
      'status',
      'key',
    ]),
  );
  for (const command of commands) {
    const help = cofre([command, '--help'], { COFRE_LANGUAGE: 'es' });
    expect(help).toMatchObject({ status: 0, stderr: '' });
    expect(help.stdout).toContain(`Uso: cofre ${command}`);
  }
});

describe('usage errors end with 2', () => {
  test.each([
    [['frobnicate']],
    [['backup', '--frobnicate']],
    [['backup']],
    [['backup', '--full', '--differential', '/x']],
    [['enroll', 'line']],
    [['enroll', '--kit', 'kit.txt']],
    [['enroll', 'not a line', '--kit', 'kit.txt']],
    [['restore', 'latest']],
    [['restore', 'latest', '--target', 't', '--existing', 'delete']],
    [['key']],
    [['completion', 'tcsh']],
    [[]],
  ])('%j', (words) => {
    const { status, stderr } = cofre(words);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^error: .+\nhint: .+$/m);
  });

  test('with --json as an object on standard output too', () => {
    const { stdout, stderr, status } = cofre(['backup', '--frobnicate', '--json']);
    expect(status).toBe(2);
    expect(jsonLines(stdout)).toMatchObject([
      { message_type: 'error', code: 'usage', exit_code: 2, retryable: false },
    ]);
    expect(stderr).toContain('--frobnicate');
  });
});

test.each([[['backup', '/etc']], [['snapshots']], [['status']], [['key', 'show-kit']]])(
  'a computer that is not enrolled ends %j with 10',
  (words) => {
    const { status, stderr } = cofre(words);
    expect(status).toBe(10);
    expect(stderr).toContain(`not enrolled (no state in ${state})`);
  },
);

test('errors speak the language of the surroundings', () => {
  const { stderr } = cofre(['status'], { COFRE_LANGUAGE: '', LANG: 'es_BO.UTF-8' });
  expect(stderr).toContain('Este equipo no está registrado');
});

test('a kit that is missing or none ends with 12', () => {
  writeFileSync(join(state, 'none.txt'), 'nothing');
  for (const file of ['missing.txt', 'none.txt']) {
    const { status, stderr } = cofre(['ls', 'latest', '--kit', file]);
    expect(stderr).toContain(`${file} is not a recovery kit`);
    expect(status).toBe(12);
  }
  expect(cofre(['ls', 'latest']).status).toBe(2);
});

test('a state that is in use ends with 11', () => {
  using _lock = lockState(state);
  const line = formatEnrolmentLine({
    address: 'http://127.0.0.1:9',
    code: 'x'.repeat(24),
    certificatePin: null,
  });
  expect(cofre(['enroll', line, '--kit', join(state, 'kit.txt')])).toMatchObject({ status: 11, stdout: '' });
});

test('a state file that is damaged ends with 1, and names it', () => {
  writeFileSync(join(state, 'identity.json'), '{');
  const { status, stdout } = cofre(['status', '--json']);
  expect(status).toBe(1);
  expect(jsonLines(stdout)).toMatchObject([{ message_type: 'error', code: 'state_damaged' }]);
});

test('the enrolment line may come from standard input or a file', () => {
  const file = join(state, 'line.txt');
  writeFileSync(file, 'cofre1:broken\n');
  const fromFile = cofre(['enroll', '--kit', 'kit.txt'], { COFRE_ENROLL_LINE_FILE: file });
  expect(fromFile.stderr).toContain('not a complete enrolment line');
  const env = { PATH: process.env['PATH'], COFRE_STATE: state, COFRE_LANGUAGE: 'en' };
  const words = [PROGRAM, 'enroll', '-', '--kit', 'kit.txt'];
  const piped = spawnSync(process.execPath, words, { encoding: 'utf8', env, input: 'cofre1:broken\n' });
  expect(piped.stderr).toContain('not a complete enrolment line');
});

test('the completion of bash knows every command', () => {
  const script = cofre(['completion', 'bash']).stdout;
  expect(script).toMatch(/^ {4}key\) words="show-kit test .*--kit/m);
  expect(script).toMatch(/^ {4}backup\) words=".*--one-file-system/m);
});
