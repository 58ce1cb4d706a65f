import type { ByteString } from '@cofre/shared/bytes';
import type { CatalogItem, CatalogReader } from '@cofre/shared/catalog/catalog-reader';
import { CofreError, type ErrorCode } from '@cofre/shared/errors';
import { hasLostContent, type Slice } from '@cofre/shared/format/entry';
import type { ChunkId } from '@cofre/shared/ids';
import { HeapKeeper } from '../platform/heap-keeper.ts';
import type { LostEntries } from '../vault-reader/lost-entries.ts';
import { JobBuilder, type BuiltJob } from './job-builder.ts';
import type { ChunkFeed } from './chunk-feed.ts';
import { JobPool } from './job-pool.ts';
import type { JobWorker } from './job-work.ts';
import { placedPieces, placedPiecesOf } from './placed-pieces.ts';
import type { ContentLoss, FileResult, LostReason, RestoreJobResult } from './restore-job.ts';
import { LossRelief } from './loss-relief.ts';
import type { RestoreTally } from './restore-tally.ts';
import type { Selection } from './select-entries.ts';
import { SharedFile } from './shared-file.ts';
import { createFile } from './target/file-writer.ts';
import { problemFrom } from './target/target-problem.ts';
import type { ContentPiece, FilePlace, RestoreTarget, TargetProblem, TargetReport } from './target/target.ts';

/** Files above this are written by several jobs. */
const WHOLE_FILE_BYTES_MAX = 24 * 1024 * 1024;

/** The buffers of chunks on their way leave less room for garbage than there is in other runs. */
const HEAP_GROWTH_BYTES_MAX = 16 * 1024 * 1024;

export interface RestoreRunParts {
  readonly target: RestoreTarget;
  readonly catalog: CatalogReader;
  readonly tally: RestoreTally;
  readonly feed: ChunkFeed;
  readonly workers: readonly JobWorker[];
  /** What the catalog's reader tells to be lost. */
  readonly lost: LostEntries;
}

/**
 * One restore: walks the catalog in this thread, makes folders and special files, and hands files out in jobs,
 * a few at a time. Memory is bounded by the jobs under way; the target remembers folders and links.
 */
export class RestoreRun {
  readonly #parts: RestoreRunParts;
  readonly #pool: JobPool;
  readonly #builder: JobBuilder;
  readonly #relief: LossRelief;
  readonly #underWay = new Map<number, BuiltJob>();
  readonly #sharedFiles = new Set<SharedFile>();
  readonly #heap = new HeapKeeper(HEAP_GROWTH_BYTES_MAX);

  constructor(parts: RestoreRunParts) {
    this.#parts = parts;
    this.#pool = new JobPool(parts.feed, parts.workers, (result) => this.#takeResult(result));
    this.#relief = new LossRelief(parts.lost, parts.target, parts.tally);
    this.#builder = new JobBuilder(this.#pool.jobsMax + 1);
  }

  /** To be called once. @throws CofreError for what ends the restore; no incomplete file is left then */
  async restore(selection: Selection, signal: AbortSignal): Promise<TargetReport> {
    const onAbort = () => this.#pool.fail(new CofreError('interrupted'));
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
    try {
      for await (const items of selection.batches()) {
        if (signal.aborted) throw new CofreError('interrupted');
        await this.#restoreAll(items);
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

  async #restoreAll(items: readonly CatalogItem[]): Promise<void> {
    const { target, tally } = this.#parts;
    for (const found of items) {
      const item = this.#relief.resolve(found);
      if (item === null) continue;
      const { path, entry } = item;
      tally.entry(path, entry);
      this.#relief.makeFolders(path);
      if (entry.hardLinkTo !== undefined || (entry.type !== 'file' && entry.type !== 'stream')) {
        target.add(path, entry);
        continue;
      }
      if (this.#builder.isFull(firstChunkOf(item))) await this.#flush();
      const place = target.placeFile(path, entry);
      if (place === null) tally.fileDone(path, entry.size, 'left-out');
      else if (hasLostContent(entry)) this.#contentLost(place, lostBefore(path));
      else if (contentBytesOf(item) > WHOLE_FILE_BYTES_MAX) await this.#shareOut(item, place);
      else if (item.content.kind === 'list') this.#addWhole(item, place, await this.#slicesOf(item, place));
      else this.#addWhole(item, place, item.content.slices);
    }
  }

  /** @param slices null when they are lost, and the file is done with */
  #addWhole({ path, entry }: CatalogItem, place: FilePlace, slices: readonly Slice[] | null): void {
    if (slices === null) return;
    try {
      this.#builder.addWhole(place, folderOf(path), placedPieces(entry, slices));
    } catch (error) {
      this.#contentLost(place, lossFrom(error, path));
    }
  }

  async #slicesOf({ content, path }: CatalogItem, place: FilePlace): Promise<readonly Slice[] | null> {
    const slices: Slice[] = [];
    try {
      for await (const slice of this.#parts.catalog.slices(content)) slices.push(slice);
      return slices;
    } catch (error) {
      this.#contentLost(place, lossFrom(error, path));
      return null;
    }
  }

  /** Opens a large file here and gives its segments to jobs. */
  async #shareOut({ entry, content, path }: CatalogItem, place: FilePlace): Promise<void> {
    const shared = this.#openShared(place);
    if (shared === null) return;
    let loss: ContentLoss | null = null;
    const pieces = placedPiecesOf(entry, this.#parts.catalog.slices(content));
    for (;;) {
      let next: IteratorResult<ContentPiece, void>;
      try {
        next = await pieces.next();
      } catch (error) {
        loss = lossFrom(error, path);
        break;
      }
      if (next.done === true) break;
      if (this.#builder.isFull(next.value.slice.chunkId)) await this.#flush();
      this.#builder.addSegmentPiece(shared, next.value);
    }
    shared.sharedOut(loss);
  }

  #openShared(place: FilePlace): SharedFile | null {
    try {
      const shared = new SharedFile(createFile(place), (problems, contentLost) => {
        this.#sharedFiles.delete(shared);
        this.#fileDone(place, problems, contentLost);
      });
      this.#sharedFiles.add(shared);
      return shared;
    } catch (error) {
      this.#fileDone(place, [problemFrom(error, place.path)], null);
      return null;
    }
  }

  async #flush(): Promise<void> {
    if (this.#builder.isEmpty) return;
    const built = this.#builder.take();
    this.#heap.check();
    this.#underWay.set(built.job.number, built);
    await this.#pool.submit(built.job);
  }

  #takeResult({ number, bytesReceived, files, lostChunks }: RestoreJobResult): void {
    const built = this.#underWay.get(number);
    if (built === undefined) return;
    this.#underWay.delete(number);
    this.#parts.tally.received(bytesReceived, lostChunks);
    const results = new Map<number, FileResult>(files.map((result) => [result.file, result]));
    const { places } = built.job;
    for (let index = 0; index < places.length; index++) {
      const { problems = [], contentLost = null } = results.get(index) ?? {};
      const shared = built.sharedFiles.get(index);
      if (shared === undefined) this.#fileDone(places[index] as FilePlace, problems, contentLost);
      else shared.jobDone(problems, contentLost);
    }
    this.#parts.tally.tell('restoring', places.at(-1)?.path ?? null);
  }

  #contentLost(place: FilePlace, { problem, reason }: ContentLoss): void {
    this.#fileDone(place, [problem], reason);
  }

  #fileDone(place: FilePlace, problems: readonly TargetProblem[], contentLost: LostReason | null): void {
    this.#parts.target.fileDone(place, problems);
    const isLeftOut = problems.some(({ kind }) => kind === 'not-restored');
    const outcome = contentLost ?? (isLeftOut ? 'left-out' : 'restored');
    this.#parts.tally.fileDone(place.path, place.sizeBytes, outcome);
  }
}

const LIST_LOSSES: ReadonlyMap<ErrorCode, LostReason> = new Map([
  ['chunk_missing', 'missing'],
  ['damaged', 'damaged'],
  ['unknown_format', 'later-format'],
]);

/** What the server lost before this snapshot was made, which stands in for the file that could not be read again. */
function lostBefore(path: ByteString): ContentLoss {
  const detail = 'its content was lost before this snapshot was made';
  return { problem: { kind: 'not-restored', path, detail }, reason: 'missing' };
}

/** The lists of a file's content may be lost like content itself; other errors end the restore. */
function lossFrom(error: unknown, path: ByteString): ContentLoss {
  const reason = error instanceof CofreError ? LIST_LOSSES.get(error.code) : undefined;
  if (!(error instanceof CofreError) || reason === undefined) throw error;
  return { problem: { kind: 'not-restored', path, detail: error.message }, reason };
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
