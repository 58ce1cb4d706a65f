import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { removeFile } from '../platform/durable-files.ts';
import type { VaultContext } from './vault-context.ts';

const BATCH = 500;

/**
 * Clears away what a process that ended left half done: files that were still arriving, files whose intent never
 * became rows, files that were doomed. Nothing else is ever touched. Must run before anything is written.
 */
export async function sweepVault(vault: VaultContext): Promise<void> {
  for (const name of await readdir(vault.layout.incoming))
    await removeFile(join(vault.layout.incoming, name));
  for (;;) {
    const { intents, doomed } = await vault.index.call('listUnfinished', { limit: BATCH });
    if (intents.length === 0 && doomed.length === 0) return;
    await vault.unlinkDoomed(doomed);
    await vault.discardFiles(intents);
  }
}
