import { randomBytes } from 'node:crypto';
import { link, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CofreError } from '@cofre/shared/errors';
import { isRandomId, type TenantId } from '@cofre/shared/ids';
import { removeFile, syncFolder, writeFileSynced } from '../platform/durable-files.ts';
import { isNotThere } from '../platform/storage-failure.ts';
import { databasesFolder } from './layout.ts';

const FILE = 'store.id';

/**
 * Checks that store and databases belong together, by an id that lies in both. Databases beside the store of another
 * appliance, or beside an empty folder where a disk should be mounted, would name everything as lost.
 * @param adopts takes a store whose databases are lost
 * @throws CofreError `settings_invalid`
 */
export async function pairStore(dataFolder: string, storeFolder: string, adopts = false): Promise<void> {
  const inData = await readId(join(dataFolder, FILE));
  const inStore = await readId(join(storeFolder, FILE));
  if (inStore === null) {
    if (inData !== null || (await hasVaults(dataFolder))) {
      refuse(`${storeFolder} is not the store of the databases in ${dataFolder}; is its disk mounted?`);
    }
    await writeId(storeFolder, randomBytes(16).toString('hex'));
    return pairStore(dataFolder, storeFolder, adopts);
  }
  if (inData === null) {
    if (!adopts && (await listTenants(storeFolder)).length > 0) {
      const command = 'cofre-server rebuild --all';
      refuse(`the databases of ${storeFolder} are not in ${dataFolder}; if they are lost: ${command}`);
    }
    await writeId(dataFolder, inStore);
    return;
  }
  if (inData !== inStore)
    refuse(`${storeFolder} is the store of other databases than those in ${dataFolder}`);
}

async function readId(path: string): Promise<string | null> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if (isNotThere(error)) return null;
    throw error;
  }
}

async function writeId(folder: string, id: string): Promise<void> {
  const temporary = join(folder, `${FILE}.new`);
  await removeFile(temporary);
  await writeFileSynced(temporary, Buffer.from(`${id}\n`));
  await link(temporary, join(folder, FILE));
  // Vaults that are made from now on rely on it.
  await syncFolder(folder);
  await removeFile(temporary);
}

async function hasVaults(dataFolder: string): Promise<boolean> {
  return (await readdir(databasesFolder(dataFolder))).some((name) => name.endsWith('.db'));
}

/** The tenants whose vaults are in a store, whatever else lies there. */
export async function listTenants(storeFolder: string): Promise<TenantId[]> {
  return (await readdir(storeFolder)).filter(isRandomId) as TenantId[];
}

function refuse(problem: string): never {
  throw new CofreError('settings_invalid', { setting: '--store', problem });
}
