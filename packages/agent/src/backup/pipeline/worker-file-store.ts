import { encodeEntryMetadata } from '@cofre/shared/catalog/entry-codec';
import type { Extent, Slice } from '@cofre/shared/format/entry';
import { LIMITS } from '@cofre/shared/limits';
import type { PendingFile } from '../bundler.ts';
import type { FileStore } from '../source-scan.ts';
import { segmentsOf } from '../segments.ts';
import type { FileResult, StoredFile } from './job-result.ts';
import type { BundledFile } from './messages.ts';
import { describeLargeFile, shortened, type DescribedFile } from './store-files.ts';
import type { WorkerPool } from './worker-pool.ts';

/** Stores files by way of the chunk workers: small ones in bundles, large ones in segments. */
export class WorkerFileStore implements FileStore {
  private readonly pool: WorkerPool;
  private lastJobId = 0;

  constructor(pool: WorkerPool) {
    this.pool = pool;
  }

  async storeBundle(files: readonly PendingFile[]): Promise<FileResult[]> {
    return await this.pool.submit({ kind: 'bundle', jobId: ++this.lastJobId, files: files.map(bundledFile) });
  }

  async storeLarge(file: PendingFile): Promise<FileResult> {
    const described = describeLargeFile(bundledFile(file));
    if (described.kind === 'failed') return described;
    const segments = [...segmentsOf(described.extents, LIMITS.segmentBytes)];
    const parts = await this.storeSegments(file, segments);
    const failed = parts.find((part) => part.kind === 'failed');
    if (failed !== undefined) return failed;
    return joinParts(
      described,
      segments,
      parts.filter((part) => part.kind === 'stored'),
    );
  }

  private async storeSegments(file: PendingFile, segments: readonly Extent[][]): Promise<FileResult[]> {
    const jobs: Promise<FileResult[]>[] = [];
    for (const extents of segments) {
      await this.pool.room();
      const job = { kind: 'segment', jobId: ++this.lastJobId, file: bundledFile(file), extents } as const;
      const submitted = this.pool.submit(job);
      // A failure shows where all are awaited; until then it must not count as unhandled.
      submitted.catch(() => undefined);
      jobs.push(submitted);
    }
    return (await Promise.all(jobs)).flat();
  }
}

/** Puts a large file together. Where a part came short, the file ended: what lies behind is left out. */
function joinParts(
  described: DescribedFile,
  segments: readonly (readonly Extent[])[],
  parts: readonly StoredFile[],
): FileResult {
  const slices: Slice[] = [];
  let metadata = described.metadata;
  let changedWhileRead = false;
  for (const [index, part] of parts.entries()) {
    slices.push(...part.slices);
    changedWhileRead ||= part.changedWhileRead || !part.fingerprint.equals(described.statusFingerprint);
    const endsAt = endOfShortSegment(segments[index] ?? [], part.sizeBytes);
    if (endsAt !== null) {
      metadata = shortened(metadata, endsAt);
      changedWhileRead = true;
      break;
    }
  }
  const { fingerprint, attributeProblem } = described;
  const encoded = encodeEntryMetadata(
    changedWhileRead ? { ...metadata, flags: { changedWhileRead } } : metadata,
  );
  return {
    kind: 'stored',
    fingerprint,
    metadata: encoded,
    attributeProblem,
    slices,
    sizeBytes: metadata.size,
    changedWhileRead,
  };
}

/** Where in the file the data of a segment ended, if fewer bytes came than it has; null if all came. */
function endOfShortSegment(extents: readonly Extent[], readBytes: number): number | null {
  let rest = readBytes;
  for (const { offset, length } of extents) {
    if (rest < length) return offset + rest;
    rest -= length;
  }
  return null;
}

function bundledFile({ path, status }: PendingFile): BundledFile {
  return { path, inode: status.inode, deviceId: status.deviceId };
}
