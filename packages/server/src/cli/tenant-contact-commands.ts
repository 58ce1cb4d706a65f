import type { Command } from 'commander';
import { CofreError } from '@cofre/shared/errors';
import { changeContactRequest, newContactRequest, type TenantDetail } from '@cofre/shared/wire/tenants';
import { administrationCommand, type CommandSurroundings } from './administration-command.ts';
import { printTenant } from './describe-tenant.ts';

const TENANT = 'id, name or management code of the tenant';
const CONTACT = 'name of the contact, its id, or the beginning of it';

interface ContactOptions {
  readonly name?: string;
  readonly mail?: string;
  readonly phone?: string;
  readonly note?: string;
  readonly main?: true;
}

/** `tenant contact add`, `change`, `confirm` and `remove`; `tenant show` lists them. */
export function addTenantContactCommands(tenant: Command, surroundings: CommandSurroundings): void {
  const contact = tenant
    .command('contact')
    .description('whom to call or write to; once a year it is to be confirmed');
  const named = (name: string, description: string): Command =>
    contact.command(name).description(description).argument('<tenant>', TENANT);
  const print = printTenant;
  administrationCommand<TenantDetail, [string, string, ContactOptions]>(
    withContent(named('add', 'add a contact').argument('<name>', 'of the person or office')),
    surroundings,
    {
      work: (administration, name, contactName, options) =>
        administration.tenants.addContact(
          name,
          checked(newContactRequest, { ...contentFrom(options), name: contactName }),
        ),
      print,
    },
  );
  administrationCommand<TenantDetail, [string, string, ContactOptions]>(
    withContent(
      named('change', 'change a contact, which counts as confirmed then').argument('<contact>', CONTACT),
    ).option('--name <name>', 'another name'),
    surroundings,
    {
      work: (administration, name, reference, options) =>
        administration.tenants.changeContact(
          name,
          reference,
          checked(changeContactRequest, contentFrom(options)),
        ),
      print,
    },
  );
  administrationCommand<TenantDetail, [string, string]>(
    named('confirm', 'say that a contact is still right').argument('<contact>', CONTACT),
    surroundings,
    {
      work: (administration, name, reference) => administration.tenants.changeContact(name, reference, {}),
      print,
    },
  );
  administrationCommand<TenantDetail, [string, string]>(
    named('remove', 'remove a contact').argument('<contact>', CONTACT),
    surroundings,
    {
      work: (administration, name, reference) => administration.tenants.removeContact(name, reference),
      print,
    },
  );
}

function withContent(command: Command): Command {
  return command
    .option('--mail <address>', 'address of mail')
    .option('--phone <number>', 'telephone')
    .option('--note <text>', 'anything else')
    .option('--main', 'make it the main one');
}

function contentFrom({ name, mail, phone, note, main }: ContactOptions): object {
  const given = { name, mail, phone, note, isMain: main };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

interface Schema<Content> {
  safeParse(content: object): {
    data?: Content | undefined;
    error?: { issues: readonly { path: readonly PropertyKey[]; message: string }[] } | undefined;
  };
}

/** @throws CofreError `usage` */
function checked<Content>(schema: Schema<Content>, content: object): Content {
  const { data, error } = schema.safeParse(content);
  if (data !== undefined) return data;
  const [issue] = error?.issues ?? [];
  throw new CofreError('usage', { problem: `${issue?.path.join('.')}: ${issue?.message}` });
}
