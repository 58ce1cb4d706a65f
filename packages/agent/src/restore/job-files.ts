import { PIECE, PIECE_FIELDS, type FileResult, type LostReason, type RestoreJob } from './restore-job.ts';
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

const LOSSES: Readonly<Record<LostReason, string>> = {
  missing: 'its content is lost',
  damaged: 'its content is lost',
  'later-format': 'a newer version of Cofre wrote its content',
};

/** The files of one job while its chunks arrive: each is opened at its first piece and completed at its last. */
export class JobFiles {
  readonly #job: RestoreJob;
  readonly #piecesLeft: Uint32Array;
  readonly #open = new Map<number, OpenFile>();
  readonly #givenUp = new Set<number>();
  readonly #results = new Map<number, FileResult>();

  constructor(job: RestoreJob) {
    this.#job = job;
    this.#piecesLeft = Uint32Array.from(job.pieceCounts);
  }

  /** Makes the files that no chunk will bring: those without content. */
  makeEmptyOnes(): void {
    for (const [index, place] of this.#job.places.entries()) {
      if (this.#piecesLeft[index] === 0) this.#note(index, writeWholeFile(place, []));
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
        this.#lose(index, 'damaged');
        continue;
      }
      const fileOffset = pieces[base + PIECE.fileOffset] as number;
      this.#writePiece(index, { bytes: content.subarray(start, end), fileOffset });
    }
  }

  /** Gives up all files that need a chunk which is lost. */
  lose(chunk: number, reason: LostReason): void {
    for (const base of this.#piecesOf(chunk))
      this.#lose(this.#job.pieces[base + PIECE.file] as number, reason);
  }

  /** What is to be said, when all chunks have come. */
  results(): FileResult[] {
    return [...this.#results.values()];
  }

  /** Removes the files that are still open: after an error. Those of others are theirs. */
  giveUpOpen(): void {
    for (const index of this.#open.keys()) this.#abandon(index);
  }

  *#piecesOf(chunk: number): Generator<number> {
    const { pieceEnds } = this.#job;
    const start = chunk === 0 ? 0 : (pieceEnds[chunk - 1] as number);
    for (let piece = start; piece < (pieceEnds[chunk] as number); piece++) yield piece * PIECE_FIELDS;
  }

  #writePiece(index: number, piece: FilePiece): void {
    if (this.#givenUp.has(index)) return;
    const shared = this.#job.openFiles.get(index);
    const place = this.#place(index);
    try {
      if (shared !== undefined) writePiece(shared.descriptor, piece);
      else if (this.#job.pieceCounts[index] === 1) this.#note(index, writeWholeFile(place, [piece]));
      else this.#writePart(index, place, piece);
    } catch (error) {
      this.#giveUp(index);
      this.#note(index, [problemFrom(error, place.path)]);
    }
  }

  #writePart(index: number, place: FilePlace, piece: FilePiece): void {
    const file = this.#open.get(index) ?? createFile(place);
    this.#open.set(index, file);
    writePiece(file.descriptor, piece);
    const left = (this.#piecesLeft[index] ?? 0) - 1;
    this.#piecesLeft[index] = left;
    if (left > 0) return;
    // Whatever comes of it, `finishFile` closes the file.
    this.#open.delete(index);
    this.#note(index, finishFile(file));
  }

  #lose(index: number, reason: LostReason): void {
    if (this.#givenUp.has(index)) return;
    this.#giveUp(index);
    const { path } = this.#place(index);
    this.#note(index, [{ kind: 'not-restored', path, detail: LOSSES[reason] }], reason);
  }

  #giveUp(index: number): void {
    this.#givenUp.add(index);
    this.#abandon(index);
  }

  #abandon(index: number): void {
    const file = this.#open.get(index);
    if (file === undefined) return;
    this.#open.delete(index);
    try {
      abandonFile(file);
    } catch {
      // It could not be removed, and is not named as restored either.
    }
  }

  #place(index: number): FilePlace {
    return this.#job.places[index] as FilePlace;
  }

  #note(file: number, problems: readonly TargetProblem[], contentLost: LostReason | null = null): void {
    if (problems.length > 0) this.#results.set(file, { file, problems, contentLost });
  }
}
