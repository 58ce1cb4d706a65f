import { byteStringFromText } from '@cofre/shared/bytes';
import { CofreError } from '@cofre/shared/errors';
import { LIMITS } from '@cofre/shared/limits';
import { compileExcludes } from '../source/filters.ts';
import type { AgentContext } from '../state/agent-context.ts';
import { BackupAttempt, type AttemptParts } from './backup-attempt.ts';
import type { BackupObserver, BackupOptions, BackupSummary } from './backup.ts';
import { CommitRefusedError } from './commit-snapshot.ts';
import { runDry } from './dry-run.ts';
import { RUN_PACE, type RunPace } from './run-pace.ts';
import { RunRecord, type Traffic } from './run-record.ts';

/** Attempts at one run that come to nothing: each is owed to something that changed on the server meanwhile. */
const ATTEMPTS_MAX = 3;

/**
 * Backs up what the options name, as one snapshot.
 *
 * Nothing is acknowledged before everything that the snapshot needs is durable on the server. A run that ends
 * early leaves what it sent and the journal of what it read: the next one does neither again.
 *
 * @throws CofreError `over_quota`, `server_unreachable`, `untrusted`, `interrupted`, `path_not_found` (no root
 *   exists), `usage` (a pattern that cannot match), and what the server answers
 */
export async function runBackup(
  context: AgentContext,
  options: BackupOptions,
  observer: BackupObserver,
  signal: AbortSignal,
  pace: RunPace = RUN_PACE,
): Promise<BackupSummary> {
  const startedMs = performance.now();
  refuseUsage(options);
  const isExcluded = compileExcludes(options.excludes.map((pattern) => byteStringFromText(pattern)));
  const record = new RunRecord(observer);
  const parts: AttemptParts = { context, options, isExcluded, record, signal, pace };
  const summary = options.isDryRun ? await runDry(parts) : await attemptInTurn(parts);
  return { ...summary, durationMs: performance.now() - startedMs };
}

async function attemptInTurn(parts: AttemptParts): Promise<Omit<BackupSummary, 'durationMs'>> {
  const { record, signal } = parts;
  for (let failures = 0; ;) {
    const before = record.traffic;
    try {
      return await attemptOnce(parts);
    } catch (error) {
      if (signal.aborted && !(error instanceof CofreError)) {
        throw new CofreError('interrupted', {}, { cause: error });
      }
      if (signal.aborted || !isWorthAnother(error)) throw error;
      failures = hasGoneOn(error, before, record.traffic) ? 0 : failures + 1;
      if (failures === ATTEMPTS_MAX) throw error;
      learnFrom(error, record);
    }
  }
}

async function attemptOnce(parts: AttemptParts): Promise<Omit<BackupSummary, 'durationMs'>> {
  const run = new BackupAttempt(parts);
  parts.record.beginAttempt();
  try {
    return await run.perform();
  } finally {
    await run.close();
  }
}

/** A computer may sleep through its sessions as often as it likes, as long as it gets something done in between. */
function hasGoneOn({ code }: CofreError, before: Traffic, after: Traffic): boolean {
  return (
    code === 'session_expired' && (after.bytesRead > before.bytesRead || after.bytesSent > before.bytesSent)
  );
}

function refuseUsage({ roots, setName }: BackupOptions): void {
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
