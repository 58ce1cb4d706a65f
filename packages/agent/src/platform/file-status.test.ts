import { afterEach, beforeEach, expect, test } from 'vitest';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { byteStringFromText } from '@cofre/shared/bytes';
import type { ByteString } from '@cofre/shared/bytes';
import { followedStatusAt, statusAt, statusOf } from './file-status.ts';
import { FolderHandle } from './folder-handle.ts';
import { setTimesAt } from './posix.ts';

const bytes = (text: string) => text as ByteString;

let folder: FolderHandle;
beforeEach(() => {
  folder = FolderHandle.open(byteStringFromText(fs.mkdtempSync(path.join(os.tmpdir(), 'cofre-status-'))));
});
afterEach(() => {
  folder.close();
  fs.rmSync(folder.path, { recursive: true });
});

test('status is what node:fs says, for a real tree of many types', () => {
  using dev = FolderHandle.open(bytes('/dev'));
  for (const name of fs.readdirSync('/dev')) {
    const expected = fs.lstatSync(`/dev/${name}`, { bigint: true });
    expect(statusAt(dev, bytes(name))).toMatchObject({
      mode: Number(expected.mode) & 0o7777,
      uid: Number(expected.uid),
      gid: Number(expected.gid),
      linkCount: Number(expected.nlink),
      sizeBytes: Number(expected.size),
      blocks: Number(expected.blocks),
      inode: expected.ino,
      deviceMajor: Number(expected.rdev >> 8n) & 0xfff,
      mtimeNs: expected.mtimeNs,
      ctimeNs: expected.ctimeNs,
    });
  }
});

test('times outside 1970 to 2038, and setuid bits, are read exactly', () => {
  fs.writeFileSync(folder.childPath(bytes('file')), 'abc');
  fs.chmodSync(folder.childPath(bytes('file')), 0o6755);
  for (const mtimeNs of [-1n, -1_000_000_001n, 4_400_000_000_000_000_001n]) {
    setTimesAt(folder.fd, bytes('file'), { mtimeNs, atimeNs: mtimeNs + 1n });
    expect(statusAt(folder, bytes('file'))).toMatchObject({
      type: 'file',
      mode: 0o6755,
      sizeBytes: 3,
      mtimeNs,
      atimeNs: mtimeNs + 1n,
    });
  }
});

test('a link is looked at itself, followed only on request', () => {
  fs.symlinkSync('.', folder.childPath(bytes('link')));
  expect(statusAt(folder, bytes('link'))).toMatchObject({ type: 'symlink', sizeBytes: 1 });
  expect(followedStatusAt(folder, bytes('link'))).toEqual(statusOf(folder.fd));
});
