import type { ByteString } from '@cofre/shared/bytes';
import type { ChunkId } from '@cofre/shared/ids';
import { PIECE_FIELDS, type JobFile, type RestoreJob } from './restore-job.ts';
import type { ContentPiece, FilePlace } from './target/target.ts';
import type { SharedFile } from './shared-file.ts';

/**
 * How much one job has. A job is closed at the first of these that it reaches, but waits for a file that does
 * not begin in one of its chunks, up to `HARD_FACTOR` times as much: a chunk that two jobs need is fetched twice.
 */
const JOB = {
  /** Some hundredths of a second of work: enough to keep a worker busy, few enough to share out evenly. */
  contentBytes: 16 * 1024 * 1024,
  chunks: 256,
  files: 2048,
} as const;
const HARD_FACTOR = 1.5;

/**
 * Descriptors that all jobs together may have open: folders are open until the job is done, files of several
 * pieces perhaps all at once. With `HARD_FACTOR` they stay below 1,024, which is all that some systems allow.
 */
const OPEN_MAX = { folders: 360, splitFiles: 180 } as const;

/** Who waits for the result of a file of a job. */
export type JobOwner =
  | { readonly kind: 'whole'; readonly place: FilePlace }
  | { readonly kind: 'segment'; readonly shared: SharedFile };

/** A job with what is to be done when its result comes, file by file. */
export interface BuiltJob {
  readonly job: RestoreJob;
  readonly owners: readonly JobOwner[];
}

/** Gathers files in catalog order into jobs. Ask {@link isFull} before adding, and {@link take} then. */
export class JobBuilder {
  readonly #jobsAtOnce: number;
  #number = 0;
  #chunkPlaces = new Map<ChunkId, number>();
  /** Of each chunk, the numbers of its pieces one after the other. */
  #chunkPieces: number[][] = [];
  #files: JobFile[] = [];
  #owners: JobOwner[] = [];
  #contentBytes = 0;
  #folders = new Set<ByteString>();
  #splitFiles = 0;
  #segment: { readonly shared: SharedFile; readonly file: number } | null = null;

  /** @param jobsAtOnce that may be under way, the one that is being built included */
  constructor(jobsAtOnce: number) {
    this.#jobsAtOnce = jobsAtOnce;
  }

  get isEmpty(): boolean {
    return this.#files.length === 0;
  }

  /** Whether the job should be taken before what begins with this chunk is added (null: with none). */
  isFull(nextChunkId: ChunkId | null): boolean {
    const fullness = Math.max(
      this.#contentBytes / JOB.contentBytes,
      this.#chunkPieces.length / JOB.chunks,
      this.#files.length / JOB.files,
      (this.#folders.size * this.#jobsAtOnce) / OPEN_MAX.folders,
      (this.#splitFiles * this.#jobsAtOnce) / OPEN_MAX.splitFiles,
    );
    const isContinued = nextChunkId !== null && this.#chunkPlaces.has(nextChunkId);
    return fullness >= (isContinued ? HARD_FACTOR : 1);
  }

  addWhole(place: FilePlace, folder: ByteString, pieces: readonly ContentPiece[]): void {
    const file = this.#addFile({ kind: 'whole', place, pieceCount: pieces.length }, { kind: 'whole', place });
    this.#folders.add(folder);
    if (pieces.length > 1) this.#splitFiles += 1;
    for (const piece of pieces) this.#addPiece(file, piece);
  }

  addSegmentPiece(shared: SharedFile, piece: ContentPiece): void {
    if (this.#segment?.shared !== shared) {
      const file = this.#addFile({ kind: 'segment', file: shared.file }, { kind: 'segment', shared });
      this.#segment = { shared, file };
      shared.jobAdded();
    }
    this.#addPiece(this.#segment.file, piece);
  }

  /** The job, and begins another. */
  take(): BuiltJob {
    const pieceEnds = new Uint32Array(this.#chunkPieces.length);
    let pieceCount = 0;
    for (const [chunk, pieces] of this.#chunkPieces.entries()) {
      pieceCount += pieces.length / PIECE_FIELDS;
      pieceEnds[chunk] = pieceCount;
    }
    const pieces = new Float64Array(pieceCount * PIECE_FIELDS);
    let offset = 0;
    for (const chunk of this.#chunkPieces) {
      pieces.set(chunk, offset);
      offset += chunk.length;
    }
    const chunkIds = [...this.#chunkPlaces.keys()];
    const job = { number: this.#number, chunkIds, pieceEnds, pieces, files: this.#files };
    const built = { job, owners: this.#owners };
    this.#begin();
    return built;
  }

  #begin(): void {
    this.#number += 1;
    this.#chunkPlaces = new Map();
    this.#chunkPieces = [];
    this.#files = [];
    this.#owners = [];
    this.#contentBytes = 0;
    this.#folders = new Set();
    this.#splitFiles = 0;
    this.#segment = null;
  }

  #addFile(file: JobFile, owner: JobOwner): number {
    this.#owners.push(owner);
    return this.#files.push(file) - 1;
  }

  #addPiece(file: number, { slice, chunkOffset, length, fileOffset }: ContentPiece): void {
    let chunk = this.#chunkPlaces.get(slice.chunkId);
    if (chunk === undefined) {
      chunk = this.#chunkPieces.push([]) - 1;
      this.#chunkPlaces.set(slice.chunkId, chunk);
    }
    this.#chunkPieces[chunk]?.push(file, chunkOffset, length, fileOffset);
    this.#contentBytes += length;
  }
}
