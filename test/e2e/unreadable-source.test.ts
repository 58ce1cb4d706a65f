import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { agentComputer, type AgentComputer, type AgentRun } from '../builders/agent-process.ts';
import { backUp, backupLine, expectEnd, expectSameTrees, restoredAt } from '../builders/agent-run.ts';
import type { Account } from '../builders/installation.ts';
import { SeededRandom } from '../builders/seeded-random.ts';
import { unprivileged, type Unprivileged } from '../builders/unprivileged.ts';
import { useInstallation } from '../builders/use-installation.ts';
import { lacks } from '../requirements.ts';

/** What cannot be read keeps what the last run had of it, marked; it is told, and the rest goes on. */

const isRoot = process.getuid?.() === 0;
const NOTHING_BYTES_MAX = 20_000;

const installation = useInstallation();
let account: Account;
let source: string;
let computer: AgentComputer;
let restores = 0;

interface Restored {
  readonly at: string;
  readonly summary: Record<string, unknown>;
  readonly stale: readonly unknown[];
}

async function restoreLatest(): Promise<Restored> {
  const target = account.at('home', `restored-${++restores}`);
  const run = await computer.run('restore', 'latest', '--target', target, '--kit', account.kit, '--json');
  expectEnd(run, 0);
  const notes = run.json().filter((line) => line['message_type'] === 'note');
  return {
    at: restoredAt(target, source),
    summary: run.jsonOf('summary'),
    stale: notes.filter(({ kind }) => kind === 'stale').map(({ path }) => path),
  };
}

/** Errors of a run: path, reason. */
function problemsOf(run: AgentRun): unknown[][] {
  const errors = run.json().filter((line) => line['message_type'] === 'error');
  return errors.map((error) => [error['path'], error['reason']]);
}

// Nothing is closed to root: whoever is root has to become somebody else first.
describe.skipIf(isRoot && lacks('setpriv', 'unshare', 'mount'))('to a user who may not read it', () => {
  let user: Unprivileged;
  const at = (...names: string[]): string => join(source, ...names);

  /** As a shell of that user would. */
  function make(...script: string[]): void {
    user.runScript(`process.umask(0o022); const fs = await import('node:fs'); ${script.join(';')}`, source);
  }

  beforeEach(async () => {
    account = await installation().account();
    user = unprivileged(account.at('project'));
    user.give(account.at('home'));
    source = account.at('home', 'source');
    make(
      `process.chdir('/'); fs.mkdirSync(process.argv[1] + '/closed/inner', { recursive: true })`,
      `for (const name of ['open', 'shut', 'closed/one', 'closed/inner/two'])
        fs.writeFileSync(process.argv[1] + '/' + name, 'content of ' + name)`,
      `fs.linkSync(process.argv[1] + '/closed/one', process.argv[1] + '/closed/one too')`,
    );
    // Makes the kit, in a folder where the user may write nothing.
    await account.computer('another');
    const stateFolder = account.at('home', 'state');
    computer = await account.computer('mine', { wrap: user.wrap, stateFolder });
    await backUp(computer, source);
  });

  test('a folder: all that was in it is carried forward, and marked; when it opens, nothing is sent again', async () => {
    chmodSync(at('closed'), 0);
    writeFileSync(at('open'), 'other content');
    const run = await computer.run('backup', source, '--json');
    expectEnd(run, 3);
    expect(problemsOf(run)).toEqual([[at('closed'), 'EACCES']]);
    expect(backupLine(run)).toMatchObject({ files_failed: 1, files_changed: 1, files_unmodified: 1 });
    const again = await computer.run('backup', source, '--json');
    expectEnd(again, 3);
    const restored = await restoreLatest();
    chmodSync(join(restored.at, 'closed'), 0o755);
    expect(readFileSync(join(restored.at, 'open'), 'utf8')).toBe('other content');
    expect(readFileSync(join(restored.at, 'closed/one'), 'utf8')).toBe('content of closed/one');
    expect(readFileSync(join(restored.at, 'closed/inner/two'), 'utf8')).toBe('content of closed/inner/two');
    const links = ['closed/one', 'closed/one too'].map((name) => lstatSync(join(restored.at, name)).ino);
    expect(links[0]).toBe(links[1]);
    expect(new Set(restored.stale)).toEqual(
      new Set([at('closed/inner'), at('closed/inner/two'), at('closed/one'), at('closed/one too')]),
    );

    chmodSync(at('closed'), 0o755);
    const opened = await backUp(computer, source);
    expect(opened).toMatchObject({ files_failed: 0 });
    expect(opened.bytes_sent).toBeLessThan(NOTHING_BYTES_MAX);
    const whole = await restoreLatest();
    expect(whole.stale).toEqual([]);
    expectSameTrees(source, whole.at);
  });

  test('a folder of which only the names can be listed', async () => {
    chmodSync(at('closed'), 0o444);
    const run = await computer.run('backup', source, '--json');
    expectEnd(run, 3);
    expect(problemsOf(run).length).toBeGreaterThan(0);
    const restored = await restoreLatest();
    chmodSync(join(restored.at, 'closed'), 0o755);
    expect(readFileSync(join(restored.at, 'closed/one'), 'utf8')).toBe('content of closed/one');
    expect(readFileSync(join(restored.at, 'closed/inner/two'), 'utf8')).toBe('content of closed/inner/two');
  });

  test('a file: its last content is carried forward; a new one is told and left out', async () => {
    make(`fs.writeFileSync(process.argv[1] + '/new', 'never read', { mode: 0 })`);
    make(`fs.writeFileSync(process.argv[1] + '/shut', 'changed, then shut')`);
    chmodSync(at('shut'), 0);
    const run = await computer.run('backup', source, '--json');
    expectEnd(run, 3);
    expect(problemsOf(run)).toEqual([
      [at('new'), 'EACCES'],
      [at('shut'), 'EACCES'],
    ]);
    const restored = await restoreLatest();
    expect(readdirSync(restored.at)).toEqual(['closed', 'open', 'shut']);
    expect(readFileSync(join(restored.at, 'shut'), 'utf8')).toBe('content of shut');
    expect(restored.stale).toEqual([at('shut')]);
    expect(restored.summary).toMatchObject({ files_stale: 1 });
  });

  test('the whole source: what was there stays', async () => {
    chmodSync(source, 0);
    const run = await computer.run('backup', source, '--json');
    expectEnd(run, 3);
    chmodSync(source, 0o755);
    const restored = await restoreLatest();
    chmodSync(restored.at, 0o755);
    expect(readFileSync(join(restored.at, 'closed/inner/two'), 'utf8')).toBe('content of closed/inner/two');
  });
});

describe.skipIf(lacks('strace'))('for a disk that fails', () => {
  const content = new SeededRandom('bad').bytes(3_000_000);

  /** Calls of the agent that read fail with EIO where they touch `path`. */
  function failingAt(path: string, call: string): (command: readonly string[]) => string[] {
    const inject = ['-e', `trace=${call}`, '-e', `inject=${call}:error=EIO`];
    return (command) => ['strace', '-f', '-qq', '-o', '/dev/null', '-P', path, ...inject, ...command];
  }

  beforeEach(async () => {
    account = await installation().account();
    mkdirSync(account.at('home'));
    source = account.at('source');
    mkdirSync(join(source, 'folder'), { recursive: true });
    writeFileSync(join(source, 'good'), 'good');
    writeFileSync(join(source, 'bad'), content);
    writeFileSync(join(source, 'folder/inside'), 'inside');
  });

  test.each([
    ['large', 3_000_000],
    ['small', 1000],
  ])('a %s file: told, its last content stays', async (_, length) => {
    const file = join(source, 'bad');
    writeFileSync(file, content.subarray(0, length));
    computer = await account.computer('one');
    const failing = agentComputer(computer.state, { wrap: failingAt(file, 'pread64') });
    const first = await failing.run('backup', source, '--json');
    expectEnd(first, 3);
    expect(problemsOf(first)).toEqual([[file, 'EIO']]);
    expect(readdirSync((await restoreLatest()).at)).toEqual(['folder', 'good']);
    await backUp(computer, source);
    writeFileSync(file, 'changed, and not to be read');
    const third = await failing.run('backup', source, '--json');
    expectEnd(third, 3);
    const restored = await restoreLatest();
    expect(restored.stale).toEqual([file]);
    expect(readFileSync(join(restored.at, 'bad')).equals(content.subarray(0, length))).toBe(true);
  });

  test('a folder that cannot be listed: what was in it stays', async () => {
    computer = await account.computer('one');
    await backUp(computer, source);
    rmSync(join(source, 'folder/inside'));
    const wrap = failingAt(join(source, 'folder'), 'getdents64');
    const failing = agentComputer(computer.state, { wrap });
    const run = await failing.run('backup', source, '--json');
    expectEnd(run, 3);
    expect(problemsOf(run)).toEqual([[join(source, 'folder'), 'EIO']]);
    const restored = await restoreLatest();
    expect(restored.stale).toEqual([join(source, 'folder/inside')]);
    await backUp(computer, source);
    expectSameTrees(source, (await restoreLatest()).at);
  });
});
