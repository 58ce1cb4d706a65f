import { copyFile } from 'node:fs/promises';
import { basename, isAbsolute, join } from 'node:path';
import { CofreError } from '@cofre/shared/errors';
import type { ApplianceSettings } from './cli/settings.ts';
import type { RestoredCopy } from './cli/stopped-commands.ts';
import { copiesFolder } from './db/appliance-copies.ts';
import { DATABASE_FILE, type ApplianceCopyStore } from './db/appliance-stores.ts';
import { removeDatabase, replaceDatabase } from './platform/database-file.ts';
import { isThere } from './platform/is-there.ts';
import { withApplianceStores, withStoppedStore } from './rebuild-files.ts';
import { reconcileDirectory } from './tenancy/reconcile-directory.ts';
import { summarizeTenants } from './vault/rebuild/tenant-summary.ts';

/**
 * Puts a copy of the appliance's database back, and brings it in line with what the vaults say, and with what the
 * database before it knew to be revoked. It can be ended at any time and run again.
 * @throws CofreError `busy` while a server runs, `damaged` for a copy that is not whole: then nothing was changed
 */
export async function restoreCopy(settings: ApplianceSettings, copy: string): Promise<RestoredCopy> {
  return await withStoppedStore(settings, async (store) => {
    const { dataFolder, storeFolder } = store;
    const file = isAbsolute(copy) ? copy : join(copiesFolder(storeFolder), copy);
    if (!(await isThere(file))) throw new CofreError('not_found', { what: `copy ${file}` });
    const { keptAs, known } = await putInPlace(dataFolder, file);
    return await withApplianceStores(dataFolder, DATABASE_FILE, async (stores) => {
      const summaries = await summarizeTenants(store);
      const directory = await reconcileDirectory(stores, summaries, Date.now(), known ?? []);
      const withoutIndex = [...summaries].filter(([, summary]) => summary === null).map(([id]) => id);
      return { file: basename(file), keptAs, directory, withoutIndex, isRevocationKnown: known !== null };
    });
  });
}

/** @returns what the database before it was kept as, and which devices it knew to be revoked */
async function putInPlace(dataFolder: string, file: string) {
  const current = join(dataFolder, DATABASE_FILE);
  const next = `${current}.restoring`;
  // A database of its own looks at both: the one that is in place may be damaged.
  const looking = `${DATABASE_FILE}.looking`;
  try {
    await removeDatabase(next);
    await copyFile(file, next);
    const known = await withApplianceStores(dataFolder, looking, async ({ copies }) => {
      await copies.inspect(next);
      return await revokedBefore(copies, current);
    });
    const keptAs = await replaceDatabase({ current, next, reason: 'restore', crashPoint: () => undefined });
    return { keptAs, known };
  } finally {
    for (const left of [next, join(dataFolder, looking)]) await removeDatabase(left);
  }
}

/** Null when the database that is in place can't say. */
async function revokedBefore(copies: ApplianceCopyStore, current: string) {
  try {
    return await copies.listRevoked(current);
  } catch (error) {
    if (error instanceof CofreError && error.code === 'damaged') return null;
    throw error;
  }
}
