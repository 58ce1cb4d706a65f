import { InvalidArgumentError, type Command } from 'commander';
import { day, type UsageDay, type UsageQuery } from '@cofre/shared/wire/tenants';
import { administrationCommand, type CommandSurroundings } from './administration-command.ts';
import { csvOf } from './csv.ts';
import { formatBytes, printTable, safeName, type Output } from './output.ts';

interface UsageOptions extends UsageQuery {
  readonly csv?: true;
}

/** `tenant usage` of one tenant, and `usage export` of all. */
export function addTenantUsageCommands(
  program: Command,
  tenant: Command,
  surroundings: CommandSurroundings,
): void {
  let asCsv = false;
  const print = (output: Output, { days }: { days: UsageDay[] }): void => {
    if (asCsv) output.stdout.write(csvFrom(days));
    else printDays(output, days);
  };
  administrationCommand<{ days: UsageDay[] }, [string, UsageOptions]>(
    withDays(
      tenant
        .command('usage')
        .description('what a tenant used and had by day, for bills')
        .argument('<tenant>', 'id, name or management code of the tenant'),
    ),
    surroundings,
    {
      work: async (administration, name, { csv, ...query }) => {
        asCsv = csv === true;
        return { days: await administration.tenants.usage(name, queryFrom(query)) };
      },
      print,
    },
  );
  administrationCommand<{ days: UsageDay[] }, [UsageOptions]>(
    withDays(
      program
        .command('usage')
        .description('the history of use')
        .command('export')
        .description('what all tenants used and had by day, for bills'),
    ),
    surroundings,
    {
      work: async (administration, { csv, ...query }) => {
        asCsv = csv === true;
        return { days: await administration.tenants.usage(null, queryFrom(query)) };
      },
      print,
    },
  );
}

function withDays(command: Command): Command {
  return command
    .option('--from <day>', 'first day (UTC), such as 2026-03-01; a month ago without it', parseDay)
    .option('--to <day>', 'last day (UTC); today without it', parseDay)
    .option('--csv', 'print CSV (RFC 4180)');
}

/** Only what is of the question: the command has other options too. */
function queryFrom({ from, to }: UsageQuery): UsageQuery {
  return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
}

function csvFrom(days: readonly UsageDay[]): string {
  return csvOf(
    ['day', 'tenant_id', 'management_code', 'name', 'used_bytes_max', 'used_bytes', 'quota_bytes', 'devices'],
    days.map((row) => [
      row.day,
      row.tenantId,
      row.managementCode ?? '',
      row.tenantName,
      row.usedBytesMax,
      row.usedBytes,
      row.quotaBytes,
      row.devices,
    ]),
  );
}

function printDays(output: Output, days: readonly UsageDay[]): void {
  printTable(
    output,
    ['DAY', 'CODE', 'NAME', 'MOST USED', 'USED', 'QUOTA', 'DEVICES'],
    days.map((row) => [
      row.day,
      row.managementCode ?? '',
      safeName(row.tenantName),
      formatBytes(row.usedBytesMax),
      formatBytes(row.usedBytes),
      formatBytes(row.quotaBytes),
      row.devices,
    ]),
  );
}

function parseDay(text: string): string {
  const { data } = day.safeParse(text);
  if (data === undefined) throw new InvalidArgumentError('It is a day such as 2026-03-01.');
  return data;
}
