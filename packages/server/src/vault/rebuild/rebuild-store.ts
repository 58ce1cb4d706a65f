import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { CofreError } from '@cofre/shared/errors';
import { isRandomId, type TenantId } from '@cofre/shared/ids';
import { makeFolderDurably } from '../../platform/durable-files.ts';
import { openServiceClock, restoreServiceTime } from '../../platform/service-time.ts';
import { isThere } from '../../platform/is-there.ts';
import { IndexConnection } from '../index/connection.ts';
import { lockFolder, type FolderLock } from '../index/folder-lock.ts';
import { setFrozen } from '../index/rebuild.store.ts';
import { describeVault } from '../index/vault.store.ts';
import { databasesFolder, VaultLayout } from '../layout.ts';
import { pairStore } from '../store-pairing.ts';
import { rebuildVault, type RebuiltVault } from './vault-rebuilder.ts';

/** The folders of a stopped appliance, held so that no server starts on them meanwhile. */
export interface StoppedStore {
  readonly dataFolder: string;
  readonly storeFolder: string;
  release(): void;
}

/**
 * Takes the folders of a stopped appliance. Databases that are lost as a whole are no reason to refuse.
 * @throws CofreError `busy` while a server has them, `settings_invalid`
 */
export async function holdStoppedStore(dataFolder: string, storeFolder: string): Promise<StoppedStore> {
  if (!(await isThere(storeFolder))) {
    throw new CofreError('settings_invalid', { setting: '--store', problem: `${storeFolder} is not there` });
  }
  for (const folder of [dataFolder, databasesFolder(dataFolder)]) await makeFolderDurably(folder);
  const locks: FolderLock[] = [lockFolder(dataFolder)];
  const release = (): void => {
    for (const lock of locks) lock.release();
  };
  try {
    if ((await realpath(storeFolder)) !== (await realpath(dataFolder))) locks.push(lockFolder(storeFolder));
    await pairStore(dataFolder, storeFolder, true);
    return { dataFolder, storeFolder, release };
  } catch (error) {
    release();
    throw error;
  }
}

export interface RebuildRun {
  readonly tenants: readonly TenantId[];
  readonly readsAll: boolean;
  /** Gets bytes as they are read. */
  readonly onBytes: (bytes: number) => void;
  readonly crashPoint?: (name: string) => void;
}

/**
 * Makes the indexes of these tenants anew, one after the other. It can be ended at any time and run again.
 * @throws CofreError `not_found` for a tenant that the store does not have, before anything is touched
 */
export async function rebuildVaults(store: StoppedStore, run: RebuildRun): Promise<RebuiltVault[]> {
  const { dataFolder, storeFolder } = store;
  const layouts = run.tenants.map((tenantId) => layoutOf(store, tenantId));
  for (const { folder } of layouts) {
    if (!(await isThere(folder))) throw new CofreError('not_found', { what: `vault in ${storeFolder}` });
  }
  const timeFile = join(dataFolder, 'service-time.json');
  const nowMs = await serviceTimeMs(timeFile);
  const rebuilt: RebuiltVault[] = [];
  for (const [place, layout] of layouts.entries()) {
    // What the store lacks of an empty vault is made as for a new one.
    for (const folder of [layout.incoming, layout.objects, layout.packs]) await makeFolderDurably(folder);
    rebuilt.push(
      await rebuildVault({
        ...run,
        tenantId: run.tenants[place] as TenantId,
        layout,
        nowMs: nowMs ?? Date.now(),
        crashPoint: run.crashPoint ?? (() => undefined),
      }),
    );
  }
  const received = rebuilt.map(({ newestReceivedMs }) => newestReceivedMs).filter((time) => time !== null);
  // A wall clock that is wrong must not make the locks of a whole store run out at once.
  if (nowMs === null && received.length > 0) await restoreServiceTime(timeFile, Math.max(...received));
  return rebuilt;
}

/** Lets a rebuilt vault go on although something of it did not agree. @returns why it was frozen, or null */
export async function acceptRebuilt(store: StoppedStore, tenantId: TenantId): Promise<string | null> {
  const { database } = layoutOf(store, tenantId);
  if (!(await isThere(database))) throw new CofreError('not_found', { what: 'vault' });
  const index = new IndexConnection(database);
  try {
    const reason = describeVault(index)?.frozenReason ?? null;
    setFrozen(index, { reason: null });
    return reason;
  } finally {
    index.close();
  }
}

function layoutOf({ dataFolder, storeFolder }: StoppedStore, tenantId: TenantId): VaultLayout {
  // The id becomes part of paths.
  if (!isRandomId(tenantId)) throw new CofreError('not_found', { what: 'vault' });
  return new VaultLayout(dataFolder, storeFolder, tenantId);
}

/** Null when nothing says how far the service had come. */
async function serviceTimeMs(file: string): Promise<number | null> {
  if (!(await isThere(file))) return null;
  const clock = await openServiceClock(file);
  await clock.close();
  return clock.nowMs();
}
