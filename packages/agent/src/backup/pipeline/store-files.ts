import type { ByteString } from '@cofre/shared/bytes';
import { encodeEntryMetadata, type EntryMetadata } from '@cofre/shared/catalog/entry-codec';
import type { Extent } from '@cofre/shared/format/entry';
import { LIMITS } from '@cofre/shared/limits';
import type { Chunker } from '../../chunker/chunker.ts';
import { readAccountNames } from '../../platform/account-names.ts';
import { statusOfPath } from '../../platform/file-status.ts';
import { systemErrorCode } from '../../platform/system-error.ts';
import { openFileForReading, type OpenFile } from '../../source/file-reader.ts';
import { readMetadata, type MetadataResult } from '../../source/metadata.ts';
import { mapSparseFile, type SparseMap } from '../../source/sparse.ts';
import { FINGERPRINT_BYTES, fingerprintOf, writeFingerprint } from '../fingerprint.ts';
import { ContentStream, type TakeChunks } from './content-stream.ts';
import type { FailedFile, FileResult } from './job-result.ts';
import type { BundledFile } from './messages.ts';

export interface StoredJob {
  readonly files: readonly FileResult[];
  readonly bytesRead: number;
}

/** What was read of one file, while the stream is not cut to its end yet. */
interface ReadFile {
  readonly kind: 'read';
  readonly fingerprint: Buffer;
  readonly metadata: EntryMetadata;
  readonly attributeProblem: string;
  readonly changedWhileRead: boolean;
  readonly isReplaced: boolean;
  /** Range of its data in the stream. */
  readonly from: number;
  readonly to: number;
}

const names = readAccountNames();
const NO_BYTES = Buffer.alloc(0);

/** Reads small files one behind the other into one stream. A file that fails does not stop the others. */
export async function storeBundle(
  files: readonly BundledFile[],
  chunker: Chunker,
  takeChunks: TakeChunks,
): Promise<StoredJob> {
  const stream = new ContentStream(chunker, takeChunks);
  const read: (ReadFile | FailedFile)[] = [];
  for (const file of files) read.push(await readInto(stream, file));
  await stream.finish();
  const results = read.map((file) => (file.kind === 'failed' ? file : finishFile(file, stream)));
  return { files: results, bytesRead: stream.length };
}

/**
 * Reads some extents of a large file into a stream of their own. `sizeBytes` of the result is what came. It has to be
 * the very file: others read its other parts.
 */
export async function storeSegment(
  file: BundledFile,
  extents: readonly Extent[],
  chunker: Chunker,
  takeChunks: TakeChunks,
): Promise<StoredJob> {
  const stream = new ContentStream(chunker, takeChunks);
  let result: FileResult;
  try {
    using open = openVeryFile(file);
    await readExtents(stream, open, extents);
    const changedWhileRead = open.hasChanged();
    await stream.finish();
    const fingerprint = Buffer.alloc(FINGERPRINT_BYTES);
    writeFingerprint(fingerprint, open.status);
    const slices = stream.slices(0, stream.length);
    result = {
      kind: 'stored',
      fingerprint,
      metadata: NO_BYTES,
      attributeProblem: '',
      slices,
      sizeBytes: stream.length,
      changedWhileRead,
      isReplaced: false,
    };
  } catch (error) {
    result = failureOf(error);
    await stream.finish();
  }
  return { files: [result], bytesRead: stream.length };
}

export interface DescribedFile {
  readonly kind: 'described';
  /** What was opened, for those who read its parts. */
  readonly file: BundledFile;
  readonly isReplaced: boolean;
  readonly metadata: EntryMetadata;
  readonly attributeProblem: string;
  readonly extents: readonly Extent[];
  /** For the cache. */
  readonly fingerprint: Buffer;
  /** Of the status as such, to be compared with what those saw who read it. */
  readonly statusFingerprint: Buffer;
}

/** Everything of a large file but its content. */
export function describeLargeFile(file: BundledFile): DescribedFile | FailedFile {
  try {
    const { open: opened, isReplaced } = openSource(file);
    using open = opened;
    const { metadata, map, attributeProblem } = describe(open);
    const { inode, deviceId } = open.status;
    const statusFingerprint = Buffer.alloc(FINGERPRINT_BYTES);
    writeFingerprint(statusFingerprint, open.status);
    const fingerprint = fingerprintOf(open.status, nowNs());
    return {
      kind: 'described',
      file: { path: file.path, inode, deviceId },
      isReplaced,
      metadata,
      attributeProblem,
      extents: map.data,
      fingerprint,
      statusFingerprint,
    };
  } catch (error) {
    return failureOf(error);
  }
}

/** Why a file could not be opened for reading, or null if it could. */
export function findOpenProblem(file: BundledFile): FailedFile | null {
  try {
    openSource(file).open.close();
    return null;
  } catch (error) {
    return failureOf(error);
  }
}

async function readInto(stream: ContentStream, file: BundledFile): Promise<ReadFile | FailedFile> {
  const from = stream.length;
  try {
    const { open: opened, isReplaced } = openSource(file);
    using open = opened;
    const fingerprint = fingerprintOf(open.status, nowNs());
    const { metadata, map, attributeProblem } = describe(open);
    const shortAt = await readExtents(stream, open, map.data);
    const changedWhileRead = open.hasChanged() || shortAt !== null;
    const read = shortAt === null ? metadata : shortened(metadata, shortAt);
    return {
      kind: 'read',
      fingerprint,
      metadata: read,
      attributeProblem,
      changedWhileRead,
      isReplaced,
      from,
      to: stream.length,
    };
  } catch (error) {
    return failureOf(error);
  }
}

function finishFile(file: ReadFile, stream: ContentStream): FileResult {
  const { fingerprint, attributeProblem, changedWhileRead, isReplaced, metadata } = file;
  const flags = changedWhileRead ? { changedWhileRead } : undefined;
  return {
    kind: 'stored',
    fingerprint,
    metadata: encodeEntryMetadata(flags === undefined ? metadata : { ...metadata, flags }),
    attributeProblem,
    slices: stream.slices(file.from, file.to),
    sizeBytes: metadata.size,
    changedWhileRead,
    isReplaced,
  };
}

/**
 * Opens the file, or what took its place: programs save by renaming a new file over the old one, and the
 * new one is what is to be kept. Throws system errors.
 */
function openSource(file: BundledFile): { open: OpenFile; isReplaced: boolean } {
  const path = `/${file.path}` as ByteString;
  const first = openFileForReading(path, { ...file, type: 'file' });
  if (first.outcome === 'open') return { open: first.file, isReplaced: false };
  const second = openFileForReading(path, statusOfPath(path));
  if (second.outcome === 'open') return { open: second.file, isReplaced: true };
  throw new ReplacedError();
}

function openVeryFile(file: BundledFile): OpenFile {
  const opened = openFileForReading(`/${file.path}` as ByteString, { ...file, type: 'file' });
  if (opened.outcome === 'open') return opened.file;
  throw new ReplacedError();
}

/** Another object has the path. */
class ReplacedError extends Error {}

function describe(open: OpenFile): { metadata: EntryMetadata; map: SparseMap; attributeProblem: string } {
  const { sizeBytes, blocks } = open.status;
  const map = mapSparseFile(open.fd, sizeBytes, blocks);
  const { metadata, problem } = boundedMetadata(readMetadata(open.fd, open.status, names));
  return {
    metadata: map.holes.length === 0 ? metadata : { ...metadata, holes: map.holes },
    map,
    attributeProblem: problem,
  };
}

/** Attributes that would not fit into an entry are left out, and that is said. */
export function boundedMetadata(read: MetadataResult): { metadata: EntryMetadata; problem: string } {
  const { xattrs, ...rest } = read.metadata;
  let attributeBytes = 0;
  for (const { name, value } of xattrs ?? []) attributeBytes += name.length + value.length + 8;
  if (attributeBytes > LIMITS.entryBytesMax / 2) return { metadata: rest, problem: 'xattrs too large' };
  const [first] = read.problems;
  return { metadata: read.metadata, problem: first === undefined ? '' : `xattrs ${first.code}` };
}

/** Reads all extents; gives the offset at which the file turned out to end, or null if it was all there. */
async function readExtents(
  stream: ContentStream,
  open: OpenFile,
  extents: readonly Extent[],
): Promise<number | null> {
  for (const { offset, length } of extents) {
    let position = offset;
    while (position < offset + length) {
      const room = await stream.room(offset + length - position);
      const count = open.read(room, position);
      stream.wrote(count);
      position += count;
      if (count < room.length) return position;
    }
  }
  return null;
}

/** Of a file that became shorter, what was read: its size and its holes end there. */
export function shortened(metadata: EntryMetadata, sizeBytes: number): EntryMetadata {
  const { holes, ...rest } = metadata;
  const kept = (holes ?? []).filter((hole) => hole.offset + hole.length <= sizeBytes);
  return kept.length === 0 ? { ...rest, size: sizeBytes } : { ...rest, size: sizeBytes, holes: kept };
}

/** What happened to the file. Anything that is not a file's fault goes on, and ends the attempt. */
function failureOf(error: unknown): FailedFile {
  if (error instanceof ReplacedError) return { kind: 'failed', reason: 'replaced' };
  const code = systemErrorCode(error);
  if (code === undefined) throw error;
  return { kind: 'failed', reason: code };
}

function nowNs(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}
