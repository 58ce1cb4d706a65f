import { catalogKey, pathOfKey } from '@cofre/shared/catalog/catalog-key';
import { decodeEntryMetadata } from '@cofre/shared/catalog/entry-codec';
import type { ByteString } from '@cofre/shared/bytes';
import type { ChunkId } from '@cofre/shared/ids';
import { beforeEach, expect, test } from 'vitest';
import type { FileStatus } from '../platform/file-status.ts';
import type { WalkedEntry } from '../source/walk-item.ts';
import type { BackupFailure } from './backup.ts';
import type { PendingFile } from './bundler.ts';
import type { CachedEntry } from './cache/set-cache.ts';
import { EntryQueue, type FinishedEntry } from './entry-queue.ts';
import { fingerprintOf, isSameFingerprint } from './fingerprint.ts';
import type { FileResult, StoredFile } from './pipeline/job-result.ts';
import type { KnownEntry } from './known-entries.ts';
import { PreviousEntries } from './previous-entries.ts';
import { SourceScan, type FileStore } from './source-scan.ts';
import { StaleEntries } from './stale-entries.ts';
import { encodeEntryMetadata } from '@cofre/shared/catalog/entry-codec';

/** Reads files when the test says so. */
class FakeStore implements FileStore {
  readonly asked: string[][] = [];
  private readonly waiting = new Map<string, (result: FileResult) => void>();
  readonly results = new Map<string, FileResult>();

  async storeBundle(files: readonly PendingFile[]): Promise<FileResult[]> {
    this.asked.push(files.map(({ path }) => path));
    return await Promise.all(files.map(async (file) => await this.resultOf(file)));
  }

  async storeLarge(file: PendingFile): Promise<FileResult> {
    this.asked.push([file.path]);
    return await this.resultOf(file);
  }

  finish(path: string, result: FileResult): void {
    this.results.set(path, result);
    this.waiting.get(path)?.(result);
  }

  private async resultOf({ path }: PendingFile): Promise<FileResult> {
    const known = this.results.get(path);
    return known ?? (await new Promise((resolve) => this.waiting.set(path, resolve)));
  }
}

const status: FileStatus = {
  type: 'file',
  mode: 0o644,
  uid: 0,
  gid: 0,
  linkCount: 1,
  sizeBytes: 10,
  blocks: 8,
  deviceId: 1n,
  inode: 1n,
  deviceMajor: 0,
  deviceMinor: 0,
  mtimeNs: 1_000n,
  ctimeNs: 2_000n,
  atimeNs: 3_000n,
  birthtimeNs: 4_000n,
};

const NOW_NS = BigInt(Date.now()) * 1_000_000n;
const CHUNK = 'ab'.repeat(32) as ChunkId;
const LOST = 'ef'.repeat(32) as ChunkId;
const slices = [{ chunkId: CHUNK, offset: 0, length: 10 }];

let store: FakeStore;
let queue: EntryQueue;
let failures: BackupFailure[];
let scan: SourceScan;

beforeEach(() => {
  store = new FakeStore();
  failures = [];
  scan = scanAfter([]);
});

function scanAfter(cached: readonly KnownEntry[]): SourceScan {
  queue = new EntryQueue();
  const sorted = cached.toSorted((a, b) => (a.key < b.key ? -1 : 1));
  const cache = {
    *entries(): Generator<KnownEntry> {
      yield* sorted;
    },
    find: (key: string) => sorted.find((entry) => entry.key === key) ?? null,
  };
  const isUsable = (entry: CachedEntry): boolean => entry.slices.every(({ chunkId }) => chunkId !== LOST);
  const made: SourceScan = new SourceScan({
    queue,
    previous: new PreviousEntries(cache, (entry, reason) => made.carry(entry, reason)),
    stale: new StaleEntries({
      cache,
      startedNs: 9n,
      isThere: (chunkId) => chunkId !== LOST,
    }),
    store,
    bundleKey: Buffer.alloc(8),
    isUsable,
    isWanted: (path) => !path.includes('unwanted'),
    onFailure: (failure) => failures.push(failure),
    onError: (error) => {
      throw error;
    },
  });
  return made;
}

function walked(path: string, details: Partial<FileStatus> = {}): WalkedEntry {
  return { kind: 'entry', path: path as ByteString, status: { ...status, ...details }, ancestor: false };
}

function cachedOf(
  path: string,
  details: Partial<FileStatus> = {},
  hardLinkTo = '',
  chunkId = CHUNK,
): CachedEntry {
  const found = { ...status, ...details };
  const type = found.type as 'file';
  const link = hardLinkTo === '' ? {} : { hardLinkTo: hardLinkTo as ByteString };
  const metadata = { type, mode: 0o644, uid: 0, gid: 0, mtimeNs: 1_000n, size: 10, ...link };
  return {
    key: catalogKey(path as ByteString),
    fingerprint: fingerprintOf(found, NOW_NS),
    metadata: encodeEntryMetadata(metadata),
    hardLinkTo,
    slices: hardLinkTo === '' && type === 'file' ? [{ chunkId, offset: 0, length: 10 }] : [],
  };
}

function stored(details: Partial<StoredFile> = {}): StoredFile {
  return {
    kind: 'stored',
    fingerprint: fingerprintOf(status, NOW_NS),
    metadata: encodeEntryMetadata({ type: 'file', mode: 0o600, uid: 0, gid: 0, mtimeNs: 1n, size: 10 }),
    attributeProblem: '',
    slices,
    sizeBytes: 10,
    changedWhileRead: false,
    isReplaced: false,
    ...details,
  };
}

const failed = (reason: string): FileResult => ({ kind: 'failed', reason });

async function takeAll(): Promise<FinishedEntry[]> {
  for (let count = 0; count < 20; count++) await Promise.resolve();
  const taken: FinishedEntry[] = [];
  for (let entry = queue.take(); entry !== null; entry = queue.take()) taken.push(entry);
  return taken;
}

/** One line an entry: path, what it refers to, whether it has content or is stale. */
async function outcome(): Promise<string[]> {
  return (await takeAll()).map(({ key, hardLinkTo, slices: content, metadata }) => {
    const { flags, hardLinkTo: inMetadata } = decodeEntryMetadata(metadata);
    expect(inMetadata ?? '').toBe(hardLinkTo);
    const link = hardLinkTo === '' ? '' : ` → ${hardLinkTo}`;
    const mark = flags?.stale === undefined ? '' : ` stale ${flags.stale.reason}`;
    return `${pathOfKey(key)}${content.length > 0 ? ' content' : ''}${link}${mark}`;
  });
}

test('a new file is read, an unchanged one is not', async () => {
  scan = scanAfter([cachedOf('b')]);
  scan.take(walked('a'));
  scan.take(walked('b'));
  scan.finish();
  store.finish('a', stored());
  expect(await outcome()).toEqual(['a content', 'b content']);
  expect(store.asked).toEqual([['a']]);
  expect(scan.counts).toMatchObject({
    filesFound: 2,
    filesDone: 2,
    filesNew: 1,
    filesUnmodified: 1,
    filesFailed: 0,
  });
});

test.each([
  ['changed', cachedOf('a', { mtimeNs: 7n }), 'filesChanged'],
  ['lost its content on the server', cachedOf('a', {}, '', LOST), 'filesUnmodified'],
  ['was a further name before', cachedOf('a', {}, 'other'), 'filesUnmodified'],
] as const)('a file that %s is read', async (_, previous, counted) => {
  scan = scanAfter([previous]);
  scan.take(walked('a'));
  scan.finish();
  store.finish('a', stored());
  expect(await outcome()).toEqual(['a content']);
  expect(store.asked).toEqual([['a']]);
  expect(scan.counts).toMatchObject({ [counted]: 1, filesNew: 0 });
});

test('an outdated entry is read again, and counts as unchanged', async () => {
  scan = scanAfter([{ ...cachedOf('a'), isOutdated: true }]);
  scan.take(walked('a'));
  scan.finish();
  store.finish('a', stored());
  expect(await outcome()).toEqual(['a content']);
  expect(scan.counts).toMatchObject({ filesUnmodified: 1, filesChanged: 0 });
});

test('what an interrupted run read is not read again, and counts as it did there', async () => {
  scan = scanAfter([
    { ...cachedOf('a'), sinceLast: 'new' },
    { ...cachedOf('b'), sinceLast: 'changed' },
  ]);
  for (const path of ['a', 'b']) scan.take(walked(path));
  scan.finish();
  expect(await outcome()).toEqual(['a content', 'b content']);
  expect(store.asked).toEqual([]);
  expect(scan.counts).toMatchObject({ filesNew: 1, filesChanged: 1, filesUnmodified: 0 });
});

test('a file that cannot be read keeps what the last run had', async () => {
  scan = scanAfter([cachedOf('a', { mtimeNs: 7n })]);
  for (const path of ['a', 'b']) scan.take(walked(path));
  scan.finish();
  for (const path of ['a', 'b']) store.finish(path, failed('EACCES'));
  expect(await outcome()).toEqual(['a content stale EACCES']);
  expect(failures.map(({ path, reason, isSkip }) => [path, reason, isSkip])).toEqual([
    ['a', 'EACCES', false],
    ['b', 'EACCES', false],
  ]);
  expect(scan.counts).toMatchObject({ filesFailed: 2, filesDone: 2, filesNew: 0, filesChanged: 0 });
});

test('a file that vanished before it was read was not there, which is no failure', async () => {
  scan = scanAfter([cachedOf('a', { mtimeNs: 7n })]);
  scan.take(walked('a'));
  scan.finish();
  store.finish('a', failed('ENOENT'));
  expect(await outcome()).toEqual([]);
  expect(failures).toEqual([{ path: 'a', reason: 'vanished', isSkip: true }]);
  expect(scan.counts.filesFailed).toBe(0);
});

test('a file that changed while it was read is kept, told once, and read again next time', async () => {
  scan.take(walked('a'));
  scan.finish();
  store.finish('a', stored({ changedWhileRead: true, attributeProblem: 'xattrs EIO' }));
  const [entry] = await takeAll();
  expect(isSameFingerprint(entry?.fingerprint as Buffer, fingerprintOf(status, NOW_NS))).toBe(false);
  expect(failures.map(({ reason }) => reason)).toEqual(['changed', 'xattrs EIO']);
  expect(scan.counts).toMatchObject({ filesFailed: 1, filesNew: 1 });
});

test('what lies in a folder that cannot be listed is carried, unless it is not wanted any more', async () => {
  scan = scanAfter([
    cachedOf('f/a'),
    cachedOf('f/unwanted'),
    cachedOf('f/lost', {}, '', LOST),
    cachedOf('g'),
  ]);
  scan.take({ kind: 'problem', path: 'f' as ByteString, step: 'list', code: 'EACCES', isRoot: false });
  while (scan.carriesBefore(null));
  scan.finish();
  expect(await outcome()).toEqual(['f/a content stale EACCES', 'f/lost stale lost']);
  expect(failures.map(({ path, reason }) => `${path} ${reason}`)).toEqual(['f EACCES', 'f/lost lost']);
  expect(scan.counts.filesFailed).toBe(2);
});

test('what lay below a folder that is none any more is not carried below a file', async () => {
  scan = scanAfter([cachedOf('f/a')]);
  scan.take({ kind: 'problem', path: 'f/a' as ByteString, step: 'status', code: 'ENOTDIR', isRoot: true });
  scan.finish();
  expect(await outcome()).toEqual([]);
  expect(failures).toHaveLength(1);
});

const linked: Partial<FileStatus> = { linkCount: 3, inode: 5n };

test('further names of a file follow its first one, when that was read', async () => {
  for (const path of ['tmp', 'tmp2', 'tmp3']) scan.take(walked(path, linked));
  scan.finish();
  expect(await outcome()).toEqual([]);
  store.finish('tmp', stored());
  // The names need not exist: they cannot be described then, and have vanished.
  expect(await outcome()).toContain('tmp content');
});

test('unchanged names stay as they are', async () => {
  scan = scanAfter([cachedOf('a', linked), cachedOf('b', linked, 'a'), cachedOf('c', linked, 'a')]);
  for (const path of ['a', 'b', 'c']) scan.take(walked(path, linked));
  scan.finish();
  expect(await outcome()).toEqual(['a content', 'b → a', 'c → a']);
  expect(store.asked).toEqual([]);
  expect(scan.counts).toMatchObject({ filesUnmodified: 3, bytesSeen: 10 });
});

test.each([
  ['cannot be read', failed('EACCES'), []],
  ['has vanished', failed('ENOENT'), []],
  ['leads to another file by then', stored({ isReplaced: true }), ['a content']],
])('when the first name %s, the next one gets the content', async (_, result, own) => {
  // The next name was unchanged: nothing but its place makes it be read.
  scan = scanAfter([cachedOf('c', linked, 'b')]);
  for (const path of ['a', 'b', 'c']) scan.take(walked(path, linked));
  scan.finish();
  expect(store.asked).toEqual([['a']]);
  store.finish('a', result);
  expect(await outcome()).toEqual(own);
  expect(store.asked).toEqual([['a'], ['b']]);
  store.finish('b', stored());
  expect(await outcome()).toEqual(['b content', 'c → b']);
});

test('when no name can be read, each keeps what the last run had, and none refers to nothing', async () => {
  const before = { ...linked, mtimeNs: 7n };
  scan = scanAfter([cachedOf('a', before), cachedOf('b', before, 'a'), cachedOf('c', before, 'a')]);
  for (const path of ['a', 'b', 'c']) {
    store.results.set(path, failed('EACCES'));
    scan.take(walked(path, linked));
  }
  scan.finish();
  const lines: string[] = [];
  for (let count = 0; count < 5; count++) lines.push(...(await outcome()));
  expect(lines).toEqual(['a content stale EACCES', 'b → a stale EACCES', 'c → a stale EACCES']);
});

test('a stale name whose first name is gone carries the content', async () => {
  scan = scanAfter([cachedOf('a', linked), cachedOf('f/b', linked, 'a'), cachedOf('f/c', linked, 'a')]);
  scan.take({ kind: 'problem', path: 'f' as ByteString, step: 'list', code: 'EIO', isRoot: false });
  scan.finish();
  expect(await outcome()).toEqual(['f/b content stale EIO', 'f/c → f/b stale EIO']);
});

test('a bundle does not wait for files that do not come', async () => {
  scan = scanAfter(
    Array.from({ length: 5000 }, (_, number) => cachedOf(`n${String(number).padStart(5, '0')}`)),
  );
  scan.take(walked('a'));
  for (let number = 0; number < 5000; number++) scan.take(walked(`n${String(number).padStart(5, '0')}`));
  expect(store.asked).toEqual([['a']]);
  store.finish('a', stored());
  expect(await takeAll()).toHaveLength(5001);
});
