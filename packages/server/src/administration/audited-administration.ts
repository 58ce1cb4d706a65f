import type { TenantId } from '@cofre/shared/ids';
import type { AuditAction } from '@cofre/shared/wire/audit';
import type { TenantDetail } from '@cofre/shared/wire/tenants';
import { HOST, type AuditLog } from '../audit/audit-log.ts';
import type { Administration } from './administration.ts';
import type { RetentionAdministration } from './retention-administration.ts';
import type { TenantAdministration } from './tenant-administration.ts';

type Details = Readonly<Record<string, string | number | boolean>>;

/** What the audit log says of a call: nothing (null), or an action with whom and what it concerns. */
type Recorded<Method> = Method extends (...inputs: infer Inputs) => Promise<infer Result>
  ? {
      readonly action: AuditAction;
      /** Id or name of the tenant; null for all of them. */
      readonly tenant: (inputs: Inputs, result: Result) => string | null;
      readonly target?: (inputs: Inputs, result: Result) => string;
      readonly details?: (inputs: Inputs, result: Result) => Details;
    } | null
  : never;

type Methods<Interface> = {
  [
    Name in keyof Interface as Interface[Name] extends (...inputs: never[]) => unknown ? Name : never
  ]: Interface[Name];
};
/** A row for every method: a new one does not compile until somebody has said what is recorded of it. */
type Table<Interface> = { readonly [Name in keyof Methods<Interface>]: Recorded<Interface[Name]> };

const ADMINISTRATION: Table<Administration> = {
  createTenant: {
    action: 'tenant.created',
    tenant: (_, { tenantId }) => tenantId,
    details: ([{ modules }]) => ({ modules }),
  },
  // Names, quotas and counts, as on an invoice.
  listTenants: null,
  invite: { action: 'device.invited', tenant: ([tenant]) => tenant },
  listDevices: look('devices'),
  revokeDevice: {
    action: 'device.revoked',
    tenant: ([tenant]) => tenant,
    target: (_, { deviceId }) => deviceId,
  },
  statistics: look('statistics'),
  verify: maintained('verify'),
  scrub: maintained('scrub'),
  collect: maintained('collect'),
  listDamages: look('damages'),
  copyDirectory: { action: 'appliance.maintained', tenant: () => null, details: () => ({ what: 'copy' }) },
  listCopies: null,
};

const RETENTION: Table<RetentionAdministration> = {
  overview: look('retention'),
  choose: { action: 'retention.changed', tenant: ([tenant]) => tenant, details: () => ({ what: 'rule' }) },
  preview: look('snapshots'),
  apply: {
    action: 'snapshot.deleted',
    tenant: ([tenant]) => tenant,
    details: (_, { marked }) => ({ how: 'rules', snapshots: marked }),
  },
  deleteSnapshots: {
    action: 'snapshot.deleted',
    tenant: ([tenant]) => tenant,
    details: ([, { isDryRun }], { snapshotIds }) => ({
      how: isDryRun ? 'dry run, nothing was deleted' : 'named',
      snapshots: snapshotIds.length,
      first: snapshotIds[0] ?? '',
    }),
  },
  undelete: {
    action: 'snapshot.undeleted',
    tenant: ([tenant]) => tenant,
    details: (_, { snapshotIds }) => ({ snapshots: snapshotIds.length, first: snapshotIds[0] ?? '' }),
  },
  setPeriods: {
    action: 'retention.changed',
    tenant: ([tenant]) => tenant,
    details: (_, { lockMs, softDeleteMs }) => ({ what: 'periods', lockMs, softDeleteMs }),
  },
};

const TENANTS: Table<TenantAdministration> = {
  show: look('tenant'),
  rename: changed('name'),
  suspend: changed('suspended'),
  resume: changed('resumed'),
  setModules: {
    action: 'tenant.quota_changed',
    tenant: (_, { tenant }) => tenant.tenantId,
    details: ([, { modules, graceDays }]) => ({ modules, graceDays: graceDays ?? 0 }),
  },
  renewCode: changed('management code'),
  scheduleDeletion: {
    ...changed('to be deleted'),
    details: (_, { tenant }) => ({ what: 'to be deleted', due: tenant.deletion?.due ?? '' }),
  },
  keep: changed('not to be deleted any more'),
  addContact: changed('contacts'),
  changeContact: changed('contacts'),
  removeContact: changed('contacts'),
  // Quotas and counts, as on an invoice.
  usage: null,
};

/** Named by its answer: the name in the question may be another by then. */
function changed(what: string) {
  return {
    action: 'tenant.changed' as const,
    tenant: (_: unknown, { tenant }: TenantDetail) => tenant.tenantId,
    details: (): Details => ({ what }),
  };
}

/** The provider looked at something of a tenant; the tenant reads it in its part of the log. */
function look(what: string) {
  return {
    action: 'tenant.looked_at' as const,
    tenant: ([tenant]: readonly [tenant: string | null, ...unknown[]]) => tenant,
    details: () => ({ what }),
  };
}

function maintained(what: string) {
  return { ...look(what), action: 'appliance.maintained' as const };
}

interface Recording {
  readonly audit: AuditLog;
  /** @param reference id or name; null for all of them */
  readonly tenantIds: (reference: string | null) => Promise<readonly TenantId[]>;
}

/** The same administration, which says in the audit log what was done. What failed was not done. */
export function auditedAdministration(inner: Administration, recording: Recording): Administration {
  const retention = recorded(inner.retention, RETENTION, recording);
  const tenants = recorded(inner.tenants, TENANTS, recording);
  const outer = recorded(inner, ADMINISTRATION, recording);
  return new Proxy(outer, {
    get: (own, name) => {
      if (name === 'tenants') return tenants;
      return name === 'retention' ? retention : (Reflect.get(own, name) as unknown);
    },
  });
}

function recorded<Interface extends object>(
  inner: Interface,
  table: Table<Interface>,
  recording: Recording,
): Interface {
  const rows = table as unknown as Readonly<
    Record<string, Recorded<(...inputs: unknown[]) => Promise<unknown>>>
  >;
  return new Proxy(inner, {
    get: (_, name) => {
      const value = Reflect.get(inner, name) as unknown;
      if (typeof value !== 'function' || typeof name !== 'string') return value;
      const method = value.bind(inner) as (...inputs: unknown[]) => Promise<unknown>;
      const row = rows[name];
      if (row === null || row === undefined) return method;
      return async (...inputs: unknown[]) => {
        const result = await method(...inputs);
        await record(row, inputs, result, recording);
        return result;
      };
    },
  });
}

async function record(
  { action, tenant, target, details }: NonNullable<Recorded<(...inputs: unknown[]) => Promise<unknown>>>,
  inputs: unknown[],
  result: unknown,
  { audit, tenantIds }: Recording,
): Promise<void> {
  const named = target === undefined ? {} : { target: target(inputs, result) };
  const told = { ...HOST, action, ...named, details: details?.(inputs, result) ?? {} };
  for (const tenantId of await tenantIds(tenant(inputs, result))) {
    if (action === 'tenant.looked_at') await audit.recordLook({ ...told, tenantId });
    else await audit.record({ ...told, tenantId });
  }
}
