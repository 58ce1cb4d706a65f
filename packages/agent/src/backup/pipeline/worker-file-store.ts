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

/** How often a file is begun anew because another object took its path while its parts were read. */
const BEGINNINGS_MAX = 3;

/**
 * Stores files by way of the chunk workers: small ones in bundles, larger ones each in a job of its own, and the
 * largest in segments, so that several workers read them at once. Large files are begun in order, each when there is
 * room for it: of those that wait, nothing is open and nothing is known but the name.
 */
export class WorkerFileStore implements FileStore {
  private readonly pool: Pick<WorkerPool, 'submit' | 'room'>;
  private lastJobId = 0;
  private beginning: Promise<unknown> = Promise.resolve();

  constructor(pool: Pick<WorkerPool, 'submit' | 'room'>) {
    this.pool = pool;
  }

  async storeBundle(files: readonly PendingFile[]): Promise<FileResult[]> {
    return await this.pool.submit({ kind: 'bundle', jobId: ++this.lastJobId, files: files.map(bundledFile) });
  }

  async storeLarge(file: PendingFile): Promise<FileResult> {
    if (file.status.sizeBytes > LIMITS.segmentBytes) return await this.storeInSegments(file);
    const { results } = await this.inTurn(async () => {
      await this.pool.room();
      return { results: this.storeBundle([file]) };
    });
    const [result] = await results;
    if (result === undefined) throw new RangeError('a job gave no result');
    return result;
  }

  private async storeInSegments(file: PendingFile): Promise<FileResult> {
    for (let count = 1; ; count++) {
      const begun = await this.inTurn(async () => await this.beginSegments(bundledFile(file)));
      if (begun.kind === 'failed') return begun;
      const { described, segments } = begun;
      const parts = (await Promise.all(begun.jobs)).flat();
      const failed = parts.find((part) => part.kind === 'failed');
      if (failed === undefined) {
        const stored = parts.filter((part) => part.kind === 'stored');
        return joinParts(described, segments, stored);
      }
      // The parts of two files are no file: the one that has the path now is read from its beginning.
      if (failed.reason !== 'replaced' || count === BEGINNINGS_MAX) return failed;
    }
  }

  private async beginSegments(file: BundledFile) {
    await this.pool.room();
    const described = describeLargeFile(file);
    if (described.kind === 'failed') return described;
    const segments = [...segmentsOf(described.extents, LIMITS.segmentBytes)];
    const jobs: Promise<FileResult[]>[] = [];
    for (const extents of segments) {
      await this.pool.room();
      const jobId = ++this.lastJobId;
      const submitted = this.pool.submit({ kind: 'segment', jobId, file: described.file, extents });
      // A failure shows where all are awaited; until then it must not count as unhandled.
      submitted.catch(() => undefined);
      jobs.push(submitted);
    }
    return { kind: 'begun', described, segments, jobs } as const;
  }

  /** One after the other, first come, first served. */
  private async inTurn<Result>(begin: () => Promise<Result>): Promise<Result> {
    const turn = this.beginning.then(begin);
    this.beginning = turn.catch(() => undefined);
    return await turn;
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
    for (const slice of part.slices) slices.push(slice);
    changedWhileRead ||= part.changedWhileRead || !part.fingerprint.equals(described.statusFingerprint);
    const endsAt = endOfShortSegment(segments[index] ?? [], part.sizeBytes);
    if (endsAt !== null) {
      metadata = shortened(metadata, endsAt);
      changedWhileRead = true;
      break;
    }
  }
  const { fingerprint, attributeProblem, isReplaced } = described;
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
    isReplaced,
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
