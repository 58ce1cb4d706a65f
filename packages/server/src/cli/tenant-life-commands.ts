import { InvalidArgumentError, type Command } from 'commander';
import { LIMITS } from '@cofre/shared/limits';
import type { TenantDetail } from '@cofre/shared/wire/tenants';
import type { TenantAdministration } from '../administration/tenant-administration.ts';
import { administrationCommand, type CommandSurroundings } from './administration-command.ts';
import { requireConfirmation } from './confirmation.ts';
import { printTenant } from './describe-tenant.ts';
import { parseModules, parseName } from './parse-tenant.ts';

const TENANT = 'id, name or management code of the tenant';

/** `tenant show`, `rename`, `suspend`, `resume`, `modules`, `code`, `delete` and `undelete`. */
export function addTenantLifeCommands(tenant: Command, surroundings: CommandSurroundings): void {
  const add = <Inputs extends readonly unknown[]>(
    command: Command,
    work: (tenants: TenantAdministration, ...inputs: Inputs) => Promise<TenantDetail>,
  ): void => {
    administrationCommand<TenantDetail, Inputs>(command, surroundings, {
      work: (administration, ...inputs) => work(administration.tenants, ...inputs),
      print: printTenant,
    });
  };
  const named = (name: string, description: string): Command =>
    tenant.command(name).description(description).argument('<tenant>', TENANT);

  add(
    named('show', 'everything about a tenant: quota, use, state, contacts, management code'),
    (tenants, name: string) => tenants.show(name),
  );
  add(
    named('rename', 'give a tenant another name').argument('<new-name>', 'name of the customer', parseName),
    (tenants, name: string, newName: string) => tenants.rename(name, newName),
  );
  add(named('suspend', 'take nothing new from a tenant; reads and restores go on'), (tenants, name: string) =>
    tenants.suspend(name),
  );
  add(named('resume', 'end a suspension'), (tenants, name: string) => tenants.resume(name));
  add(
    named('modules', 'raise or lower a quota; never below what is used, unless there is a grace')
      .argument('<count>', 'the new quota, in modules', parseModules)
      .option(
        '--grace <days>',
        'the lower quota is in force in so many days, whatever is used then',
        parseGrace,
      ),
    (tenants, name: string, modules: number, { grace }: { grace?: number }) =>
      tenants.setModules(name, { modules, ...(grace === undefined ? {} : { graceDays: grace }) }),
  );
  addCodeCommand(named, add);
  addDeletionCommands(named, add, surroundings);
}

type Named = (name: string, description: string) => Command;
type Add = <Inputs extends readonly unknown[]>(
  command: Command,
  work: (tenants: TenantAdministration, ...inputs: Inputs) => Promise<TenantDetail>,
) => void;

function addCodeCommand(named: Named, add: Add): void {
  add(
    named('code', 'the management code of a tenant, as on an invoice').option(
      '--renew',
      'make a new one; the old one is forgotten',
    ),
    (tenants, name: string, { renew }: { renew?: true }) =>
      renew === true ? tenants.renewCode(name) : tenants.show(name),
  );
}

function addDeletionCommands(named: Named, add: Add, { output }: CommandSurroundings): void {
  add(
    named('delete', 'schedule a tenant for deletion; until then nothing new is taken, and it can be undone')
      .option(
        '--days <count>',
        'from when on, unless locks of its snapshots last longer',
        parseDelay,
        LIMITS.tenantDeletionDelayDefaultDays,
      )
      .option('--yes', 'do not ask'),
    async (tenants, name: string, { days, yes }: { days: number; yes?: true }) => {
      const question = `Everything of tenant "${name}" may be deleted in ${days} days.`;
      await requireConfirmation(output, question, yes === true);
      return await tenants.scheduleDeletion(name, { days });
    },
  );
  add(named('undelete', 'keep a tenant that was to be deleted'), (tenants, name: string) =>
    tenants.keep(name),
  );
}

function parseGrace(text: string): number {
  return parseDays(text, 1, LIMITS.quotaGraceDaysMax);
}

function parseDelay(text: string): number {
  return parseDays(text, LIMITS.tenantDeletionDelayDaysMin, LIMITS.tenantDeletionDelayDaysMax);
}

function parseDays(text: string, min: number, max: number): number {
  const days = text === '' ? Number.NaN : Number(text);
  if (Number.isInteger(days) && days >= min && days <= max) return days;
  throw new InvalidArgumentError(`It is a whole number of days from ${min} to ${max}.`);
}
