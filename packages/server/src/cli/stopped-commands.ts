import type { Reconciliation } from '../tenancy/reconcile-directory.ts';
import type { RebuiltVault } from '../vault/rebuild/vault-rebuilder.ts';
import type { ApplianceSettings } from './settings.ts';

/** What is done on the files of a stopped server only. All of it is refused with `busy` while one runs. */
export interface StoppedCommands {
  /** @param onBytes gets the bytes that were read so far */
  rebuild(
    settings: ApplianceSettings,
    request: RebuildRequest,
    onBytes: (bytes: number) => void,
  ): Promise<RebuildReport>;
  /** Lets a rebuilt vault go on although something of it did not agree. */
  acceptRebuilt(settings: ApplianceSettings, tenant: string): Promise<AcceptedRebuild>;
  /** @param copy an absolute path, or the name of a copy in the store */
  restoreCopy(settings: ApplianceSettings, copy: string): Promise<RestoredCopy>;
}

export interface RebuildRequest {
  /** Id or name; null for all of them. */
  readonly tenant: string | null;
  readonly readsAll: boolean;
}

export interface RebuildReport {
  readonly vaults: readonly RebuiltVault[];
  /** Bytes that were read, those of the packs and objects that they stand for, and how long all took. */
  readonly readBytes: number;
  readonly storeBytes: number;
  readonly durationMs: number;
  readonly directory: Reconciliation;
}

export interface AcceptedRebuild {
  readonly tenantId: string;
  /** Why it was frozen; null when it was not. */
  readonly reason: string | null;
}

export interface RestoredCopy {
  /** Its name. */
  readonly file: string;
  /** The database before it was kept under this name; null when there was none. */
  readonly keptAs: string | null;
  readonly directory: Reconciliation;
  /** Tenants of which nothing can be said before their index was made anew. */
  readonly withoutIndex: readonly string[];
  /** The database before it could say which computers were revoked. */
  readonly isRevocationKnown: boolean;
}
