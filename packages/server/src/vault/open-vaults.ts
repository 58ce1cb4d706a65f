import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { CofreError } from '@cofre/shared/errors';
import { isRandomId, type TenantId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import { DurableFolders, makeFolderDurably } from '../platform/durable-files.ts';
import { Semaphore } from '../platform/semaphore.ts';
import { openServiceClock, type ClockSources, type ServiceClock } from '../platform/service-time.ts';
import { isThere } from '../platform/is-there.ts';
import { StorageFailure } from '../platform/storage-failure.ts';
import { CallGate } from './call-gate.ts';
import { DatabasePool, VaultIndex } from './index/database-pool.ts';
import { lockFolder, type FolderLock } from './index/folder-lock.ts';
import type { NewObject } from './index/objects.store.ts';
import { databasesFolder, VaultLayout } from './layout.ts';
import {
  decodeTenantDescription,
  encodeTenantDescription,
  firstDescription,
  type TenantDescription,
} from './objects/tenant-description.ts';
import { PackFiles } from './read/pack-files.ts';
import { ReaderShare } from './read/reader-share.ts';
import { pairStore } from './store-pairing.ts';
import { StoreSpace } from './store-space.ts';
import { sweepVault } from './sweep.ts';
import { TenantVault } from './tenant-vault.ts';
import { VaultContext, type SharedParts } from './vault-context.ts';
import { requirePeriods, type Periods } from './retention/periods.ts';
import type { Vault, Vaults } from './vault.ts';

export interface VaultsOptions {
  /** Databases and service time; made when it is not there. */
  readonly dataFolder: string;
  /** Packs and objects; made when it is not there. */
  readonly storeFolder: string;
  /** The storage can't be believed any more and every call is refused from now on: the process has to exit. */
  readonly onFatal: (error: CofreError) => void;
  readonly threadCount?: number;
  readonly storeHeadroomBytes?: number;
  readonly clockSources?: ClockSources;
  /** Called between the steps of a write, for tests that end the process there. */
  readonly crashPoint?: (name: string) => void;
}

const THREADS = 2;
const OPEN_PACKS_MAX = 128;

/**
 * Opens the vaults of an appliance for this process alone.
 * @throws CofreError `busy` naming the process that has them open, `settings_invalid` when the store is another's
 */
export async function openVaults(options: VaultsOptions): Promise<Vaults> {
  const gate = new CallGate(options.onFatal);
  return gate.run(async () => {
    const { dataFolder, storeFolder } = options;
    for (const folder of [dataFolder, storeFolder, databasesFolder(dataFolder)])
      await makeFolderDurably(folder);
    const locks: FolderLock[] = [lockFolder(dataFolder)];
    try {
      const isOne = (await realpath(storeFolder)) === (await realpath(dataFolder));
      if (!isOne) locks.push(lockFolder(storeFolder));
      await pairStore(dataFolder, storeFolder);
      const clock = await openServiceClock(join(dataFolder, 'service-time.json'), options.clockSources);
      return new OpenVaults(options, gate, clock, locks);
    } catch (error) {
      for (const lock of locks) lock.release();
      throw error;
    }
  });
}

interface VaultParts {
  readonly vault: TenantVault;
  readonly context: VaultContext;
}

class OpenVaults implements Vaults {
  private readonly options: VaultsOptions;
  private readonly clock: ServiceClock;
  private readonly locks: readonly FolderLock[];
  private readonly pool: DatabasePool;
  private readonly shared: SharedParts;
  private readonly gate: CallGate;
  private readonly opened = new Map<TenantId, Promise<VaultParts>>();
  private closing: Promise<void> | null = null;

  constructor(options: VaultsOptions, gate: CallGate, clock: ServiceClock, locks: readonly FolderLock[]) {
    this.options = options;
    this.clock = clock;
    this.locks = locks;
    this.gate = gate;
    this.pool = new DatabasePool(options.threadCount ?? THREADS, (error) => {
      this.gate.stop(new StorageFailure('the databases failed', error));
    });
    this.shared = {
      folders: new DurableFolders(),
      space: new StoreSpace(options.storeFolder, options.storeHeadroomBytes ?? LIMITS.storeHeadroomBytes),
      uploads: new Semaphore(LIMITS.uploadsMax),
      packFiles: new PackFiles(OPEN_PACKS_MAX),
      readers: new ReaderShare(),
      gate: this.gate,
      nowMs: () => this.clock.nowMs(),
      crashPoint: options.crashPoint ?? (() => undefined),
    };
  }

  serviceTimeMs(): number {
    return this.clock.nowMs();
  }

  async open(tenantId: TenantId): Promise<Vault> {
    return (await this.openParts(tenantId)).vault;
  }

  async create(tenantId: TenantId, name = ''): Promise<void> {
    await this.gate.run(async () => {
      requireTenantId(tenantId);
      const { layout, index } = this.contextOf(tenantId);
      for (const folder of [layout.folder, layout.incoming, layout.objects, layout.packs]) {
        await this.shared.folders.make(folder);
      }
      await index.call('createVault', { tenantId, nowMs: this.clock.nowMs() });
    });
    const { context } = await this.openParts(tenantId);
    if ((await context.index.call('findDescription', undefined)) === null) {
      await this.describe(tenantId, () => ({ name }));
    }
  }

  async setQuota(tenantId: TenantId, quotaBytes: number): Promise<void> {
    await this.describe(tenantId, () => ({ quotaBytes }));
  }

  async describeTenant(tenantId: TenantId, said: Parameters<Vaults['describeTenant']>[1]): Promise<void> {
    await this.describe(tenantId, () => said);
  }

  async setPeriods(tenantId: TenantId, periods: Partial<Periods>): Promise<Periods> {
    const { lockMs, softDeleteMs } = await this.describe(tenantId, (known) => {
      requirePeriods(periods, known);
      return periods;
    });
    return { lockMs, softDeleteMs };
  }

  async close(): Promise<void> {
    this.closing ??= this.closeNow();
    await this.closing;
  }

  private async closeNow(): Promise<void> {
    await this.gate.close();
    await this.shared.packFiles.close();
    await this.pool.close();
    await this.clock.close();
    for (const lock of this.locks) lock.release();
  }

  /** Writes a new description when `change` of the newest one says something new; gives what counts then. */
  private async describe(
    tenantId: TenantId,
    change: (known: TenantDescription) => Partial<TenantDescription>,
  ): Promise<TenantDescription> {
    const { vault, context } = await this.openParts(tenantId);
    return this.gate.run(() =>
      vault.objects.exclusively(async () => {
        const row = await context.index.call('findDescription', undefined);
        const known = row === null ? firstDescription(tenantId) : decodeTenantDescription(row.bytes);
        const changed = { ...known, ...change(known) };
        if (row !== null && isDeepStrictEqual(known, changed)) return known;
        const describedNs = BigInt(this.clock.nowMs()) * 1_000_000n;
        const bytes = encodeTenantDescription({ ...changed, describedNs });
        const key = String((row?.number ?? 0) + 1);
        await vault.objects.publish([{ kind: 'description', key, deviceId: null, bytes }], ([object]) =>
          context.index.call('recordDescription', { ...changed, object: object as NewObject }),
        );
        return changed;
      }),
    );
  }

  private openParts(tenantId: TenantId): Promise<VaultParts> {
    return this.gate.run(() => {
      let opening = this.opened.get(tenantId);
      if (opening === undefined) {
        opening = this.openNow(tenantId);
        this.opened.set(tenantId, opening);
        opening.catch(() => this.opened.delete(tenantId));
      }
      return opening;
    });
  }

  private async openNow(tenantId: TenantId): Promise<VaultParts> {
    requireTenantId(tenantId);
    const context = this.contextOf(tenantId);
    await requireIndex(context);
    const row = await context.index.call('describeVault', undefined);
    if (row === null) refuseUnknown();
    // What is frozen is swept when it is not any more: nothing is removed on the word of an index that nobody trusts.
    if (row.frozenReason !== null) freeze(context, row.frozenReason);
    else await sweepVault(context);
    return { vault: new TenantVault(context), context };
  }

  private contextOf(tenantId: TenantId): VaultContext {
    const layout = new VaultLayout(this.options.dataFolder, this.options.storeFolder, tenantId);
    return new VaultContext(tenantId, new VaultIndex(this.pool, layout.database), layout, this.shared);
  }
}

/** The id becomes part of paths. */
function requireTenantId(tenantId: TenantId): void {
  if (!isRandomId(tenantId)) refuseUnknown();
}

/** @throws CofreError `not_found`, or `index_unusable` when the store has the vault and the index is gone */
async function requireIndex({ layout, tenantId }: VaultContext): Promise<void> {
  if (await isThere(layout.database)) return;
  if (!(await isThere(layout.folder))) refuseUnknown();
  throw new CofreError('index_unusable', {
    tenant: tenantId,
    problem: 'is gone, while the store has what it kept',
    command: `cofre-server rebuild ${tenantId}`,
  });
}

/** A rebuild that found nothing wrong leaves no reason: what it found has to be accepted, or mended and rebuilt. */
function freeze(context: VaultContext, reason: string): void {
  context.refuseWrites(reason, `cofre-server rebuild --accept ${context.tenantId}`);
}

function refuseUnknown(): never {
  throw new CofreError('not_found', { what: 'vault' });
}
