import { CofreError } from '@cofre/shared/errors';
import type { AgentContext } from '../state/agent-context.ts';
import { BackupAttempt } from './backup-attempt.ts';
import type { BackupObserver, BackupOptions, BackupSummary } from './backup.ts';
import { ChunkTable, CHUNK_STATES } from './pipeline/chunk-table.ts';

/** Attempts at one run: each further one is owed to something that changed on the server meanwhile. */
const ATTEMPTS_MAX = 3;

/**
 * Backs up what the options name, as one snapshot.
 *
 * Nothing is acknowledged before everything that the snapshot needs is durable on the server. A run that ends
 * early leaves what it sent: the next one does not send it again.
 *
 * @throws CofreError `over_quota`, `server_unreachable`, `untrusted`, `interrupted`, `path_not_found` (no root
 *   exists), and what the server answers
 */
export async function runBackup(
  context: AgentContext,
  options: BackupOptions,
  observer: BackupObserver,
  signal: AbortSignal,
): Promise<BackupSummary> {
  const startedMs = performance.now();
  const table = new ChunkTable();
  for (let attempt = 1; ; attempt++) {
    const run = new BackupAttempt(context, options, observer, signal, table);
    try {
      const summary = await run.perform();
      return { ...summary, durationMs: performance.now() - startedMs };
    } catch (error) {
      if (signal.aborted) throw new CofreError('interrupted', {}, { cause: error });
      if (attempt === ATTEMPTS_MAX || !isWorthAnother(error)) throw error;
      // What was live for the session that ended may have been collected: ask again about all of it.
      table.unmarkAll(CHUNK_STATES.live | CHUNK_STATES.claimed | CHUNK_STATES.needed | CHUNK_STATES.held);
    } finally {
      await run.close();
    }
  }
}

function isWorthAnother(error: unknown): boolean {
  if (!(error instanceof CofreError)) return false;
  return ['missing_chunks', 'session_expired', 'head_moved', 'refset_mismatch'].includes(error.code);
}
