import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, expect, test } from 'vitest';
import type { Administration } from '../administration/administration.ts';
import { asked, MEMORY_SNAPSHOT_ID, retentionInMemory } from '../../../../test/fakes/memory-retention.ts';
import type { CommandSurroundings } from './administration-command.ts';
import { runCommandLine } from './program.ts';

afterEach(() => {
  asked.last = null;
  process.exitCode = undefined;
});

async function run(...words: string[]) {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const output = { stdout, stderr: stderr as unknown as NodeJS.WriteStream };
  const administration = { retention: retentionInMemory } as Administration;
  const appliance = {
    administer: (_: unknown, work: (given: Administration) => Promise<unknown>) => work(administration),
  } as unknown as CommandSurroundings['appliance'];
  const status = await runCommandLine([...words, '--data', 'd'], { appliance, output }, {});
  stdout.end();
  stderr.end();
  return { status, stdout: await text(stdout), stderr: await text(stderr) };
}

test.each([
  ['no rule', ['retention', 'set', 'x']],
  ['a rule that keeps nothing', ['retention', 'set', 'x', '--keep-last', '0']],
  ['half a day', ['retention', 'set', 'x', '--keep-days', '1.5']],
  ['two ways at once', ['retention', 'set', 'x', '--daily', '7', '--everything']],
  ['nothing to delete', ['snapshot', 'delete', 'x', '--yes']],
  ['a set without its device', ['snapshot', 'delete', 'x', '--whole-set', '--set', 'abcdef', '--yes']],
  ['a snapshot and a set', ['snapshot', 'delete', 'x', '7', '--whole-set', '--yes']],
  ['a deletion that no one confirms', ['snapshot', 'delete', 'x', '7']],
  ['rules that no one confirms', ['retention', 'apply', 'x']],
  ['half a day of lock', ['tenant', 'lock', 'x', '--days', '0.5']],
])('%s is a wrong command line: status 2, and nothing on standard output', async (_, words) => {
  const ended = await run(...words);
  expect([ended.status, ended.stdout]).toEqual([2, '']);
});

test('a rule is set from its parts, with a time zone, for one set or by default', async () => {
  const rule = ['--keep-last', '3', '--changed-and-deleted-days', '30', '--time-zone', 'America/Santiago'];
  const ended = await run('retention', 'set', 'x', '--device', 'note', '--set', 'abcdef', ...rule);
  expect(ended.status).toBe(0);
  expect(ended.stdout).toContain('keep-last 3, changed-and-deleted-days 30 (America/Santiago)\n');
  expect(asked.last).toMatchObject({
    device: 'note',
    set: 'abcdef',
    choice: { mode: 'rule', timeZone: 'America/Santiago', rule: { keepLast: 3, daily: 0 } },
  });
  await run('retention', 'set', 'x', '--everything');
  expect(asked.last).toEqual({ choice: { mode: 'everything' } });
});

test('a preview says what goes, when and why, and a dry run of a rule is one', async () => {
  for (const words of [
    ['preview', 'x'],
    ['set', 'x', '--daily', '7', '--dry-run'],
    ['apply', 'x', '--dry-run'],
  ]) {
    const { status, stdout } = await run('retention', ...words);
    expect(status).toBe(0);
    expect(stdout).toContain('no part of the rule keeps it');
    expect(stdout).toContain('note\\u{202e}book');
    expect(stdout).toContain('0 stay, 1 go: that frees 2.0 KiB\n');
  }
  const json = await run('retention', 'preview', 'x', '--json');
  expect(JSON.parse(json.stdout)).toMatchObject({
    message_type: 'summary',
    freed_bytes: 2048,
    items: [{ snapshot_id: MEMORY_SNAPSHOT_ID, stays: false, reasons: [{ code: 'not_kept' }] }],
  });
});

test('a deletion is told with its end, and a dry run as one', async () => {
  const deleted = await run('snapshot', 'delete', 'x', '7', '--yes');
  expect(deleted.stdout).toContain(`deleted ${MEMORY_SNAPSHOT_ID}\n`);
  expect(deleted.stdout).toContain('it can be undone; then it frees 1.0 KiB\n');
  expect(asked.last).toEqual({ snapshot: '7', isDryRun: false });
  const planned = await run('snapshot', 'delete', 'x', '7', '--dry-run');
  expect(planned.stdout).toContain('would delete');
  expect(asked.last).toEqual({ snapshot: '7', isDryRun: true });
  expect((await run('snapshot', 'undelete', 'x', '7')).stdout).toBe(`brought back ${MEMORY_SNAPSHOT_ID}\n`);
});

test('periods are days', async () => {
  expect((await run('tenant', 'lock', 'x', '--days', '30')).stdout).toContain('locked for 30 days');
  expect((await run('tenant', 'undo-time', 'x', '--days', '2')).stdout).toContain('undone for 2 days');
});
