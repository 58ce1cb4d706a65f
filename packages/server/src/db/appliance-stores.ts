import { join } from 'node:path';
import type { CofreError } from '@cofre/shared/errors';
import type { DeviceId, TenantId } from '@cofre/shared/ids';
import type { CopyStore } from './appliance-copies.ts';
import { DatabaseThread } from './database-thread.ts';
import { peopleStore, type PeopleStore } from './people-store.ts';
import type {
  CredentialRecord,
  DeviceRecord,
  Enrolled,
  Enrolment,
  NewInvitation,
  NewTenantRecord,
  TenantRecord,
} from './records.ts';
import { tenantLifeStore, type TenantLifeStore } from './tenant-life-store.ts';

/** The directory of tenants, for who administers the appliance. */
export interface TenantStore {
  /** @throws CofreError `already_exists` */
  insert(tenant: NewTenantRecord): Promise<void>;
  list(): Promise<TenantRecord[]>;
  byId(id: TenantId): Promise<TenantRecord | null>;
  byName(name: string): Promise<TenantRecord | null>;
  byCode(managementCode: string): Promise<TenantRecord | null>;
  /** Devices that are not revoked; tenants without one are left out. */
  countDevices(): Promise<Map<TenantId, number>>;
}

/** Devices and invitations of one tenant: nothing in here reaches another's. */
export interface TenantScope {
  listDevices(): Promise<DeviceRecord[]>;
  /** False when the tenant has no such device, or it was revoked before. */
  revokeDevice(deviceId: DeviceId, nowMs: number): Promise<boolean>;
  insertInvitation(invitation: NewInvitation): Promise<void>;
}

/** What comes before a tenant is known: from a device's id, or from a one-time code. */
export interface CredentialStore {
  find(deviceId: DeviceId): Promise<CredentialRecord | null>;
  noteSeen(deviceId: DeviceId, nowMs: number): Promise<void>;
  /** @throws CofreError `enrolment_code_unknown`, `enrolment_code_used`, `enrolment_code_expired` */
  enrol(enrolment: Enrolment): Promise<Enrolled>;
}

/** Copies of the whole database. */
export interface ApplianceCopyStore extends CopyStore {
  /** Which devices a copy knows to be revoked. @throws CofreError `damaged` */
  listRevoked(file: string): Promise<{ tenantId: TenantId; deviceId: DeviceId }[]>;
}

export interface ApplianceStores {
  readonly tenants: TenantStore;
  /** What changes about tenants. */
  readonly tenantLife: TenantLifeStore;
  readonly credentials: CredentialStore;
  ofTenant(tenantId: TenantId): TenantScope;
  readonly copies: ApplianceCopyStore;
  /** People, and the audit log. */
  readonly people: PeopleStore;
  close(): Promise<void>;
}

/** The name of the database in the folder of databases. */
export const DATABASE_FILE = 'appliance.sqlite';

/**
 * Opens the appliance's database in `dataFolder` on a thread of its own. The caller holds the lock of the folder.
 * @throws CofreError `storage_failed`
 */
export async function openApplianceStores(
  dataFolder: string,
  onFatal: (error: CofreError) => void,
  name = DATABASE_FILE,
): Promise<ApplianceStores> {
  const thread = await DatabaseThread.open(join(dataFolder, name), onFatal);
  return {
    tenants: tenantStore(thread),
    tenantLife: tenantLifeStore(thread),
    credentials: {
      find: (deviceId) => thread.call('credential', deviceId),
      noteSeen: (deviceId, nowMs) => thread.call('noteSeen', deviceId, nowMs),
      enrol: (enrolment) => thread.call('enrol', enrolment),
    },
    ofTenant: (tenantId) => tenantScope(thread, tenantId),
    copies: {
      copyInto: (file) => thread.call('copyInto', file),
      inspect: (file) => thread.call('inspectCopy', file),
      listRevoked: (file) => thread.call('listRevoked', file),
    },
    people: peopleStore(thread),
    close: () => thread.close(),
  };
}

function tenantStore(thread: DatabaseThread): TenantStore {
  return {
    insert: (tenant) => thread.call('insertTenant', tenant),
    list: () => thread.call('listTenants'),
    byId: (id) => thread.call('tenantById', id),
    byName: (name) => thread.call('tenantByName', name),
    byCode: (managementCode) => thread.call('tenantByCode', managementCode),
    countDevices: async () => new Map(await thread.call('countDevices')),
  };
}

function tenantScope(thread: DatabaseThread, tenantId: TenantId): TenantScope {
  return {
    listDevices: () => thread.call('listDevices', tenantId),
    revokeDevice: (deviceId, nowMs) => thread.call('revokeDevice', tenantId, deviceId, nowMs),
    insertInvitation: (invitation) => thread.call('insertInvitation', tenantId, invitation),
  };
}
