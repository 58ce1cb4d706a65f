import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { byteStringFromText } from '@cofre/shared/bytes';
import type { ByteString } from '@cofre/shared/bytes';
import { readAccountNames } from '../platform/account-names.ts';
import type { AccountNames } from '../platform/account-names.ts';
import { setExtendedAttribute } from '../platform/extended-attributes.ts';
import { statusOfPath } from '../platform/file-status.ts';
import { FolderHandle } from '../platform/folder-handle.ts';
import { FolderStack } from '../platform/folder-stack.ts';
import { makeFolderAt, makeNodeAt, makeSymlinkAt, setTimesAt } from '../platform/posix.ts';
import { readMetadata } from './metadata.ts';
import { lacks } from '../../../../test/requirements.ts';

const bytes = (text: string) => text as ByteString;
const nobody: AccountNames = { userName: () => undefined, groupName: () => undefined };

let base: ByteString;
let folder: FolderHandle;
beforeEach(() => {
  base = byteStringFromText(fs.mkdtempSync(path.join(os.tmpdir(), 'cofre-metadata-')));
  folder = FolderHandle.open(base);
});
afterEach(() => {
  folder.close();
  spawnSync('rm', ['-rf', base]);
});

function metadataOf(name: string, names: AccountNames = nobody) {
  const target = bytes(`${base}/${name}`);
  const { metadata, problems } = readMetadata(target, statusOfPath(target), names, { accessTimes: true });
  expect(problems).toEqual([]);
  return metadata;
}

function attributesOf(name: string): Record<string, string> {
  const { xattrs = [] } = metadataOf(name);
  return Object.fromEntries(
    xattrs.map((attribute) => [attribute.name, Buffer.from(attribute.value).toString('latin1')]),
  );
}

describe('metadata', () => {
  test('of a file has mode, owner, times and size, and nothing that is not there', () => {
    fs.writeFileSync(folder.childPath(bytes('file')), 'abc');
    fs.chmodSync(folder.childPath(bytes('file')), 0o4751);
    setTimesAt(folder.fd, bytes('file'), { mtimeNs: -7n, atimeNs: 4_400_000_000_000_000_001n });
    const { uid, gid } = os.userInfo();
    expect(metadataOf('file')).toEqual({
      type: 'file',
      mode: 0o4751,
      uid,
      gid,
      size: 3,
      mtimeNs: -7n,
      atimeNs: 4_400_000_000_000_000_001n,
    });
  });

  test('leaves access times out unless asked for them', () => {
    expect(readMetadata(base, statusOfPath(base), nobody).metadata).not.toHaveProperty('atimeNs');
  });

  test('of a link has its raw target, and no size', () => {
    const target = `${'../'.repeat(100)}\xff\n\x01`;
    makeSymlinkAt(folder.fd, bytes('link'), bytes(target));
    makeSymlinkAt(folder.fd, bytes('loop'), bytes('loop'));
    makeSymlinkAt(folder.fd, bytes('longest'), bytes('t'.repeat(4095)));
    expect(metadataOf('link')).toMatchObject({ type: 'symlink', linkTarget: target, size: 0 });
    expect(metadataOf('loop')).toMatchObject({ type: 'symlink', linkTarget: 'loop' });
    expect(metadataOf('longest').linkTarget).toBe('t'.repeat(4095));
  });

  test('of FIFOs and folders has no size', () => {
    makeNodeAt(folder.fd, bytes('fifo'), 'fifo', 0o600);
    makeFolderAt(folder.fd, bytes('inside'), 0o1700);
    expect(metadataOf('fifo')).toMatchObject({ type: 'fifo', size: 0 });
    expect(metadataOf('inside')).toMatchObject({ type: 'directory', mode: 0o1700, size: 0 });
  });

  test.skipIf(lacks('root'))('of a device has its numbers', () => {
    makeNodeAt(folder.fd, bytes('device'), 'block-device', 0o600, { major: 259, minor: 65_537 });
    expect(metadataOf('device')).toMatchObject({
      type: 'block-device',
      device: { major: 259, minor: 65_537 },
      size: 0,
    });
  });

  test('of an object that has gone, or changed its type, is refused', () => {
    fs.symlinkSync('x', folder.childPath(bytes('link')));
    const status = statusOfPath(bytes(`${base}/link`));
    fs.unlinkSync(folder.childPath(bytes('link')));
    expect(() => readMetadata(bytes(`${base}/link`), status, nobody)).toThrow('ENOENT');
    fs.writeFileSync(folder.childPath(bytes('link')), '');
    expect(() => readMetadata(bytes(`${base}/link`), status, nobody)).toThrow('EINVAL');
  });

  test('is read below paths of over 4,096 bytes', () => {
    const level = bytes('n'.repeat(255));
    using stack = new FolderStack(FolderHandle.open(base));
    for (let depth = 0; depth < 20; depth++) {
      makeFolderAt(stack.current.fd, level, 0o700);
      stack.enter(level);
    }
    makeSymlinkAt(stack.current.fd, bytes('link'), bytes('target'));
    setExtendedAttribute(stack.current.selfPath(), bytes('user.deep'), Buffer.from('down'));
    const deep = `${level}/`.repeat(20);
    expect(metadataOf(`${deep}link`).linkTarget).toBe('target');
    expect(attributesOf(deep.slice(0, -1))).toEqual({ 'user.deep': 'down' });
  });
});

describe('extended attributes', () => {
  test('are read raw and sorted by name, for files and folders, by path and by descriptor', () => {
    fs.writeFileSync(folder.childPath(bytes('file')), '');
    makeFolderAt(folder.fd, bytes('inside'), 0o700);
    for (const name of ['file', 'inside']) {
      const target = folder.childPath(bytes(name));
      for (const attribute of ['user.b', 'user.a\xff', 'user.C']) {
        setExtendedAttribute(target, bytes(attribute), Buffer.from([0, 255, 10]));
      }
      expect(metadataOf(name).xattrs?.map((attribute) => attribute.name)).toEqual([
        'user.C',
        'user.a\xff',
        'user.b',
      ]);
      expect(attributesOf(name)['user.b']).toBe('\0\xff\n');
      const fd = fs.openSync(target, 'r');
      const status = statusOfPath(bytes(`${base}/${name}`));
      expect(readMetadata(fd, status, nobody).metadata.xattrs).toEqual(metadataOf(name).xattrs);
      fs.closeSync(fd);
    }
  });

  test('hold POSIX ACLs, those that a folder gives to what is made in it among them', () => {
    makeFolderAt(folder.fd, bytes('inside'), 0o700);
    const acl = aclWithUser(12_345);
    setExtendedAttribute(folder.childPath(bytes('inside')), bytes('system.posix_acl_access'), acl);
    setExtendedAttribute(folder.childPath(bytes('inside')), bytes('system.posix_acl_default'), acl);
    expect(attributesOf('inside')).toEqual({
      'system.posix_acl_access': acl.toString('latin1'),
      'system.posix_acl_default': acl.toString('latin1'),
    });
  });

  test.skipIf(lacks('root'))('hold what only root may see, also of symbolic links and devices', () => {
    makeSymlinkAt(folder.fd, bytes('link'), bytes('nowhere'));
    makeNodeAt(folder.fd, bytes('device'), 'character-device', 0o600, { major: 1, minor: 3 });
    for (const name of ['link', 'device']) {
      setExtendedAttribute(folder.childPath(bytes(name)), bytes('trusted.x'), Buffer.from('secret'));
      expect(attributesOf(name)).toEqual({ 'trusted.x': 'secret' });
    }
    fs.writeFileSync(folder.childPath(bytes('program')), '');
    const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex');
    setExtendedAttribute(folder.childPath(bytes('program')), bytes('security.capability'), capability);
    expect(attributesOf('program')).toEqual({ 'security.capability': capability.toString('latin1') });
  });

  test('of a folder that is reached by a link are read on request', () => {
    makeFolderAt(folder.fd, bytes('real'), 0o700);
    setExtendedAttribute(folder.childPath(bytes('real')), bytes('user.x'), Buffer.from('y'));
    makeSymlinkAt(folder.fd, bytes('link'), bytes('real'));
    const status = statusOfPath(bytes(`${base}/real`));
    const link = bytes(`${base}/link`);
    expect(readMetadata(link, status, nobody).metadata.xattrs).toBeUndefined();
    expect(readMetadata(link, status, nobody, { followLink: true }).metadata.xattrs).toEqual([
      { name: 'user.x', value: Buffer.from('y') },
    ]);
  });

  test('are none where the file system has none', () => {
    const status = statusOfPath(bytes('/proc/self/status'));
    const result = readMetadata(bytes('/proc/self/status'), status, nobody);
    expect(result.problems).toEqual([]);
    expect(result.metadata).not.toHaveProperty('xattrs');
  });
});

describe('names of owners', () => {
  test('are those of the account files, the first of two; none is invented', () => {
    const users = `${base}/passwd`;
    const groups = `${base}/group`;
    fs.writeFileSync(users, '# comment\nroot:x:0:0::/:/bin/sh\ntoor:x:0:0::/:\n+::::::\nodd:x:0x7:7:::\n');
    fs.writeFileSync(groups, 'wheel:x:0:root\n:x:5:\nbig:x:4294967295:\nhuge:x:4294967296:\n');
    const names = readAccountNames(users, groups);
    expect(names.userName(0)).toBe('root');
    expect(names.userName(7)).toBeUndefined();
    expect(names.groupName(0)).toBe('wheel');
    expect(names.groupName(5)).toBeUndefined();
    expect(names.groupName(4_294_967_295)).toBe('big');
    expect(names.groupName(4_294_967_296)).toBeUndefined();
    expect(readAccountNames(`${base}/none`, `${base}/none`).userName(0)).toBeUndefined();
  });

  test('are part of the metadata where the machine knows them', () => {
    fs.writeFileSync(folder.childPath(bytes('file')), '');
    const names = { userName: () => 'ana', groupName: () => 'familia' };
    expect(metadataOf('file', names)).toMatchObject({ userName: 'ana', groupName: 'familia' });
  });
});

/** A POSIX ACL that gives one more user the right to read, as the kernel keeps it. */
function aclWithUser(uid: number): Buffer {
  const rules = [
    [0x01, 7, 0xffffffff],
    [0x02, 4, uid],
    [0x04, 5, 0xffffffff],
    [0x10, 7, 0xffffffff],
    [0x20, 0, 0xffffffff],
  ] as const;
  const acl = Buffer.alloc(4 + rules.length * 8);
  acl.writeUInt32LE(2, 0);
  for (const [index, [tag, rights, id]] of rules.entries()) {
    acl.writeUInt16LE(tag, 4 + index * 8);
    acl.writeUInt16LE(rights, 6 + index * 8);
    acl.writeUInt32LE(id, 8 + index * 8);
  }
  return acl;
}
