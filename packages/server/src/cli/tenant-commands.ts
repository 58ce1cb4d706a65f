import { InvalidArgumentError, type Command } from 'commander';
import type { RetentionPeriods } from '@cofre/shared/wire/retention';
import { LIMITS } from '@cofre/shared/limits';
import { administrationCommand, type CommandSurroundings } from './administration-command.ts';
import { formatDays } from './describe-retention.ts';
import { stateOf } from './describe-tenant.ts';
import { formatBytes, printLine, printTable, safeName, type Output } from './output.ts';
import { parseModules, parseName } from './parse-tenant.ts';
import { addTenantContactCommands } from './tenant-contact-commands.ts';
import { addTenantLifeCommands } from './tenant-life-commands.ts';
import { addTenantUsageCommands } from './tenant-usage-commands.ts';

const TENANT = 'id or name of the tenant';
const DAY_MS = 24 * 60 * 60 * 1000;

/** `tenant create`, `tenant list`, `tenant lock`, `tenant undo-time`, and those in files of their own. */
export function addTenantCommands(program: Command, surroundings: CommandSurroundings): void {
  const tenant = program.command('tenant').description('customers of this appliance');
  addPeriodCommands(tenant, surroundings);
  addTenantLifeCommands(tenant, surroundings);
  addTenantContactCommands(tenant, surroundings);
  addTenantUsageCommands(program, tenant, surroundings);
  administrationCommand(
    tenant
      .command('create')
      .description('make a tenant with a quota')
      .argument('<name>', 'name of the customer', parseName)
      .requiredOption(
        '--modules <count>',
        `quota, in modules of ${formatBytes(LIMITS.quotaModuleBytes)}`,
        parseModules,
      ),
    surroundings,
    {
      work: (administration, name: string, { modules }: { modules: number }) =>
        administration.createTenant({ name, modules }),
      print: (output, { name, tenantId, quotaBytes }) =>
        printLine(output, `created ${safeName(name)}: ${tenantId}, quota ${formatBytes(quotaBytes)}`),
    },
  );
  administrationCommand(tenant.command('list').description('list all tenants'), surroundings, {
    work: async (administration) => ({ tenants: await administration.listTenants() }),
    print: (output, { tenants }) =>
      printTable(
        output,
        ['TENANT', 'NAME', 'MODULES', 'USED', 'QUOTA', 'DEVICES', 'SNAPSHOTS', 'STATE'],
        tenants.map((item) => [
          item.tenantId,
          safeName(item.name),
          item.modules,
          formatBytes(item.usedBytes),
          formatBytes(item.quotaBytes),
          item.devices,
          item.snapshots,
          stateOf(item),
        ]),
      ),
  });
}

function addPeriodCommands(tenant: Command, surroundings: CommandSurroundings): void {
  const print = (output: Output, { lockMs, softDeleteMs }: RetentionPeriods): void =>
    printLine(
      output,
      `snapshots are locked for ${formatDays(lockMs)}; a deletion can be undone for ${formatDays(softDeleteMs)}`,
    );
  administrationCommand(
    tenant
      .command('lock')
      .description(
        'make the time longer in which nothing and nobody deletes a snapshot; it never gets shorter',
      )
      .argument('<tenant>', TENANT)
      .requiredOption('--days <count>', 'from the receipt of each snapshot on', parseDays),
    surroundings,
    {
      work: (administration, name: string, { days }: { days: number }) =>
        administration.retention.setPeriods(name, { lockMs: days * DAY_MS }),
      print,
    },
  );
  administrationCommand(
    tenant
      .command('undo-time')
      .description('set for how long a deleted snapshot can be brought back')
      .argument('<tenant>', TENANT)
      .requiredOption('--days <count>', 'counts for what is deleted from now on', parseDays),
    surroundings,
    {
      work: (administration, name: string, { days }: { days: number }) =>
        administration.retention.setPeriods(name, { softDeleteMs: days * DAY_MS }),
      print,
    },
  );
}

function parseDays(text: string): number {
  const days = text === '' ? Number.NaN : Number(text);
  if (Number.isInteger(days) && days >= 0) return days;
  throw new InvalidArgumentError('It is a whole number of days.');
}
