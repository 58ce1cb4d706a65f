import { byteStringFromText } from '@cofre/shared/bytes';
import { CofreError } from '@cofre/shared/errors';
import { MissingChunksError } from '../client/problem-answer.ts';
import { compileExcludes } from '../source/filters.ts';
import type { AgentContext } from '../state/agent-context.ts';
import { BackupAttempt } from './backup-attempt.ts';
import type { BackupObserver, BackupOptions, BackupSummary } from './backup.ts';
import { RunRecord } from './run-record.ts';

/** Attempts at one run: each further one is owed to something that changed on the server meanwhile. */
const ATTEMPTS_MAX = 3;

/**
 * Backs up what the options name, as one snapshot.
 *
 * Nothing is acknowledged before everything that the snapshot needs is durable on the server. A run that ends
 * early leaves what it sent: the next one does not send it again.
 *
 * @throws CofreError `over_quota`, `server_unreachable`, `untrusted`, `interrupted`, `path_not_found` (no root
 *   exists), `usage` (a pattern that cannot match), and what the server answers
 */
export async function runBackup(
  context: AgentContext,
  options: BackupOptions,
  observer: BackupObserver,
  signal: AbortSignal,
): Promise<BackupSummary> {
  const startedMs = performance.now();
  const isExcluded = compileExcludes(options.excludes.map((pattern) => byteStringFromText(pattern)));
  const record = new RunRecord(observer);
  for (let attempt = 1; ; attempt++) {
    const run = new BackupAttempt({ context, options, isExcluded, record, signal });
    record.failures.beginAttempt();
    try {
      const summary = await run.perform();
      return { ...summary, durationMs: performance.now() - startedMs };
    } catch (error) {
      if (signal.aborted && !(error instanceof CofreError)) {
        throw new CofreError('interrupted', {}, { cause: error });
      }
      if (signal.aborted || attempt === ATTEMPTS_MAX || !isWorthAnother(error)) throw error;
      learnFrom(error, record);
    } finally {
      await run.close();
    }
  }
}

function isWorthAnother(error: unknown): error is CofreError {
  if (!(error instanceof CofreError)) return false;
  return ['missing_chunks', 'session_expired', 'head_moved', 'refset_mismatch'].includes(error.code);
}

function learnFrom(error: CofreError, record: RunRecord): void {
  if (error instanceof MissingChunksError) for (const id of error.missing) record.missing.add(id);
  if (error.code === 'missing_chunks' || error.code === 'refset_mismatch') record.doubtsHead = true;
}
