import type { ByteString } from '@cofre/shared/bytes';
import type { EntryMetadata } from '@cofre/shared/catalog/entry-codec';
import type { Extent } from '@cofre/shared/format/entry';
import type { FakeEntry, FakeTree } from './fake-vault.ts';

/** A time with nanoseconds, long before any test runs. */
export const FAKE_MTIME_NS = 1_600_000_000_123_456_789n;

const OWNER = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };

type Details = Partial<EntryMetadata>;

export function fakeFile(content: string | Buffer, details: Details = {}): FakeEntry {
  const bytes = Buffer.from(content);
  return { entry: { ...base('file', 0o644), size: bytes.length, ...details }, content: bytes };
}

/** A file with holes; `content` is what lies between them. */
export function fakeSparseFile(size: number, holes: readonly Extent[], content: Buffer): FakeEntry {
  return { entry: { ...base('file', 0o600), size, holes }, content };
}

export function fakeFolder(details: Details = {}): FakeEntry {
  return { entry: { ...base('directory', 0o755), ...details } };
}

export function fakeSymlink(linkTarget: string, details: Details = {}): FakeEntry {
  return { entry: { ...base('symlink', 0o777), linkTarget: linkTarget as ByteString, ...details } };
}

export function fakeHardLink(first: string, details: Details = {}): FakeEntry {
  return { entry: { ...base('file', 0o644), hardLinkTo: first as ByteString, ...details } };
}

export function fakeFifo(): FakeEntry {
  return { entry: base('fifo', 0o600) };
}

/** Adds the folders above every entry that the tree lacks, with the root of the file system. */
export function withFolders(tree: FakeTree): FakeTree {
  const whole: Record<string, FakeEntry> = { '': fakeFolder() };
  for (const path of Object.keys(tree)) {
    const components = path.split('/');
    for (let depth = 1; depth < components.length; depth++) {
      whole[components.slice(0, depth).join('/')] ??= fakeFolder();
    }
  }
  return { ...whole, ...tree };
}

function base(type: EntryMetadata['type'], mode: number): EntryMetadata {
  return { type, mode, ...OWNER, mtimeNs: FAKE_MTIME_NS, size: 0 };
}
