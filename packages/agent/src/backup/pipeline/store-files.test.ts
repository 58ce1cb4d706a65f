import { mkdtempSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { decodeEntryMetadata } from '@cofre/shared/catalog/entry-codec';
import type { ByteString } from '@cofre/shared/bytes';
import { CofreError } from '@cofre/shared/errors';
import { sha256 } from '@cofre/shared/hash';
import type { ChunkId } from '@cofre/shared/ids';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createChunker } from '../../chunker/chunker.ts';
import { CHUNKER_ID } from '../../chunker/chunker-parameters.ts';
import { statusOfPath } from '../../platform/file-status.ts';
import type { FileResult, StoredFile } from './job-result.ts';
import type { BundledFile } from './messages.ts';
import { findOpenProblem, storeBundle, storeSegment } from './store-files.ts';

let folder: string;
const kept = new Map<ChunkId, Buffer>();

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'cofre-store-'));
  kept.clear();
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const parameters = { id: CHUNKER_ID, minBytes: 4096, averageBytes: 8192, maxBytes: 16_384 } as const;
const chunker = createChunker(Buffer.alloc(32, 1), parameters, 40_000);

async function keep(chunks: readonly Uint8Array[]): Promise<readonly ChunkId[]> {
  return chunks.map((chunk) => {
    const id = sha256(chunk).toString('hex') as ChunkId;
    kept.set(id, Buffer.from(chunk));
    return id;
  });
}

function write(name: string, content: string | Buffer): BundledFile {
  writeFileSync(path.join(folder, name), content);
  return walked(name);
}

function walked(name: string): BundledFile {
  const filePath = path.join(folder, name);
  const { inode, deviceId } = statusOfPath(filePath as ByteString);
  return { path: filePath.slice(1), inode, deviceId };
}

function contentOf(result: FileResult | undefined): Buffer {
  const { slices } = result as StoredFile;
  return Buffer.concat(
    slices.map(({ chunkId, offset, length }) =>
      (kept.get(chunkId) as Buffer).subarray(offset, offset + length),
    ),
  );
}

test('files of a bundle, empty ones among them, come back by their slices', async () => {
  const contents = ['first', '', Buffer.alloc(60_000, 'text that goes on '), 'last'];
  const files = contents.map((content, number) => write(`file-${number}`, content));
  const { files: results, bytesRead } = await storeBundle(files, chunker, keep);
  expect(results.map(contentOf)).toEqual(contents.map((content) => Buffer.from(content)));
  expect(bytesRead).toBe(60_009);
  expect(results).toMatchObject(
    files.map(() => ({ kind: 'stored', changedWhileRead: false, isReplaced: false })),
  );
});

test('a file that cannot be read does not stop the others', async () => {
  const files = [write('a', 'one'), write('b', 'gone'), write('c', 'a link by then'), write('d', 'two')];
  rmSync(path.join(folder, 'b'));
  rmSync(path.join(folder, 'c'));
  symlinkSync('a', path.join(folder, 'c'));
  const { files: results } = await storeBundle(files, chunker, keep);
  expect(results[1]).toEqual({ kind: 'failed', reason: 'ENOENT' });
  expect(results[2]).toEqual({ kind: 'failed', reason: 'replaced' });
  expect([contentOf(results[0]), contentOf(results[3])].map(String)).toEqual(['one', 'two']);
  expect(findOpenProblem(files[1] as BundledFile)).toEqual({ kind: 'failed', reason: 'ENOENT' });
  expect(findOpenProblem(files[0] as BundledFile)).toBeNull();
});

test('what a program saved by renaming is read, and said to be another object', async () => {
  const before = write('a', 'old');
  write('a.new', 'new and longer');
  renameSync(path.join(folder, 'a.new'), path.join(folder, 'a'));
  const { files: results } = await storeBundle([before], chunker, keep);
  expect(results[0]).toMatchObject({ kind: 'stored', isReplaced: true, sizeBytes: 14 });
  expect(String(contentOf(results[0]))).toBe('new and longer');
});

test('a part of a large file is of that very file, or fails', async () => {
  const before = write('a', Buffer.alloc(50_000, 'a'));
  const extents = [{ offset: 100, length: 30_000 }];
  const first = await storeSegment(before, extents, chunker, keep);
  expect(contentOf(first.files[0])).toEqual(Buffer.alloc(30_000, 'a'));
  write('a.new', 'new');
  renameSync(path.join(folder, 'a.new'), path.join(folder, 'a'));
  const second = await storeSegment(before, extents, chunker, keep);
  expect(second.files).toEqual([{ kind: 'failed', reason: 'replaced' }]);
});

test('a file that shrinks while it is read ends where it ended, and is marked', async () => {
  const long = write('a', Buffer.alloc(90_000, 'b'));
  const after = write('z', 'whole');
  let isCut = false;
  const cutAndKeep = async (chunks: readonly Uint8Array[]): Promise<readonly ChunkId[]> => {
    if (!isCut) truncateSync(path.join(folder, 'a'), 50_000);
    isCut = true;
    return await keep(chunks);
  };
  const { files: results } = await storeBundle([long, after], chunker, cutAndKeep);
  const [first] = results as [StoredFile];
  expect(first).toMatchObject({ kind: 'stored', changedWhileRead: true });
  const { size, flags } = decodeEntryMetadata(first.metadata);
  expect([size, flags]).toEqual([contentOf(first).length, { changedWhileRead: true }]);
  expect(size).toBeLessThan(90_000);
  expect(String(contentOf(results[1]))).toBe('whole');
});

test('a sparse file is stored without its holes', async () => {
  const filePath = path.join(folder, 'sparse');
  writeFileSync(filePath, Buffer.alloc(8192, 'x'));
  truncateSync(filePath, 10_000_000);
  const { files: results, bytesRead } = await storeBundle([walked('sparse')], chunker, keep);
  const { size, holes = [] } = decodeEntryMetadata((results[0] as StoredFile).metadata);
  const holeBytes = holes.reduce((sum, { length }) => sum + length, 0);
  expect(size).toBe(10_000_000);
  expect(bytesRead + holeBytes).toBe(size);
  expect(contentOf(results[0]).length).toBe(bytesRead);
});

test("what is no file's fault ends the job", async () => {
  const file = write('a', 'content');
  const broken = new CofreError('internal', { problem: 'a sealed piece did not open again' });
  const fail = async (): Promise<never> => await Promise.reject(broken);
  await expect(storeBundle([file], chunker, fail)).rejects.toBe(broken);
  await expect(storeSegment(file, [{ offset: 0, length: 7 }], chunker, fail)).rejects.toBe(broken);
});
