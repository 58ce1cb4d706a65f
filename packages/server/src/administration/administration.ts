import type {
  AdministeredDevice,
  InviteResponse,
  TenantItem,
  VaultStatistics,
  VerifyResult,
} from '@cofre/shared/wire/administration';
import type { CollectionReport } from '@cofre/shared/wire/collection';
import type { ScrubReport, VaultDamagesList } from '@cofre/shared/wire/damage';
import type { NewTenant } from '../tenancy/tenants.ts';
import type { PeopleAdministration } from './people-administration.ts';
import type { CopiesAdministration } from './copies-administration.ts';
import type { RetentionAdministration } from './retention-administration.ts';
import type { TenantAdministration } from './tenant-administration.ts';

/**
 * What the provider does on the host. One implementation works on the services (`local-administration.ts`), another
 * asks a running server for the same over its socket (`remote-administration.ts`).
 *
 * A tenant is named by id or name, a device by id, the beginning of one, or name; `not_found` and `ambiguous` say
 * when that does not lead to one.
 */
export interface Administration extends CopiesAdministration {
  readonly people: PeopleAdministration;
  /** @throws CofreError `already_exists` */
  createTenant(tenant: NewTenant): Promise<TenantItem>;
  listTenants(): Promise<TenantItem[]>;
  /** @throws CofreError `settings_invalid` when it is not known under which address computers reach the server */
  invite(tenant: string): Promise<InviteResponse>;
  listDevices(tenant: string): Promise<AdministeredDevice[]>;
  /** The device is refused from now on; what it brought stays. */
  revokeDevice(tenant: string, device: string): Promise<AdministeredDevice>;
  readonly retention: RetentionAdministration;
  readonly tenants: TenantAdministration;
  /** @param tenant null for all of them */
  statistics(tenant: string | null): Promise<VaultStatistics[]>;
  /**
   * Reads everything that is kept. A vault that can't be read is a finding, and the others are read all the same.
   * @param tenant null for all of them
   */
  verify(tenant: string | null, run: ReadingRun): Promise<VerifyResult>;
  /**
   * Reads what is kept and takes what is damaged out of service; see {@link Vault.runScrub}.
   * @param tenant null for all of them
   */
  scrub(tenant: string | null, run: AskedScrub): Promise<ScrubReport>;
  /**
   * Lets go of what nothing needs any more, and gives its space back; see {@link Vault.runCollection}.
   * @param tenant null for all of them
   */
  collect(tenant: string | null, run: ReadingRun): Promise<CollectionReport>;
  /** What was found damaged, and what became of it. @param tenant null for all of them */
  listDamages(tenant: string | null): Promise<VaultDamagesList>;
}

/** A run that reads for long. */
export interface ReadingRun {
  /** Gets the bytes that were read so far. */
  readonly onProgress: (bytes: number) => void;
  readonly signal: AbortSignal;
}

export interface AskedScrub extends ReadingRun {
  /** Only what is due, and not everything that is kept. */
  readonly isDueOnly: boolean;
}
