import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lockState } from './run-lock.ts';

let folder: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofre-lock-'));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

/** A process that holds the lock until it is killed. */
async function startHolder(): Promise<ChildProcess> {
  const module = new URL('run-lock.ts', import.meta.url).href;
  const code = [
    `import { lockState } from ${JSON.stringify(module)};`,
    `globalThis.lock = lockState(${JSON.stringify(folder)});`,
    `process.stdout.write('locked');`,
    'setInterval(() => {}, 1000);',
  ].join('\n');
  const child = spawn(process.execPath, ['--input-type=module', '--eval', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  await once(child.stdout, 'data');
  return child;
}

test('the lock is free again once it was disposed of', () => {
  {
    using _lock = lockState(folder);
    expect(() => lockState(folder)).toThrow(/in use by another process/);
  }
  using lock = lockState(folder);
  expect(lock).toBeDefined();
});

test('another process has it alone, and leaves nothing behind when it is killed', async () => {
  const holder = await startHolder();
  expect(() => lockState(folder)).toThrow(/in use by another process/);
  const ended = once(holder, 'exit');
  holder.kill('SIGKILL');
  await ended;
  using lock = lockState(folder);
  expect(lock).toBeDefined();
});
