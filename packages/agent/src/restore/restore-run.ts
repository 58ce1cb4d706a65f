import type { ByteString } from '@cofre/shared/bytes';
import type { CatalogItem, CatalogReader } from '@cofre/shared/catalog/catalog-reader';
import { CofreError } from '@cofre/shared/errors';
import type { Slice } from '@cofre/shared/format/entry';
import type { ChunkId } from '@cofre/shared/ids';
import { HeapKeeper } from '../platform/heap-keeper.ts';
import { JobBuilder, type JobOwner } from './job-builder.ts';
import type { ChunkFeed } from './chunk-feed.ts';
import { JobPool } from './job-pool.ts';
import type { JobWorker } from './job-work.ts';
import { placedPieces, placedPiecesOf } from './placed-pieces.ts';
import type { FileResult, RestoreJobResult } from './restore-job.ts';
import type { RestoreTally } from './restore-tally.ts';
import type { Selection } from './select-entries.ts';
import { SharedFile } from './shared-file.ts';
import { createFile } from './target/file-writer.ts';
import { problemFrom } from './target/target-problem.ts';
import type { ContentPiece, FilePlace, RestoreTarget, TargetProblem, TargetReport } from './target/target.ts';

/** Files above this are written by several jobs. */
const WHOLE_FILE_BYTES_MAX = 24 * 1024 * 1024;

/** The buffers of chunks on their way leave less room for garbage than there is in other runs. */
const HEAP_GROWTH_BYTES_MAX = 8 * 1024 * 1024;

export interface RestoreRunParts {
  readonly target: RestoreTarget;
  readonly catalog: CatalogReader;
  readonly tally: RestoreTally;
  readonly feed: ChunkFeed;
  readonly workers: readonly JobWorker[];
}

/**
 * One restore: walks the catalog in this thread, makes folders and special files, and hands files out in jobs,
 * a few at a time. Memory is bounded by the jobs under way; the target remembers folders and links.
 */
export class RestoreRun {
  readonly #parts: RestoreRunParts;
  readonly #pool: JobPool;
  readonly #builder: JobBuilder;
  readonly #owners = new Map<number, readonly JobOwner[]>();
  readonly #sharedFiles = new Set<SharedFile>();
  readonly #heap = new HeapKeeper(HEAP_GROWTH_BYTES_MAX);

  constructor(parts: RestoreRunParts) {
    this.#parts = parts;
    this.#pool = new JobPool(parts.feed, parts.workers, (result) => this.#takeResult(result));
    this.#builder = new JobBuilder(this.#pool.jobsMax + 1);
  }

  /** To be called once. @throws CofreError for what ends the restore; no incomplete file is left then */
  async restore(selection: Selection, signal: AbortSignal): Promise<TargetReport> {
    const onAbort = () => this.#pool.fail(new CofreError('interrupted'));
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
    try {
      for await (const item of selection.entries()) {
        if (signal.aborted) throw new CofreError('interrupted');
        await this.#restoreEntry(item);
      }
      await this.#flush();
      await this.#pool.drain();
      this.#parts.tally.tell('finishing');
      const report = this.#parts.target.finish();
      this.#parts.tally.tell('done');
      return report;
    } finally {
      signal.removeEventListener('abort', onAbort);
      await this.#pool.close();
      for (const shared of this.#sharedFiles) shared.giveUp();
    }
  }

  async #restoreEntry(item: CatalogItem): Promise<void> {
    const { path, entry } = item;
    const { target, tally } = this.#parts;
    tally.entry(path, entry);
    if (entry.hardLinkTo !== undefined || (entry.type !== 'file' && entry.type !== 'stream')) {
      target.add(path, entry);
      return;
    }
    const firstChunkId = firstChunkOf(item);
    if (this.#builder.isFull(firstChunkId)) await this.#flush();
    const place = target.placeFile(path, entry);
    if (place === null) tally.fileDone(path, entry.size, 'left-out');
    else await this.#restoreFile(item, place);
  }

  async #restoreFile(item: CatalogItem, place: FilePlace): Promise<void> {
    const { entry, content, path } = item;
    if (contentBytesOf(item) > WHOLE_FILE_BYTES_MAX) {
      await this.#shareOut(item, place);
      return;
    }
    let pieces: ContentPiece[];
    try {
      const slices = content.kind === 'slices' ? content.slices : await this.#slicesOf(item);
      pieces = placedPieces(entry, slices);
    } catch (error) {
      this.#fileDone(place, [lossFrom(error, path)], true);
      return;
    }
    this.#builder.addWhole(place, folderOf(path), pieces);
  }

  async #slicesOf({ content }: CatalogItem): Promise<Slice[]> {
    const slices: Slice[] = [];
    for await (const slice of this.#parts.catalog.slices(content)) slices.push(slice);
    return slices;
  }

  /** Opens a large file here and gives its segments to jobs. */
  async #shareOut({ entry, content, path }: CatalogItem, place: FilePlace): Promise<void> {
    const shared = this.#openShared(place);
    if (shared === null) return;
    let problem: TargetProblem | null = null;
    const pieces = placedPiecesOf(entry, this.#parts.catalog.slices(content));
    for (;;) {
      let next: IteratorResult<ContentPiece, void>;
      try {
        next = await pieces.next();
      } catch (error) {
        problem = lossFrom(error, path);
        break;
      }
      if (next.done === true) break;
      if (this.#builder.isFull(next.value.slice.chunkId)) await this.#flush();
      this.#builder.addSegmentPiece(shared, next.value);
    }
    shared.sharedOut(problem);
  }

  #openShared(place: FilePlace): SharedFile | null {
    try {
      const shared = new SharedFile(createFile(place), (problems, isContentLost) => {
        this.#sharedFiles.delete(shared);
        this.#fileDone(place, problems, isContentLost);
      });
      this.#sharedFiles.add(shared);
      return shared;
    } catch (error) {
      this.#fileDone(place, [problemFrom(error, place.path)], false);
      return null;
    }
  }

  async #flush(): Promise<void> {
    if (this.#builder.isEmpty) return;
    const { job, owners } = this.#builder.take();
    this.#heap.check();
    this.#owners.set(job.number, owners);
    await this.#pool.submit(job);
  }

  #takeResult({ number, bytesReceived, files, lostChunks }: RestoreJobResult): void {
    const owners = this.#owners.get(number) ?? [];
    this.#owners.delete(number);
    this.#parts.tally.received(bytesReceived, lostChunks);
    const results = new Map<number, FileResult>(files.map((result) => [result.file, result]));
    let last: ByteString | null = null;
    for (const [index, owner] of owners.entries()) {
      const { problems = [], isContentLost = false } = results.get(index) ?? {};
      if (owner.kind === 'segment') owner.shared.jobDone(problems, isContentLost);
      else this.#fileDone(owner.place, problems, isContentLost);
      last = owner.kind === 'segment' ? owner.shared.file.place.path : owner.place.path;
    }
    this.#parts.tally.tell('restoring', last);
  }

  #fileDone(place: FilePlace, problems: readonly TargetProblem[], isContentLost: boolean): void {
    this.#parts.target.fileDone(place, problems);
    const isLeftOut = problems.some(({ kind }) => kind === 'not-restored');
    const outcome = isContentLost ? 'content-lost' : isLeftOut ? 'left-out' : 'restored';
    this.#parts.tally.fileDone(place.path, place.sizeBytes, outcome);
  }
}

/** The lists of a file's content may be lost like content itself; other errors end the restore. */
function lossFrom(error: unknown, path: ByteString): TargetProblem {
  const isLoss = error instanceof CofreError && (error.code === 'damaged' || error.code === 'chunk_missing');
  if (!isLoss) throw error;
  return { kind: 'not-restored', path, detail: error.message };
}

function firstChunkOf({ content }: CatalogItem): ChunkId | null {
  return content.kind === 'slices' ? (content.slices[0]?.chunkId ?? null) : null;
}

/** Length of the content, which is less than the file's where it has holes. */
function contentBytesOf({ content }: CatalogItem): number {
  if (content.kind === 'list') return content.list.length;
  let bytes = 0;
  for (const { length } of content.slices) bytes += length;
  return bytes;
}

function folderOf(path: ByteString): ByteString {
  return path.slice(0, Math.max(0, path.lastIndexOf('/'))) as ByteString;
}
