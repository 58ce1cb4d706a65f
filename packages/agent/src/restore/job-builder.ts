import type { ByteString } from '@cofre/shared/bytes';
import type { ChunkId } from '@cofre/shared/ids';
import { PIECE_FIELDS, type RestoreJob } from './restore-job.ts';
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
  files: 1024,
} as const;
const HARD_FACTOR = 1.5;

/**
 * Descriptors that all jobs together may have open: folders are open until the job is done, files of several
 * pieces perhaps all at once. With `HARD_FACTOR` they stay below 1,024, which is all that some systems allow.
 */
const OPEN_MAX = { folders: 360, splitFiles: 180 } as const;

/** A job with those of its files that other jobs write to as well, by their numbers in its `places`. */
export interface BuiltJob {
  readonly job: RestoreJob;
  readonly sharedFiles: ReadonlyMap<number, SharedFile>;
}

/** Gathers files in catalog order into jobs. Ask {@link isFull} before adding, and {@link take} then. */
export class JobBuilder {
  readonly #jobsAtOnce: number;
  #number = 0;
  #chunkPlaces = new Map<ChunkId, number>();
  /** Of each chunk, the numbers of its pieces one after the other. */
  #chunkPieces: number[][] = [];
  #places: FilePlace[] = [];
  #pieceCounts: number[] = [];
  #sharedFiles = new Map<number, SharedFile>();
  #contentBytes = 0;
  #folders = new Set<ByteString>();
  #splitFiles = 0;
  #segment: { readonly shared: SharedFile; readonly file: number } | null = null;

  /** @param jobsAtOnce that may be under way, the one that is being built included */
  constructor(jobsAtOnce: number) {
    this.#jobsAtOnce = jobsAtOnce;
  }

  get isEmpty(): boolean {
    return this.#places.length === 0;
  }

  /** Whether the job should be taken before what begins with this chunk is added (null: with none). */
  isFull(nextChunkId: ChunkId | null): boolean {
    const fullness = Math.max(
      this.#contentBytes / JOB.contentBytes,
      this.#chunkPieces.length / JOB.chunks,
      this.#places.length / JOB.files,
      (this.#folders.size * this.#jobsAtOnce) / OPEN_MAX.folders,
      (this.#splitFiles * this.#jobsAtOnce) / OPEN_MAX.splitFiles,
    );
    const isContinued = nextChunkId !== null && this.#chunkPlaces.has(nextChunkId);
    return fullness >= (isContinued ? HARD_FACTOR : 1);
  }

  addWhole(place: FilePlace, folder: ByteString, pieces: readonly ContentPiece[]): void {
    const file = this.#addFile(place);
    this.#folders.add(folder);
    if (pieces.length > 1) this.#splitFiles += 1;
    for (const piece of pieces) this.#addPiece(file, piece);
  }

  addSegmentPiece(shared: SharedFile, piece: ContentPiece): void {
    if (this.#segment?.shared !== shared) {
      const file = this.#addFile(shared.file.place);
      this.#sharedFiles.set(file, shared);
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
    const sharedFiles = this.#sharedFiles;
    const job = {
      number: this.#number,
      chunkIds: [...this.#chunkPlaces.keys()],
      pieceEnds,
      pieces,
      places: this.#places,
      pieceCounts: Uint32Array.from(this.#pieceCounts),
      openFiles: new Map([...sharedFiles].map(([file, shared]) => [file, shared.file])),
    };
    this.#begin();
    return { job, sharedFiles };
  }

  #begin(): void {
    this.#number += 1;
    this.#chunkPlaces = new Map();
    this.#chunkPieces = [];
    this.#places = [];
    this.#pieceCounts = [];
    this.#sharedFiles = new Map();
    this.#contentBytes = 0;
    this.#folders = new Set();
    this.#splitFiles = 0;
    this.#segment = null;
  }

  #addFile(place: FilePlace): number {
    this.#pieceCounts.push(0);
    return this.#places.push(place) - 1;
  }

  #addPiece(file: number, { slice, chunkOffset, length, fileOffset }: ContentPiece): void {
    let chunk = this.#chunkPlaces.get(slice.chunkId);
    if (chunk === undefined) {
      chunk = this.#chunkPieces.push([]) - 1;
      this.#chunkPlaces.set(slice.chunkId, chunk);
    }
    this.#chunkPieces[chunk]?.push(file, chunkOffset, length, fileOffset);
    this.#pieceCounts[file] = (this.#pieceCounts[file] ?? 0) + 1;
    this.#contentBytes += length;
  }
}
