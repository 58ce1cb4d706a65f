import { displayName } from '@cofre/shared/bytes';
import type { ByteString } from '@cofre/shared/bytes';
import { CofreError } from '@cofre/shared/errors';
import { systemErrorCode } from '../../platform/system-error.ts';
import { isSafeCatalogPath } from './catalog-path.ts';
import type { TargetProblem, TargetProblemKind, TargetReport } from './target.ts';

const SAMPLES_PER_KIND_MAX = 20;
const FULL_CODES: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT']);

/** Kinds after which something that was to be restored is not there. */
const INCOMPLETE_KINDS: readonly TargetProblemKind[] = ['not-restored', 'unsafe-path'];

/**
 * The problem that a failed system call means for one entry, which is then not restored. A full target
 * throws `target_full`, since everything after it would fail too; what is no system error is thrown on.
 */
export function problemFrom(error: unknown, path: ByteString): TargetProblem {
  const code = systemErrorCode(error);
  if (code === undefined) throw error;
  if (FULL_CODES.has(code))
    throw new CofreError('target_full', { path: displayName(path) }, { cause: error });
  return { kind: isSafeCatalogPath(path) ? 'not-restored' : 'unsafe-path', path, detail: code };
}

/** Counts what was made and what went wrong; keeps the first few problems of each kind. */
export class TargetTally {
  readonly made = { files: 0, folders: 0, links: 0, specials: 0 };
  readonly #counts: Partial<Record<TargetProblemKind, number>> = {};
  readonly #samples: TargetProblem[] = [];

  add(...problems: readonly TargetProblem[]): void {
    for (const problem of problems) {
      const count = (this.#counts[problem.kind] ?? 0) + 1;
      this.#counts[problem.kind] = count;
      if (count <= SAMPLES_PER_KIND_MAX) this.#samples.push(problem);
    }
  }

  report(): TargetReport {
    return {
      ...this.made,
      problems: { ...this.#counts },
      samples: [...this.#samples],
      complete: INCOMPLETE_KINDS.every((kind) => this.#counts[kind] === undefined),
    };
  }
}
