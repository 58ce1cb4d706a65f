import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { byteStringFromText } from '@cofre/shared/bytes';
import type { ByteString } from '@cofre/shared/bytes';
import { statusOfPath } from '../platform/file-status.ts';
import { FolderHandle } from '../platform/folder-handle.ts';
import { FolderStack } from '../platform/folder-stack.ts';
import { makeFolderAt, makeNodeAt, setTimesAt } from '../platform/posix.ts';
import { openFileForReading } from './file-reader.ts';
import type { OpenFile } from './file-reader.ts';
import { lacks } from '../../../../test/requirements.ts';

const bytes = (text: string) => text as ByteString;

let base: ByteString;
let file: ByteString;
beforeEach(() => {
  base = byteStringFromText(fs.mkdtempSync(path.join(os.tmpdir(), 'cofre-reader-')));
  file = bytes(`${base}/file`);
  fs.writeFileSync(file, 'some content');
});
afterEach(() => {
  spawnSync('rm', ['-rf', base]);
});

/** Opens what is there now. */
function openFile(target: ByteString = file): OpenFile {
  const result = openFileForReading(target, statusOfPath(target));
  if (result.outcome !== 'open') throw new Error(result.outcome);
  return result.file;
}

function readText(open: OpenFile, position = 0, length = 1000): string {
  const target = new Uint8Array(length);
  return Buffer.from(target.subarray(0, open.read(target, position))).toString('latin1');
}

describe('reading', () => {
  test('fills the range that it is given, from any position', () => {
    using open = openFile();
    const target = new Uint8Array(20).fill(0x2e);
    expect(open.read(target.subarray(5, 9), 5)).toBe(4);
    expect(Buffer.from(target).toString()).toBe('.....cont...........');
    expect(readText(open, 10)).toBe('nt');
    expect(readText(open, 12)).toBe('');
    expect(readText(open, 13)).toBe('');
    expect(open.hasChanged()).toBe(false);
  });

  test('goes beyond 4 GiB', () => {
    fs.truncateSync(file, 5 * 1024 ** 3);
    using open = openFile();
    expect(readText(open, 5 * 1024 ** 3 - 3)).toBe('\0\0\0');
  });

  test('of a path over 4,096 bytes works', () => {
    using stack = new FolderStack(FolderHandle.open(base));
    const level = bytes('n'.repeat(255));
    for (let depth = 0; depth < 20; depth++) {
      makeFolderAt(stack.current.fd, level, 0o700);
      stack.enter(level);
    }
    fs.writeFileSync(stack.current.childPath(bytes('deep\xff')), 'deep');
    using open = openFile(bytes(`${base}/${`${level}/`.repeat(20)}deep\xff`));
    expect(readText(open)).toBe('deep');
  });

  test('works in a worker thread', async () => {
    const code = `
      const { workerData, parentPort } = require('node:worker_threads');
      import(workerData.module).then(({ openFileForReading }) => {
        const { file } = openFileForReading(workerData.file, workerData.expected);
        const target = new Uint8Array(100);
        parentPort.postMessage(Buffer.from(target.subarray(0, file.read(target, 0))).toString());
        file.close();
      });`;
    const module = new URL('./file-reader.ts', import.meta.url).href;
    const workerData = { module, file, expected: statusOfPath(file) };
    const worker = new Worker(code, { eval: true, workerData });
    const answer = new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    expect(await answer).toBe('some content');
    await worker.terminate();
  });

  test.skipIf(lacks('root'))('leaves the access time alone', () => {
    setTimesAt(-100, file, { atimeNs: 5n, mtimeNs: 6n });
    using open = openFile();
    readText(open);
    expect(statusOfPath(file).atimeNs).toBe(5n);
  });

  test.skipIf(lacks('root', 'setpriv'))('of a file of somebody else works without that right', () => {
    fs.chmodSync(base, 0o755);
    const script = `
      import { openFileForReading } from '${new URL('./file-reader.ts', import.meta.url).href}';
      import { statusOfPath } from '${new URL('../platform/file-status.ts', import.meta.url).href}';
      const { outcome } = openFileForReading('${file}', statusOfPath('${file}'));
      console.log(outcome);`;
    const ids = ['--reuid=65534', '--regid=65534', '--clear-groups', '--bounding-set=-all'];
    const run = spawnSync('setpriv', [...ids, process.execPath, '--input-type=module', '-e', script]);
    expect(run.stderr.toString()).toBe('');
    expect(run.stdout.toString()).toBe('open\n');
  });
});

describe('a file that changes while it is read', () => {
  test('and grows is read to the size that it had', () => {
    using open = openFile();
    fs.appendFileSync(file, ' and more');
    expect(readText(open)).toBe('some content');
    expect(open.hasChanged()).toBe(true);
  });

  test('and shrinks gives fewer bytes', () => {
    using open = openFile();
    fs.truncateSync(file, 4);
    expect(readText(open)).toBe('some');
    expect(readText(open, 6)).toBe('');
    expect(open.hasChanged()).toBe(true);
  });

  test('in place, or in its attributes only, is known to have changed', () => {
    setTimesAt(-100, file, { mtimeNs: 1n });
    using open = openFile();
    fs.writeFileSync(file, 'same length!');
    expect(open.hasChanged()).toBe(true);
    using again = openFile();
    fs.chmodSync(file, 0o600);
    setTimesAt(-100, file, { mtimeNs: again.status.mtimeNs });
    expect(waitForChange(again)).toBe(true);
  });

  test('and is deleted is read to its end', () => {
    using open = openFile();
    fs.unlinkSync(file);
    expect(readText(open)).toBe('some content');
  });
});

describe('a path that is something else by now', () => {
  const replacements: [string, (target: ByteString) => void][] = [
    ['another file', (target) => fs.writeFileSync(target, 'some content')],
    ['a folder', (target) => fs.mkdirSync(target)],
    ['a link to the same file', (target) => fs.symlinkSync(`${target}.moved`, target)],
    ['a FIFO', (target) => makeNodeAt(-100, target, 'fifo', 0o600)],
  ];
  test.each(replacements)('is told as replaced: %s', (_, replace) => {
    const expected = statusOfPath(file);
    const before = fs.readdirSync('/proc/self/fd').length;
    fs.renameSync(file, `${file}.moved`);
    replace(file);
    expect(openFileForReading(file, expected)).toEqual({ outcome: 'replaced' });
    expect(fs.readdirSync('/proc/self/fd').length).toBe(before);
  });

  test('is told as replaced when a folder above is a link to elsewhere', () => {
    fs.mkdirSync(`${base}/folder`);
    fs.writeFileSync(`${base}/folder/file`, 'mine');
    const target = bytes(`${base}/folder/file`);
    const expected = statusOfPath(target);
    fs.mkdirSync(`${base}/elsewhere`);
    fs.writeFileSync(`${base}/elsewhere/file`, 'secret');
    fs.renameSync(`${base}/folder`, `${base}/moved`);
    fs.symlinkSync('elsewhere', `${base}/folder`);
    expect(openFileForReading(target, expected)).toEqual({ outcome: 'replaced' });
  });

  test('gives an error when nothing is there', () => {
    const expected = statusOfPath(file);
    fs.unlinkSync(file);
    expect(() => openFileForReading(file, expected)).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  });
});

/** The kernel's clock ticks every few milliseconds: a change of attributes shows by the next tick. */
function waitForChange(open: OpenFile): boolean {
  for (let round = 0; round < 1000 && !open.hasChanged(); round++) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    setTimesAt(-100, file, { mtimeNs: open.status.mtimeNs });
  }
  return open.hasChanged();
}
