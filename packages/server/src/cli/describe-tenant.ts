import type { TenantItem } from '@cofre/shared/wire/administration';
import type { TenantContact, TenantDetail } from '@cofre/shared/wire/tenants';
import { formatBytes, printLine, printTable, safeName, type Output } from './output.ts';

/** What is to be known of a tenant at a glance; nothing when all is as usual. */
export function stateOf({ suspended, warning, laterQuota, deletion }: TenantItem): string {
  return [
    ...(suspended === null ? [] : [`suspended since ${dayOf(suspended)}`]),
    ...(deletion === null ? [] : [`to be deleted from ${dayOf(deletion.due)} on`]),
    ...(warning === null ? [] : [`${warning.percent} % full since ${dayOf(warning.since)}`]),
    ...(laterQuota === null ? [] : [`${laterQuota.modules} modules from ${dayOf(laterQuota.from)} on`]),
  ].join(', ');
}

/** Everything about a tenant, for people. */
export function printTenant(output: Output, { tenant, contacts }: TenantDetail): void {
  const state = stateOf(tenant);
  const lines: [string, string | number][] = [
    ['tenant', tenant.tenantId],
    ['name', safeName(tenant.name)],
    ['code', tenant.managementCode ?? ''],
    ['quota', `${formatBytes(tenant.quotaBytes)}, ${tenant.modules} modules`],
    ['used', formatBytes(tenant.usedBytes)],
    ['devices', tenant.devices],
    ['snapshots', tenant.snapshots],
    ['since', dayOf(tenant.created)],
    ['state', state === '' ? 'as usual' : state],
  ];
  for (const [what, value] of lines) printLine(output, `${what.padEnd(10)}${value}`);
  if (contacts.length === 0) return;
  printLine(output, '');
  printTable(output, ['CONTACT', 'NAME', 'MAIL', 'PHONE', 'NOTE', 'CONFIRMED'], contacts.map(rowFrom));
}

function rowFrom(contact: TenantContact): string[] {
  const { contactId, name, mail, phone, note, isMain, confirmed, isDue } = contact;
  return [
    contactId.slice(0, 8),
    `${safeName(name)}${isMain ? ' (main)' : ''}`,
    ...[mail, phone, note].map(safeName),
    `${dayOf(confirmed)}${isDue ? ', ask again' : ''}`,
  ];
}

function dayOf(instant: string): string {
  return instant.slice(0, 10);
}
