import type { TenantAdministration } from '@cofre/server/administration/tenant-administration';
import { newRandomId, type TenantId } from '@cofre/shared/ids';
import type { TenantDetail, UsageDay } from '@cofre/shared/wire/tenants';

const INSTANT = '2026-01-02T03:04:05.678Z';

/** What the last question was: the answers do not depend on it. */
export const askedOfTenants: { last: readonly unknown[] } = { last: [] };

const DETAIL: TenantDetail = {
  tenant: {
    tenantId: newRandomId<TenantId>(),
    name: 'Evil‮Name',
    modules: 2,
    quotaBytes: 104_857_600,
    usedBytes: 1536,
    devices: 1,
    snapshots: 7,
    created: INSTANT,
    managementCode: 'K7QF-2MXB-9RTA',
    suspended: INSTANT,
    warning: {
      percent: 80,
      since: INSTANT,
    },
    laterQuota: {
      modules: 1,
      quotaBytes: 52428800,
      from: INSTANT,
    },
    deletion: {
      asked: INSTANT,
      due: INSTANT,
    },
  },
  contacts: [
    {
      contactId: 'abcdef0123456789',
      name: 'Ana‮',
      mail: 'ana@example.com',
      phone: '1',
      note: '',
      isMain: true,
      confirmed: INSTANT,
      confirmBefore: INSTANT,
      isDue: true,
    },
  ],
};
const DAY: UsageDay = {
  tenantId: DETAIL.tenant.tenantId,
  tenantName: '=Evil, "Name"',
  managementCode: 'K7QF-2MXB-9RTA',
  day: '2026-03-04',
  usedBytesMax: 2048,
  usedBytes: 1024,
  quotaBytes: 104_857_600,
  devices: 1,
};

function answering(what: string) {
  return async (...inputs: readonly unknown[]): Promise<TenantDetail> => {
    askedOfTenants.last = [what, ...inputs];
    return DETAIL;
  };
}

/** Tenants as a command line meets them: there is one, about which everything is to be said. */
export const tenantsInMemory: TenantAdministration = {
  show: answering('show'),
  rename: answering('rename'),
  suspend: answering('suspend'),
  resume: answering('resume'),
  setModules: answering('setModules'),
  renewCode: answering('renewCode'),
  scheduleDeletion: answering('scheduleDeletion'),
  keep: answering('keep'),
  addContact: answering('addContact'),
  changeContact: answering('changeContact'),
  removeContact: answering('removeContact'),
  usage: async (...inputs) => {
    askedOfTenants.last = ['usage', ...inputs];
    return [DAY];
  },
};
