import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { catalogKey } from '@cofre/shared/catalog/catalog-key';
import { decodeEntryMetadata } from '@cofre/shared/catalog/entry-codec';
import type { ByteString } from '@cofre/shared/bytes';
import type { ChunkId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { statusOfPath } from '../../platform/file-status.ts';
import type { PendingFile } from '../bundler.ts';
import { FINGERPRINT_BYTES, writeFingerprint } from '../fingerprint.ts';
import type { FileResult, StoredFile } from './job-result.ts';
import type { ChunkJob } from './messages.ts';
import { WorkerFileStore } from './worker-file-store.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'cofre-large-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Does as many jobs as the test lets it do. */
class FakePool {
  readonly jobs: ChunkJob[] = [];
  readonly waiting: (() => void)[] = [];
  free = Number.POSITIVE_INFINITY;
  readonly answer: (job: ChunkJob) => FileResult[];

  constructor(answer: (job: ChunkJob) => FileResult[]) {
    this.answer = answer;
  }

  room = async (): Promise<void> => {
    if (this.free > 0) this.free -= 1;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
  };

  submit = async (job: ChunkJob): Promise<FileResult[]> => {
    this.jobs.push(job);
    return await Promise.resolve(this.answer(job));
  };
}

function file(name: string): PendingFile {
  const filePath = path.join(folder, name).slice(1) as ByteString;
  return { path: filePath, key: catalogKey(filePath), status: statusOfPath(`/${filePath}` as ByteString) };
}

/** A file without data in most of it, so that it costs nothing to be long. */
function makeLong(name: string, sizeBytes: number): PendingFile {
  const filePath = path.join(folder, name);
  writeFileSync(filePath, 'x');
  truncateSync(filePath, sizeBytes);
  return file(name);
}

function storedPart(from: PendingFile, details: Partial<StoredFile> = {}): StoredFile {
  const fingerprint = Buffer.alloc(FINGERPRINT_BYTES);
  writeFingerprint(fingerprint, from.status);
  return {
    kind: 'stored',
    fingerprint,
    metadata: Buffer.alloc(0),
    attributeProblem: '',
    slices: [{ chunkId: 'ab'.repeat(32) as ChunkId, offset: 0, length: 1 }],
    sizeBytes: 4096,
    changedWhileRead: false,
    isReplaced: false,
    ...details,
  };
}

const settle = async (): Promise<void> => {
  for (let count = 0; count < 5; count++) await new Promise((resolve) => setImmediate(resolve));
};

test('of very many large files only those are begun for which there is room, in order', async () => {
  writeFileSync(path.join(folder, 'large'), '');
  const like = file('large');
  const pool = new FakePool(() => [storedPart(like)]);
  pool.free = 3;
  const store = new WorkerFileStore(pool);
  const results = Array.from({ length: 20_000 }, async (_, number) => {
    const name = `file ${number}` as ByteString;
    return await store.storeLarge({ ...like, path: name });
  });
  await settle();
  expect(pool.jobs).toHaveLength(3);
  expect(pool.waiting).toHaveLength(1);
  pool.free = Number.POSITIVE_INFINITY;
  pool.waiting[0]?.();
  await Promise.all(results);
  const paths = pool.jobs.map((job) => (job.kind === 'bundle' ? job.files[0]?.path : ''));
  expect(paths).toEqual(Array.from({ length: 20_000 }, (_, number) => `file ${number}`));
});

test('a very large file is read in parts, which are put together', async () => {
  const long = makeLong('long', LIMITS.segmentBytes + 1000);
  const pool = new FakePool(() => [storedPart(long)]);
  const result = await new WorkerFileStore(pool).storeLarge(long);
  expect(pool.jobs.every(({ kind }) => kind === 'segment')).toBe(true);
  expect(result).toMatchObject({ kind: 'stored', sizeBytes: LIMITS.segmentBytes + 1000, isReplaced: false });
  const metadata = decodeEntryMetadata((result as StoredFile).metadata);
  expect(metadata.size).toBe(LIMITS.segmentBytes + 1000);
});

test('when another file takes the path, parts of both are never joined: the new one is read from its beginning', async () => {
  const long = makeLong('long', LIMITS.segmentBytes + 1000);
  let answers = 0;
  const pool = new FakePool(() => {
    answers += 1;
    return answers === 1 ? [{ kind: 'failed', reason: 'replaced' }] : [storedPart(file('long'))];
  });
  const stored = new WorkerFileStore(pool).storeLarge(long);
  rmSync(path.join(folder, 'long'));
  makeLong('other-inode', 1);
  makeLong('long', LIMITS.segmentBytes + 2000);
  const result = await stored;
  expect(result).toMatchObject({ kind: 'stored', sizeBytes: LIMITS.segmentBytes + 2000 });
});

test('a file that is replaced again and again fails in the end', async () => {
  const long = makeLong('long', LIMITS.segmentBytes + 1000);
  const pool = new FakePool(() => [{ kind: 'failed', reason: 'replaced' }]);
  expect(await new WorkerFileStore(pool).storeLarge(long)).toEqual({ kind: 'failed', reason: 'replaced' });
  expect(pool.jobs).toHaveLength(3);
});

test('a part that fails fails the file', async () => {
  const long = makeLong('long', LIMITS.segmentBytes + 1000);
  const pool = new FakePool(() => [{ kind: 'failed', reason: 'EIO' }]);
  expect(await new WorkerFileStore(pool).storeLarge(long)).toEqual({ kind: 'failed', reason: 'EIO' });
});

test('a file that became shorter ends where its data ended, and is marked as changed', async () => {
  const long = makeLong('long', LIMITS.segmentBytes + 1000);
  const pool = new FakePool(() => [storedPart(long, { sizeBytes: 1 })]);
  const result = (await new WorkerFileStore(pool).storeLarge(long)) as StoredFile;
  expect(result).toMatchObject({ changedWhileRead: true, sizeBytes: 1 });
  expect(decodeEntryMetadata(result.metadata)).toMatchObject({ size: 1, flags: { changedWhileRead: true } });
});

test('when the attempt ends, every file that waits hears it', async () => {
  writeFileSync(path.join(folder, 'large'), '');
  const like = file('large');
  const over = new Error('over');
  const room = async (): Promise<never> => await Promise.reject(over);
  const store = new WorkerFileStore({ room, submit: async () => expect.unreachable() });
  for (const stored of [store.storeLarge(like), store.storeLarge(like)])
    await expect(stored).rejects.toBe(over);
});
