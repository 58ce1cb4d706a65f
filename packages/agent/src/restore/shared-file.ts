import type { ContentLoss, LostReason } from './restore-job.ts';
import { abandonFile, finishFile } from './target/file-writer.ts';
import { problemFrom } from './target/target-problem.ts';
import type { OpenFile, TargetProblem } from './target/target.ts';

/**
 * A large file whose segments are written by several jobs: opened before the first of them, completed when
 * all of it was shared out and every job with a part of it is done.
 */
export class SharedFile {
  readonly file: OpenFile;
  readonly #onDone: (problems: readonly TargetProblem[], contentLost: LostReason | null) => void;
  #jobsPending = 0;
  #isSharedOut = false;
  #isClosed = false;
  #problem: TargetProblem | null = null;
  #contentLost: LostReason | null = null;

  /** @param onDone called once, when the file is complete or removed (not after {@link giveUp}) */
  constructor(
    file: OpenFile,
    onDone: (problems: readonly TargetProblem[], contentLost: LostReason | null) => void,
  ) {
    this.file = file;
    this.#onDone = onDone;
  }

  jobAdded(): void {
    this.#jobsPending += 1;
  }

  /** One job is done with its part. */
  jobDone(problems: readonly TargetProblem[], contentLost: LostReason | null): void {
    this.#jobsPending -= 1;
    this.#fail(problems, contentLost);
    this.#completeWhenDone();
  }

  /** All of the file is in jobs; or no more of it will be, because its lists are lost. */
  sharedOut(loss: ContentLoss | null): void {
    this.#isSharedOut = true;
    if (loss !== null) this.#fail([loss.problem], loss.reason);
    this.#completeWhenDone();
  }

  /** Removes the file: nobody may write to it any more. Does nothing when it is complete. */
  giveUp(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      abandonFile(this.file);
    } catch {
      // It could not be removed; the restore has failed already and says why.
    }
  }

  #fail(problems: readonly TargetProblem[], contentLost: LostReason | null): void {
    // One file is one problem, however many of its parts are concerned.
    this.#problem ??= problems[0] ?? null;
    this.#contentLost ??= contentLost;
  }

  #completeWhenDone(): void {
    if (!this.#isSharedOut || this.#jobsPending > 0) return;
    this.#onDone(this.#complete(), this.#contentLost);
  }

  #complete(): readonly TargetProblem[] {
    this.#isClosed = true;
    try {
      if (this.#problem === null) return finishFile(this.file);
      abandonFile(this.file);
      return [this.#problem];
    } catch (error) {
      return [this.#problem ?? problemFrom(error, this.file.place.path)];
    }
  }
}
