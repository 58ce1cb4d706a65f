import { randomBytes } from 'node:crypto';
import { link, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CofreError } from '@cofre/shared/errors';
import { isRandomId } from '@cofre/shared/ids';
import { removeFile, syncFolder, writeFileSynced } from '../platform/durable-files.ts';
import { isNotThere } from '../platform/storage-failure.ts';
import { databasesFolder } from './layout.ts';

const FILE = 'store.id';

/**
 * Checks that store and databases belong together, by an id that lies in both. Databases beside the store of another
 * appliance, or beside an empty folder where a disk should be mounted, would name everything as lost.
 * @throws CofreError `settings_invalid`
 */
export async function pairStore(dataFolder: string, storeFolder: string): Promise<void> {
  const inData = await readId(join(dataFolder, FILE));
  const inStore = await readId(join(storeFolder, FILE));
  if (inStore === null) {
    if (inData !== null || (await hasVaults(dataFolder))) {
      refuse(`${storeFolder} is not the store of the databases in ${dataFolder}; is its disk mounted?`);
    }
    await writeId(storeFolder, randomBytes(16).toString('hex'));
    return pairStore(dataFolder, storeFolder);
  }
  if (inData === null) {
    if (await hasTenants(storeFolder)) {
      refuse(`${storeFolder} holds vaults, and ${dataFolder} does not have their databases`);
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

async function hasTenants(storeFolder: string): Promise<boolean> {
  return (await readdir(storeFolder)).some(isRandomId);
}

function refuse(problem: string): never {
  throw new CofreError('settings_invalid', { setting: '--store', problem });
}
