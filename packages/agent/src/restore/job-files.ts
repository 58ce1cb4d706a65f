import { PIECE, PIECE_FIELDS, type FileResult, type RestoreJob } from './restore-job.ts';
import {
  abandonFile,
  createFile,
  finishFile,
  writePiece,
  writeWholeFile,
  type FilePiece,
} from './target/file-writer.ts';
import { problemFrom } from './target/target-problem.ts';
import type { FilePlace, OpenFile, TargetProblem } from './target/target.ts';

/** Where a file of a job stands. */
interface FileState {
  readonly place: FilePlace;
  /** Null when the file was opened by somebody else, who completes it. */
  readonly segmentOf: OpenFile | null;
  piecesLeft: number;
  file: OpenFile | null;
  isGivenUp: boolean;
}

/** The files of one job while its chunks arrive: each is opened at its first piece and completed at its last. */
export class JobFiles {
  readonly #job: RestoreJob;
  readonly #states: FileState[];
  readonly #results = new Map<number, FileResult>();

  constructor(job: RestoreJob) {
    this.#job = job;
    this.#states = job.files.map((file) => {
      const isWhole = file.kind === 'whole';
      return {
        place: isWhole ? file.place : file.file.place,
        segmentOf: isWhole ? null : file.file,
        piecesLeft: isWhole ? file.pieceCount : 0,
        file: isWhole ? null : file.file,
        isGivenUp: false,
      };
    });
  }

  /** Makes the files that no chunk will bring: those without content. */
  makeEmptyOnes(): void {
    for (const [index, state] of this.#states.entries()) {
      if (state.segmentOf === null && state.piecesLeft === 0)
        this.#note(index, writeWholeFile(state.place, []));
    }
  }

  /** Writes a chunk to all its places. @throws CofreError `target_full` */
  write(chunk: number, content: Buffer): void {
    for (const base of this.#piecesOf(chunk)) {
      const { pieces } = this.#job;
      const start = pieces[base + PIECE.chunkOffset] as number;
      const end = start + (pieces[base + PIECE.length] as number);
      const index = pieces[base + PIECE.file] as number;
      if (end > content.length) {
        this.#lose(index);
        continue;
      }
      const fileOffset = pieces[base + PIECE.fileOffset] as number;
      this.#writePiece(index, { bytes: content.subarray(start, end), fileOffset });
    }
  }

  /** Gives up all files that need a chunk which is lost. */
  lose(chunk: number): void {
    for (const base of this.#piecesOf(chunk)) this.#lose(this.#job.pieces[base + PIECE.file] as number);
  }

  /** What is to be said, when all chunks have come. */
  results(): FileResult[] {
    return [...this.#results.values()];
  }

  /** Removes the files that are still open: after an error. Those of others are theirs. */
  giveUpOpen(): void {
    for (const state of this.#states) if (state.segmentOf === null) this.#abandon(state);
  }

  *#piecesOf(chunk: number): Generator<number> {
    const { pieceEnds } = this.#job;
    const start = chunk === 0 ? 0 : (pieceEnds[chunk - 1] as number);
    for (let piece = start; piece < (pieceEnds[chunk] as number); piece++) yield piece * PIECE_FIELDS;
  }

  #writePiece(index: number, piece: FilePiece): void {
    const state = this.#states[index] as FileState;
    if (state.isGivenUp) return;
    const isOnly = state.file === null && state.piecesLeft === 1;
    if (isOnly) {
      state.piecesLeft = 0;
      this.#note(index, writeWholeFile(state.place, [piece]));
      return;
    }
    try {
      state.file ??= createFile(state.place);
      writePiece(state.file.descriptor, piece);
      if (state.segmentOf !== null || --state.piecesLeft > 0) return;
      const { file } = state;
      // Whatever comes of it, `finishFile` closes the file.
      state.file = null;
      this.#note(index, finishFile(file));
    } catch (error) {
      this.#giveUp(state);
      this.#note(index, [problemFrom(error, state.place.path)]);
    }
  }

  #lose(index: number): void {
    const state = this.#states[index] as FileState;
    if (state.isGivenUp) return;
    this.#giveUp(state);
    const problem = { kind: 'not-restored', path: state.place.path, detail: 'its content is lost' } as const;
    this.#note(index, [problem], true);
  }

  #giveUp(state: FileState): void {
    state.isGivenUp = true;
    if (state.segmentOf === null) this.#abandon(state);
  }

  #abandon(state: FileState): void {
    const { file } = state;
    if (file === null) return;
    state.file = null;
    try {
      abandonFile(file);
    } catch {
      // It could not be removed, and is not named as restored either.
    }
  }

  #note(file: number, problems: readonly TargetProblem[], isContentLost = false): void {
    if (problems.length > 0) this.#results.set(file, { file, problems, isContentLost });
  }
}
