import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { byteStringFromText } from '@cofre/shared/bytes';
import type { ByteString } from '@cofre/shared/bytes';
import { FolderHandle, withReachablePath } from './folder-handle.ts';
import { FolderStack } from './folder-stack.ts';
import { makeFolderAt } from './posix.ts';

const bytes = (text: string) => text as ByteString;
const longName = bytes('n'.repeat(250));

let base: ByteString;
beforeEach(() => {
  base = byteStringFromText(fs.mkdtempSync(path.join(os.tmpdir(), 'cofre-folder-')));
});
afterEach(() => {
  fs.rmSync(base, { recursive: true });
});

/** Makes `depth` folders in one another; gives the path of the deepest. */
function makeDeepFolders(depth: number): ByteString {
  using stack = new FolderStack(FolderHandle.open(base));
  for (let level = 0; level < depth; level++) {
    makeFolderAt(stack.current.fd, longName, 0o700);
    stack.enter(longName);
  }
  return bytes(`${base}${`/${longName}`.repeat(depth)}`);
}

describe('a folder handle', () => {
  test('reaches a file by a short path below a path of over 10,000 bytes', () => {
    const deep = makeDeepFolders(40);
    expect(deep.length).toBeGreaterThan(10_000);
    using folder = FolderHandle.open(deep);
    const file = folder.childPath(bytes('file\xff'));
    fs.writeFileSync(file, 'content');
    expect(fs.readFileSync(file, 'latin1')).toBe('content');
    expect(fs.readdirSync(folder.selfPath(), 'latin1')).toEqual(['file\xff']);
    withReachablePath(bytes(`${deep}/file\xff`), (reachable) => {
      expect(reachable.length).toBeLessThan(100);
      expect(fs.readFileSync(reachable, 'latin1')).toBe('content');
    });
  });

  test('refuses a link in place of a folder unless told to follow it', () => {
    fs.symlinkSync('/', `${base}/link`);
    using folder = FolderHandle.open(base);
    expect(() => folder.openFolder(bytes('link'))).toThrow('ENOTDIR');
    using followed = folder.openFolder(bytes('link'), 'follow');
    expect(fs.fstatSync(followed.fd).ino).toBe(fs.statSync('/').ino);
  });

  test('refuses names that would leave it', () => {
    using folder = FolderHandle.open(base);
    for (const name of ['', '.', '..', '../x', '/etc', 'a/b']) {
      expect(() => folder.openFolder(bytes(name))).toThrow('EINVAL');
      expect(() => folder.childPath(bytes(name))).toThrow('EINVAL');
    }
  });

  test('is opened by absolute paths only, slashes doubled or not', () => {
    expect(() => FolderHandle.open(bytes('relative'))).toThrow('EINVAL');
    FolderHandle.open(bytes(`//${base.slice(1)}//`)).close();
    FolderHandle.open(bytes('/')).close();
  });

  test('that cannot be opened at the far end of a long path leaves nothing open', () => {
    const deep = makeDeepFolders(20);
    const before = openDescriptors();
    expect(() => FolderHandle.open(bytes(`${deep}/none`))).toThrow('ENOENT');
    expect(openDescriptors()).toBe(before);
  });

  test('names a component that is too long', () => {
    expect(() => FolderHandle.open(bytes(`/${'x'.repeat(5000)}`))).toThrow('ENAMETOOLONG');
  });

  test('goes on working when the folder is renamed', () => {
    fs.mkdirSync(`${base}/before`);
    using folder = FolderHandle.open(bytes(`${base}/before`));
    fs.renameSync(`${base}/before`, `${base}/after`);
    fs.writeFileSync(folder.childPath(bytes('file')), '');
    expect(fs.readdirSync(`${base}/after`)).toEqual(['file']);
  });
});

describe('a folder stack', () => {
  test('holds few descriptors in a deep tree, and finds its way back', () => {
    makeDeepFolders(50);
    const openBefore = openDescriptors();
    const stack = new FolderStack(FolderHandle.open(base), 4);
    const inodes: number[] = [];
    for (let level = 0; level < 50; level++) {
      inodes.push(fs.fstatSync(stack.current.fd).ino);
      stack.enter(longName);
      expect(openDescriptors() - openBefore).toBeLessThanOrEqual(4);
    }
    while (stack.depth > 0) {
      stack.leave();
      expect(fs.fstatSync(stack.current.fd).ino).toBe(inodes[stack.depth]);
      expect(openDescriptors() - openBefore).toBeLessThanOrEqual(4);
    }
    stack.close();
    expect(openDescriptors()).toBe(openBefore);
  });

  test('reports a folder that was replaced while it was not held open', () => {
    makeDeepFolders(4);
    using stack = new FolderStack(FolderHandle.open(base), 2);
    for (let level = 0; level < 4; level++) stack.enter(longName);
    fs.renameSync(`${base}/${longName}`, `${base}/moved`);
    fs.mkdirSync(`${base}/${longName}/${longName}`, { recursive: true });
    stack.leave();
    stack.leave();
    expect(() => stack.current).toThrow('ESTALE');
  });

  test('stays where it is when a folder cannot be entered', () => {
    using stack = new FolderStack(FolderHandle.open(base));
    expect(() => stack.enter(bytes('none'))).toThrow('ENOENT');
    expect(stack.depth).toBe(0);
    expect(stack.current.path).toBe(base);
    expect(() => stack.leave()).toThrow(RangeError);
  });
});

function openDescriptors(): number {
  return fs.readdirSync('/proc/self/fd').length;
}
