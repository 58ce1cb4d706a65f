import { spawnSync } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import type { AgentComputer } from '../builders/agent-process.ts';
import { backUp, expectEnd, restore, restoredAt } from '../builders/agent-run.ts';
import type { Account } from '../builders/installation.ts';
import { useInstallation } from '../builders/use-installation.ts';
import { lacks } from '../requirements.ts';

/** What a run leaves out because it was told to: patterns, caches, other file systems, its own state. */

const installation = useInstallation();
let account: Account;
let computer: AgentComputer;
let source: string;

beforeEach(async () => {
  ({ account, computer, source } = await installation().computer());
  mkdirSync(source);
});

function write(...paths: string[]): void {
  for (const path of paths) {
    mkdirSync(dirname(join(source, path)), { recursive: true });
    writeFileSync(join(source, path), path);
  }
}

/** Paths below the source in the newest snapshot, as a restore brings them back. */
async function restoredPaths(): Promise<string[]> {
  const target = account.at('target');
  await restore(computer, account, 'latest', target);
  return readdirSync(restoredAt(target, source), { recursive: true, encoding: 'utf8' }).sort();
}

test('patterns, as git knows them: the last that matches decides', async () => {
  write('keep.txt', 'drop.log', 'important.log', 'build/out.js', 'deep/build/out.js', 'deep/er/note.log');
  write('node_modules/a/b', 'deep/node_modules', 'a/temp1', 'b/temp12', 'only-here/x', 'deep/only-here/x');
  const patterns = account.at('patterns');
  writeFileSync(patterns, `# a comment\n*.log\n!important.log\n${source}/only-here\n`);
  const words = ['--exclude', 'build/', '--exclude', 'node_modules/', '--exclude', 'temp?'];
  await backUp(computer, source, ...words, '--exclude-file', patterns);
  expect(await restoredPaths()).toEqual(
    ['a', 'b', 'b/temp12', 'deep', 'deep/er', 'deep/node_modules', 'deep/only-here', 'deep/only-here/x']
      .concat(['important.log', 'keep.txt'])
      .sort(),
  );
});

test('what is excluded from now on is gone from the next snapshot, and comes back when it is not', async () => {
  write('a', 'b/c');
  expect(await backUp(computer, source)).toMatchObject({ files_new: 2 });
  expect(await backUp(computer, source, '--exclude', 'b')).toMatchObject({ files_unmodified: 1 });
  expect(await backUp(computer, source)).toMatchObject({ files_new: 1, files_unmodified: 1 });
  expect(await restoredPaths()).toEqual(['a', 'b', 'b/c']);
});

test('folders that say that they are caches, only when asked for, and only where the tag is genuine', async () => {
  const tag = 'Signature: 8a477f597d28d172789f06886806bc55\n# a cache of something';
  write('cache/big', 'cache/deep/big', 'no cache/small', 'plain');
  writeFileSync(join(source, 'cache/CACHEDIR.TAG'), tag);
  writeFileSync(join(source, 'no cache/CACHEDIR.TAG'), 'Signature: something else');
  expect(await backUp(computer, source)).toMatchObject({ files_new: 6 });
  const run = await computer.run('backup', source, '--exclude-caches', '--json');
  expectEnd(run, 0);
  expect(run.jsonOf('skipped')).toMatchObject({ path: join(source, 'cache') });
  const paths = await restoredPaths();
  expect(paths.filter((path) => !path.startsWith('cache/'))).toEqual(
    ['cache', 'no cache', 'no cache/CACHEDIR.TAG', 'no cache/small', 'plain'].sort(),
  );
  // The tag itself may stay: it says why the folder is empty.
  expect(paths.filter((path) => /^cache\/(?!CACHEDIR)/.test(path))).toEqual([]);
});

test('its own state and cache, which change while it runs', async () => {
  await backUp(computer, account.folder, '--exclude', 'target');
  const found = await computer.run('find', 'latest', '*.run*', '--kit', account.kit);
  expect(found.stdout).toBe('');
  const identity = await computer.run('ls', 'latest', computer.state, '--kit', account.kit);
  expect(identity.stdout).not.toContain('identity');
});

test.skipIf(lacks('root', 'mount', 'umount'))('other file systems, when asked for', async () => {
  write('here', 'mounted/hidden below the mount');
  const mounted = join(source, 'mounted');
  expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'cofre-test', mounted]).status).toBe(0);
  try {
    write('mounted/there');
    await backUp(computer, source, '--one-file-system', '--set', 'one');
    await backUp(computer, source, '--set', 'all');
    // A root that is a mount itself is what was asked for.
    expect(await backUp(computer, mounted, '--one-file-system')).toMatchObject({ files_new: 1 });
  } finally {
    spawnSync('umount', [mounted]);
  }
  for (const [set, files] of [
    ['one', ['here', 'mounted']],
    ['all', ['here', 'mounted', 'mounted/there']],
  ] as const) {
    const target = account.at(`target-${set}`);
    await restore(computer, account, 'latest', target, '--set', set);
    const paths = readdirSync(restoredAt(target, source), { recursive: true, encoding: 'utf8' });
    expect(paths.sort()).toEqual(files);
    expect(lstatSync(join(restoredAt(target, source), 'mounted')).isDirectory()).toBe(true);
  }
});

test('a dry run: it says what would be done, asks the server for nothing to keep, and leaves no trace', async () => {
  write('a', 'b/c');
  const used = await account.usedBytes();
  expect(await backUp(computer, source, '--dry-run')).toMatchObject({ files_new: 2, bytes_sent: 0 });
  expect(await account.usedBytes()).toBe(used);
  expect((await computer.run('snapshots', '--json')).json()).toEqual([]);
  await backUp(computer, source);
  write('b/d');
  expect(await backUp(computer, source, '--dry-run')).toMatchObject({ files_new: 1, files_unmodified: 2 });
  expect(await backUp(computer, source)).toMatchObject({ files_new: 1, files_unmodified: 2 });
  const target = account.at('target');
  const words = ['restore', 'latest', '--target', target, '--kit', account.kit, '--dry-run', '--json'];
  const restored = await computer.run(...words);
  expectEnd(restored, 0);
  expect(restored.jsonOf('summary')).toMatchObject({ dry_run: true, files_restored: 3 });
  expect(() => lstatSync(target)).toThrow('ENOENT');
});
