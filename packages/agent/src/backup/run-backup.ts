import { byteStringFromText } from '@cofre/shared/bytes';
import { CofreError } from '@cofre/shared/errors';
import { LIMITS } from '@cofre/shared/limits';
import { compileExcludes } from '../source/filters.ts';
import type { AgentContext } from '../state/agent-context.ts';
import { BackupAttempt, type AttemptParts } from './backup-attempt.ts';
import type { BackupObserver, BackupOptions, BackupSummary } from './backup.ts';
import { CommitRefusedError } from './commit-snapshot.ts';
import { runDry } from './dry-run.ts';
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
 *   exists), `usage` (a pattern that cannot match, `differential`), and what the server answers
 */
export async function runBackup(
  context: AgentContext,
  options: BackupOptions,
  observer: BackupObserver,
  signal: AbortSignal,
): Promise<BackupSummary> {
  const startedMs = performance.now();
  refuseUsage(options);
  const isExcluded = compileExcludes(options.excludes.map((pattern) => byteStringFromText(pattern)));
  const record = new RunRecord(observer);
  const parts: AttemptParts = { context, options, isExcluded, record, signal };
  const summary = options.isDryRun ? await runDry(parts) : await attemptInTurn(parts);
  return { ...summary, durationMs: performance.now() - startedMs };
}

async function attemptInTurn(parts: AttemptParts): Promise<Omit<BackupSummary, 'durationMs'>> {
  const { record, signal } = parts;
  for (let attempt = 1; ; attempt++) {
    const run = new BackupAttempt(parts);
    record.failures.beginAttempt();
    try {
      return await run.perform();
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

function refuseUsage({ kind, roots, setName }: BackupOptions): void {
  if (kind === 'differential') {
    const problem = 'differential runs are not available yet; any other run sends only what changed, too';
    throw new CofreError('usage', { problem });
  }
  if (roots.length === 0) throw new CofreError('usage', { problem: 'there is no path to back up' });
  if (setName.length > LIMITS.nameCharactersMax) {
    const problem = `the name of the set is longer than ${LIMITS.nameCharactersMax} characters`;
    throw new CofreError('usage', { problem });
  }
}

function isWorthAnother(error: unknown): error is CofreError {
  if (!(error instanceof CofreError)) return false;
  return ['missing_chunks', 'session_expired', 'head_moved', 'refset_mismatch'].includes(error.code);
}

function learnFrom(error: CofreError, record: RunRecord): void {
  if (error instanceof CommitRefusedError) for (const id of error.missing) record.missing.add(id);
  if (error.code === 'missing_chunks' || error.code === 'refset_mismatch') record.doubtsHead = true;
}
