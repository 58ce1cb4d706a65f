import { afterAll, beforeAll, expect, test } from 'vitest';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { bytesFromByteString, byteStringFromText } from '@cofre/shared/bytes';
import type { ByteString } from '@cofre/shared/bytes';
import { readAccountNames } from '../platform/account-names.ts';
import type { AccountNames } from '../platform/account-names.ts';
import { openFileForReading } from './file-reader.ts';
import { readMetadata } from './metadata.ts';
import { mapSparseFile } from './sparse.ts';
import { walk } from './walk.ts';
import type { WalkedEntry } from './walk-item.ts';
import { buildHardTree } from '../../../../test/builders/hard-tree.ts';
import { removeTree } from '../../../../test/builders/remove-tree.ts';
import { lacks } from '../../../../test/requirements.ts';

/** One object as both sides describe it; bytes as hex. */
interface Description {
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly linkCount: number;
  readonly mtimeNs: string;
  readonly size: number;
  readonly target: string | null;
  readonly device: readonly number[] | null;
  readonly attributes: readonly (readonly [string, string])[];
  readonly extents: readonly (readonly [number, number])[] | null;
  readonly sha256: string | null;
}

/** An oracle that shares no code with us: it goes by descriptors, so that no path is too long for it. */
const PYTHON = String.raw`
import os, sys, json, stat, hashlib
def attributes(path):
    try: names = os.listxattr(path, follow_symlinks=False)
    except OSError: return []
    pairs = [(os.fsencode(n).hex(), os.getxattr(path, n, follow_symlinks=False).hex()) for n in names]
    return sorted(pairs)
def content(fd, size):
    extents, digest, end = [], hashlib.sha256(), 0
    while end < size:
        try: start = os.lseek(fd, end, os.SEEK_DATA)
        except OSError: break
        end = os.lseek(fd, start, os.SEEK_HOLE)
        extents.append((start, end - start))
        at = start
        while at < end:
            piece = os.pread(fd, min(1 << 20, end - at), at)
            digest.update(piece)
            at += len(piece)
    return extents, digest.hexdigest()
def describe(fd, name, path):
    s = os.stat(name, dir_fd=fd, follow_symlinks=False)
    kind = stat.S_IFMT(s.st_mode)
    if kind == stat.S_IFSOCK: return
    here = b'/proc/self/fd/%d/%s' % (fd, name)
    extents, digest = None, None
    if kind == stat.S_IFREG:
        file = os.open(name, os.O_RDONLY | os.O_NOATIME, dir_fd=fd)
        extents, digest = content(file, s.st_size)
        os.close(file)
    print(json.dumps({
        'path': path.hex(), 'mode': s.st_mode, 'uid': s.st_uid, 'gid': s.st_gid, 'linkCount': s.st_nlink,
        'mtimeNs': str(s.st_mtime_ns), 'size': s.st_size if kind == stat.S_IFREG else 0,
        'target': os.readlink(name, dir_fd=fd).hex() if kind == stat.S_IFLNK else None,
        'device': [os.major(s.st_rdev), os.minor(s.st_rdev)] if kind in (stat.S_IFCHR, stat.S_IFBLK) else None,
        'attributes': attributes(here), 'extents': extents, 'sha256': digest}))
    return kind == stat.S_IFDIR
stack = [(os.open(os.fsencode(sys.argv[1]), os.O_RDONLY), os.fsencode(sys.argv[2]))]
while stack:
    fd, path = stack.pop()
    for name in os.listdir(b'/proc/self/fd/%d' % fd):
        inner = path + b'/' + name
        if describe(fd, name, inner):
            stack.append((os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=fd), inner))
    os.close(fd)
`;

const typeBits: Readonly<Record<string, number>> = {
  file: 0o100000,
  directory: 0o040000,
  symlink: 0o120000,
  fifo: 0o010000,
  'character-device': 0o020000,
  'block-device': 0o060000,
};

let folder: string;
let root: string;
beforeAll(() => {
  folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'cofre-source-')));
  root = path.join(folder, 'tree');
  buildHardTree(root, { seed: 2 });
});
afterAll(() => removeTree(folder));

test.skipIf(lacks('python3'))('a hard tree is seen as Python sees it, byte for byte', () => {
  const problems: unknown[] = [];
  const seen = new Map<string, Description>();
  const names = readAccountNames();
  const prefix = byteStringFromText(`${root.slice(1)}/`);
  for (const item of [...walk([byteStringFromText(root)])].flat()) {
    if (item.kind === 'problem') problems.push(item);
    if (item.kind !== 'entry' || !item.path.startsWith(prefix)) continue;
    const description = describeEntry(item, names);
    seen.set(description.path, description);
  }
  expect(problems).toEqual([]);
  const run = spawnSync('python3', ['-c', PYTHON, root, root.slice(1)], { maxBuffer: 1024 ** 3 });
  expect(run.stderr.toString()).toBe('');
  const lines = run.stdout.toString().trim().split('\n');
  for (const line of lines) {
    const expected = JSON.parse(line) as Description;
    expect(seen.get(expected.path)).toEqual(expected);
  }
  expect(lines.length).toBeGreaterThan(3_000);
  expect(seen.size).toBe(lines.length);
});

function describeEntry({ path: entryPath, status }: WalkedEntry, names: AccountNames): Description {
  const source = `/${entryPath}` as ByteString;
  const { metadata, problems } = readMetadata(source, status, names);
  expect(problems).toEqual([]);
  const { mode, uid, gid, size, linkTarget, device, xattrs = [] } = metadata;
  return {
    path: bytesFromByteString(entryPath).toString('hex'),
    mode: typeBits[metadata.type]! | mode,
    uid,
    gid,
    linkCount: status.linkCount,
    mtimeNs: String(metadata.mtimeNs),
    size,
    target: linkTarget === undefined ? null : bytesFromByteString(linkTarget).toString('hex'),
    device: device === undefined ? null : [device.major, device.minor],
    attributes: xattrs.map(({ name, value }) => [
      bytesFromByteString(name).toString('hex'),
      Buffer.from(value).toString('hex'),
    ]),
    ...(metadata.type === 'file' ? describeContent(source, status) : { extents: null, sha256: null }),
  };
}

function describeContent(
  source: ByteString,
  status: WalkedEntry['status'],
): Pick<Description, 'extents' | 'sha256'> {
  const result = openFileForReading(source, status);
  if (result.outcome !== 'open') throw new Error(result.outcome);
  using file = result.file;
  const { data } = mapSparseFile(file.fd, status.sizeBytes, status.blocks);
  const hash = createHash('sha256');
  for (const { offset, length } of data) {
    const content = new Uint8Array(length);
    expect(file.read(content, offset)).toBe(length);
    hash.update(content);
  }
  expect(file.hasChanged()).toBe(false);
  return { extents: data.map(({ offset, length }) => [offset, length]), sha256: hash.digest('hex') };
}
