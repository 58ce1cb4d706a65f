import { InvalidArgumentError, type Command } from 'commander';
import { EXIT } from '@cofre/shared/errors/exit-codes';
import type { AuditHead } from '@cofre/shared/wire/audit';
import { administrationCommand, type CommandSurroundings } from './administration-command.ts';
import { printLine } from './output.ts';

/** `audit verify`, `audit export`. */
export function addAuditCommands(program: Command, surroundings: CommandSurroundings): void {
  const { output } = surroundings;
  const audit = program.command('audit').description('who did what, and when');
  administrationCommand(
    audit
      .command('verify')
      .description('check the chain of the audit log, and print its head; exits 1 when it is broken')
      .option('--head <number:hash>', 'a head that was printed before: it has to be in the chain', parseHead),
    surroundings,
    {
      work: async (administration, { head = null }: { head?: AuditHead | null }) => {
        const result = await administration.people.verifyAudit(head);
        if (result.broken !== null) process.exitCode = EXIT.failed;
        return result;
      },
      print: (_, { entries, head, broken }) => {
        if (broken !== null) printLine(output, `broken at entry ${broken.number}: ${broken.problem}`);
        printLine(output, `${entries} entries follow each other; head ${head.number}:${head.hash}`);
      },
    },
  );
  administrationCommand(
    audit
      .command('export')
      .description('print the audit log, one JSON object a line')
      .option('--tenant <tenant>', 'the part of this tenant; everything without it'),
    surroundings,
    {
      work: async (administration, { tenant = null }: { tenant?: string | null }) => {
        let entries = 0;
        for (let after: number | null = 0; after !== null;) {
          const page = await administration.people.auditPage(tenant, after);
          for (const item of page.items) printLine(output, JSON.stringify(item));
          entries += page.items.length;
          after = page.next;
        }
        return { entries };
      },
      // What was asked for is printed already.
      print: () => undefined,
    },
  );
}

function parseHead(text: string): AuditHead {
  const [, number, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (number === undefined || hash === undefined) {
    throw new InvalidArgumentError('It is a number, a colon and 64 hexadecimal digits, as verify prints it.');
  }
  return { number: Number(number), hash };
}
