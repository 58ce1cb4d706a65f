import type { ChunkId } from '@cofre/shared/ids';
import type { FilePlace, OpenFile, TargetProblem } from './target/target.ts';

/**
 * Work for one worker: some chunks, in the order in which the catalog first needs them, and every place that
 * each of them is written to. Plain data, so that it can be posted to a thread.
 */
export interface RestoreJob {
  readonly number: number;
  readonly chunkIds: readonly ChunkId[];
  /** Chunk `i` has the pieces from `pieceEnds[i - 1]` (0 for the first) up to `pieceEnds[i]`. */
  readonly pieceEnds: Uint32Array<ArrayBuffer>;
  /** `PIECE_FIELDS` numbers a piece. */
  readonly pieces: Float64Array<ArrayBuffer>;
  /** Files that the job writes to; a piece names one by its number here. */
  readonly places: readonly FilePlace[];
  /** Of each file, how many pieces the job has. */
  readonly pieceCounts: Uint32Array<ArrayBuffer>;
  /** Files whose segments are shared out among jobs: they are open already, and somebody else completes them. */
  readonly openFiles: ReadonlyMap<number, OpenFile>;
}

/** Numbers of a piece in `RestoreJob.pieces`, and their order: number in `places`, then three as in `ContentPiece`. */
export const PIECE_FIELDS = 4;
export const PIECE = { file: 0, chunkOffset: 1, length: 2, fileOffset: 3 } as const;

export interface RestoreJobResult {
  readonly number: number;
  /** Bytes of sealed chunks. */
  readonly bytesReceived: number;
  /** Only of files with which something is. */
  readonly files: readonly FileResult[];
  readonly lostChunks: readonly LostChunk[];
}

export interface FileResult {
  /** Its number in the job's `places`. */
  readonly file: number;
  /** With `not-restored` among them nothing of a whole file is left; of a segment, others have to give it up. */
  readonly problems: readonly TargetProblem[];
  /** Why its content is lost; null when that is not why it is not restored. */
  readonly contentLost: LostReason | null;
}

/** What is to be said of a file whose content is lost. */
export interface ContentLoss {
  readonly problem: TargetProblem;
  readonly reason: LostReason;
}

/** A chunk that the server has no more, that is not what was sent, or that this version can't open. */
export interface LostChunk {
  readonly chunkId: ChunkId;
  readonly reason: LostReason;
}

/** `later-format`: it may well be whole, and a later version of this program can open it. */
export type LostReason = 'missing' | 'damaged' | 'later-format';
