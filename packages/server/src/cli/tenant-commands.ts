import { InvalidArgumentError, type Command } from 'commander';
import { createTenantRequest } from '@cofre/shared/wire/administration';
import { LIMITS } from '@cofre/shared/limits';
import { administrationCommand, type CommandSurroundings } from './administration-command.ts';
import { formatBytes, printLine, printTable, safeName } from './output.ts';

/** `tenant create`, `tenant list`. */
export function addTenantCommands(program: Command, surroundings: CommandSurroundings): void {
  const tenant = program.command('tenant').description('customers of this appliance');
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
        ['TENANT', 'NAME', 'MODULES', 'USED', 'QUOTA', 'DEVICES', 'SNAPSHOTS'],
        tenants.map((item) => [
          item.tenantId,
          safeName(item.name),
          item.modules,
          formatBytes(item.usedBytes),
          formatBytes(item.quotaBytes),
          item.devices,
          item.snapshots,
        ]),
      ),
  });
}

function parseName(text: string): string {
  const { data } = createTenantRequest.shape.name.safeParse(text);
  if (data === undefined) {
    throw new InvalidArgumentError(
      `A name has 1 to ${LIMITS.nameCharactersMax} characters, none of control.`,
    );
  }
  return data;
}

function parseModules(text: string): number {
  const { data } = createTenantRequest.shape.modules.safeParse(text === '' ? Number.NaN : Number(text));
  if (data === undefined) {
    throw new InvalidArgumentError(`It is a whole number from 1 to ${LIMITS.quotaModulesMax}.`);
  }
  return data;
}
