import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CofreError } from '@cofre/shared/errors';
import { findFileAhead } from './file-ahead.ts';
import { isStoredPath } from './layout.ts';
import { removeFile } from '../platform/durable-files.ts';
import { isNotThere } from '../platform/storage-failure.ts';
import type { VaultContext } from './vault-context.ts';

const BATCH = 500;

/**
 * Clears away what a process that ended left half done: files that were still arriving, files whose intent never
 * became rows, files that were doomed. Nothing else is ever touched. Must run before anything is written.
 *
 * An index that is older than the store (restored from a copy, say) has intents of files that were acknowledged since:
 * then nothing is cleared away, nor written any more.
 */
export async function sweepVault(vault: VaultContext): Promise<void> {
  const ahead = await findFileAhead(vault);
  if (ahead !== null) {
    vault.refuseWrites(`is older than the store, which has ${ahead}`);
    return;
  }
  for (const name of await namesIncoming(vault)) await removeFile(join(vault.layout.incoming, name));
  for (;;) {
    const { intents, doomed } = await vault.index.call('listUnfinished', { limit: BATCH });
    if (intents.length === 0 && doomed.length === 0) return;
    if (![...intents, ...doomed].every(isStoredPath)) {
      vault.refuseWrites('is damaged: it names files that are none of a vault');
      return;
    }
    await vault.unlinkDoomed(doomed);
    await vault.discardFiles(intents);
  }
}

async function namesIncoming(vault: VaultContext): Promise<string[]> {
  try {
    return await readdir(vault.layout.incoming);
  } catch (error) {
    if (!isNotThere(error)) throw error;
    const problem = `the folder of tenant ${vault.tenantId} is gone from the store`;
    throw new CofreError('unavailable', { problem }, { cause: error });
  }
}
