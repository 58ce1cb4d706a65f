import { InvalidArgumentError, Option, type Command } from 'commander';
import { CofreError } from '@cofre/shared/errors';
import {
  login as loginSchema,
  PROVIDER_ROLES,
  TENANT_ROLES,
  type Role,
  type UserItem,
} from '@cofre/shared/wire/people';
import { administrationCommand, type CommandSurroundings } from './administration-command.ts';
import { printLine, printTable, safeName } from './output.ts';

interface CreateOptions {
  readonly role: Role;
  readonly name?: string;
  readonly tenant?: string;
}

const LOGIN = 'what the person signs in with, such as an address of mail';

/** `user create`, `user list`, `user reset-password`, `user first-run-token`. */
export function addUserCommands(program: Command, surroundings: CommandSurroundings): void {
  const user = program.command('user').description('people who sign in: of the provider, and of tenants');
  addCreateCommand(user, surroundings);
  administrationCommand(
    user
      .command('list')
      .description('list people')
      .option('--tenant <tenant>', 'of this tenant; of the provider without it'),
    surroundings,
    {
      work: async (administration, { tenant }: { tenant?: string }) => ({
        users: await administration.people.list(tenant ?? null),
      }),
      print: (output, { users }) =>
        printTable(output, ['LOGIN', 'NAME', 'ROLE', 'STATE', 'SECOND FACTOR', 'LAST'], users.map(rowFrom)),
    },
  );
  administrationCommand(
    user
      .command('reset-password')
      .description('print a one-time link to set another password; it opens no backup, those need the kit')
      .argument('<login>', LOGIN, parseLogin)
      .option('--remove-factors', 'also take authenticator, passkeys and recovery codes away'),
    surroundings,
    {
      work: (administration, login: string, { removeFactors }: { removeFactors?: true }) =>
        administration.people.resetPassword(login, removeFactors === true),
      print: (output, { link }) => printLine(output, link),
    },
  );
  administrationCommand(
    user
      .command('first-run-token')
      .description('print a new token for the first provider admin; earlier ones stop working'),
    surroundings,
    {
      work: async (administration) => {
        const { made } = await administration.people.firstRunToken();
        if (made === null) throw new CofreError('already_exists', { what: 'A provider admin' });
        return made;
      },
      print: (output, { token }) => printLine(output, token),
    },
  );
}

function addCreateCommand(user: Command, surroundings: CommandSurroundings): void {
  administrationCommand(
    user
      .command('create')
      .description('make an account, and print the one-time link that activates it')
      .argument('<login>', LOGIN, parseLogin)
      .addOption(
        new Option('--role <role>', 'what the person may do')
          .choices([...PROVIDER_ROLES, ...TENANT_ROLES])
          .makeOptionMandatory(),
      )
      .option('--name <name>', 'the name of the person; the login without it')
      .option('--tenant <tenant>', 'id or name of the tenant, for people of a tenant'),
    surroundings,
    {
      work: (administration, login: string, { role, name = login, tenant }: CreateOptions) =>
        administration.people.create({ login, name, role, tenant: tenant ?? null }),
      // The link and nothing else, so that a script can take it as it is.
      print: (output, { link }) => printLine(output, link),
    },
  );
}

function rowFrom(user: UserItem): string[] {
  const factors = [
    ...(user.hasTotp ? ['authenticator'] : []),
    ...(user.passkeys > 0 ? [`${user.passkeys} passkeys`] : []),
  ];
  return [
    safeName(user.login),
    safeName(user.name),
    user.role,
    user.state,
    factors.join(', ') || 'none',
    user.lastSignIn ?? 'never',
  ];
}

function parseLogin(text: string): string {
  const { data } = loginSchema.safeParse(text);
  if (data === undefined) throw new InvalidArgumentError('It has no spaces and no control characters.');
  return data;
}
