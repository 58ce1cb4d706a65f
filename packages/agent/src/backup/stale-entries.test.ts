import { catalogKey } from '@cofre/shared/catalog/catalog-key';
import {
  decodeEntryMetadata,
  encodeEntryMetadata,
  type EntryMetadata,
} from '@cofre/shared/catalog/entry-codec';
import type { ByteString } from '@cofre/shared/bytes';
import { hasLostContent } from '@cofre/shared/format/entry';
import type { ChunkId } from '@cofre/shared/ids';
import { expect, test } from 'vitest';
import type { FileStatus } from '../platform/file-status.ts';
import type { CachedEntry } from './cache/set-cache.ts';
import type { FinishedEntry } from './entry-queue.ts';
import { isSameFingerprint, writeFingerprint, FINGERPRINT_BYTES } from './fingerprint.ts';
import { StaleEntries } from './stale-entries.ts';

const CHUNK = 'ab'.repeat(32) as ChunkId;
const plain: EntryMetadata = { type: 'file', mode: 0o644, uid: 0, gid: 0, mtimeNs: 5n, size: 10 };

function cached(path: string, linkCount: number, details: Partial<EntryMetadata> = {}): CachedEntry {
  const fingerprint = Buffer.alloc(FINGERPRINT_BYTES);
  const status = {
    type: 'file',
    inode: 1n,
    sizeBytes: 10,
    mtimeNs: 5n,
    ctimeNs: 6n,
    linkCount,
  } as FileStatus;
  writeFingerprint(fingerprint, { ...status, mode: 0, uid: 0, gid: 0, deviceMajor: 0, deviceMinor: 0 });
  const hardLinkTo = details.hardLinkTo ?? '';
  return {
    key: catalogKey(path as ByteString),
    fingerprint,
    metadata: encodeEntryMetadata({ ...plain, ...details }),
    hardLinkTo,
    slices: hardLinkTo === '' ? [{ chunkId: CHUNK, offset: 0, length: 10 }] : [],
  };
}

function staleEntries(entries: readonly CachedEntry[], isThere = (): boolean => true): StaleEntries {
  const find = (key: string): CachedEntry | null => entries.find((entry) => entry.key === key) ?? null;
  return new StaleEntries({ cache: { find }, startedNs: 1_000n, isThere });
}

function metadataOf(entry: FinishedEntry | null): EntryMetadata {
  if (entry === null) throw new Error('nothing was carried');
  return decodeEntryMetadata(entry.metadata);
}

const linkTo = (path: string): Partial<EntryMetadata> => ({ hardLinkTo: path as ByteString });

test('an entry says since when and why it is stale, keeps its content, and is looked at again next time', () => {
  const entry = cached('a', 1);
  const stale = staleEntries([entry]).of(entry, 'EACCES');
  expect(metadataOf(stale).flags).toEqual({ stale: { sinceNs: 1_000n, reason: 'EACCES' } });
  expect(stale).toMatchObject({ kind: 'file', sizeBytes: 10, slices: entry.slices, hardLinkTo: '' });
  expect(isSameFingerprint(stale?.fingerprint as Buffer, entry.fingerprint)).toBe(false);
});

test('what was stale before stays stale since then', () => {
  const entry = cached('a', 1, { flags: { changedWhileRead: true, stale: { sinceNs: 7n, reason: 'EIO' } } });
  const { flags } = metadataOf(staleEntries([entry]).of(entry, 'EACCES'));
  expect(flags).toEqual({ changedWhileRead: true, stale: { sinceNs: 7n, reason: 'EACCES' } });
});

test('what the server has lost is an entry without content that says so, also in the runs after that', () => {
  const entry = cached('a', 1);
  const stale = staleEntries([entry], () => false).of(entry, 'EIO');
  expect(stale).toMatchObject({ slices: [], sizeBytes: 10 });
  expect(metadataOf(stale)).toMatchObject({
    size: 10,
    holes: [{ offset: 0, length: 10 }],
    flags: { placeholder: true, stale: { sinceNs: 1_000n, reason: 'lost' } },
  });
  const again = staleEntries([]).of({ ...entry, metadata: stale?.metadata as Buffer, slices: [] }, 'EACCES');
  expect(hasLostContent(metadataOf(again))).toBe(true);
  expect(metadataOf(again).holes).toEqual([{ offset: 0, length: 10 }]);
});

test('content that contradicts its entry is no entry when a part of it is lost', () => {
  const entry = cached('a', 1, { size: 9 });
  expect(staleEntries([entry], () => false).of(entry, 'EIO')).toBeNull();
});

test('a name whose first name is not stale as well carries the content, and the next one refers to it', () => {
  const first = cached('a', 3, { size: 99, holes: [{ offset: 1, length: 2 }] });
  const entries = [first, cached('b', 3, linkTo('a')), cached('c', 3, linkTo('a'))] as const;
  const stale = staleEntries(entries);
  const b = stale.of(entries[1], 'EIO');
  expect(b).toMatchObject({
    key: catalogKey('b' as ByteString),
    hardLinkTo: '',
    slices: first.slices,
    sizeBytes: 99,
  });
  expect(metadataOf(b)).toMatchObject({ size: 99, holes: [{ offset: 1, length: 2 }] });
  expect(metadataOf(b).hardLinkTo).toBeUndefined();
  const c = stale.of(entries[2], 'EIO');
  expect(c).toMatchObject({ hardLinkTo: 'b', slices: [] });
  expect(metadataOf(c).hardLinkTo).toBe('b');
});

test('a name whose first name is stale as well goes on referring to it', () => {
  const entries = [cached('a', 2), cached('b', 2, linkTo('a'))] as const;
  const stale = staleEntries(entries);
  expect(stale.of(entries[0], 'EIO')).toMatchObject({ hardLinkTo: '' });
  expect(stale.of(entries[1], 'EIO')).toMatchObject({ hardLinkTo: 'a', slices: [] });
});

test('a name whose first name the cache does not know is no entry', () => {
  const further = cached('b', 2, linkTo('a'));
  expect(staleEntries([further]).of(further, 'EIO')).toBeNull();
});

test('a name whose first name lost its content stands for it, and the next one refers to it', () => {
  const entries = [cached('a', 3), cached('b', 3, linkTo('a')), cached('c', 3, linkTo('a'))] as const;
  const stale = staleEntries(entries, () => false);
  expect(hasLostContent(metadataOf(stale.of(entries[1], 'EIO')))).toBe(true);
  expect(stale.of(entries[2], 'EIO')).toMatchObject({ hardLinkTo: 'b', slices: [] });
});
