import { resolve } from 'node:path';
import type { Command } from 'commander';
import { EXIT } from '@cofre/shared/errors/exit-codes';
import type { ApplianceCopy } from '@cofre/shared/wire/appliance-copies';
import { administrationCommand, type CommandSurroundings } from './administration-command.ts';
import { formatBytes, printJson, printLine, printTable, type Output } from './output.ts';
import { printReconciliation } from './print-reconciliation.ts';
import { settingsFrom, withApplianceOptions, type ApplianceOptions } from './settings.ts';
import type { RestoredCopy } from './stopped-commands.ts';

/** `copy now`, `copy list`, `copy restore`. */
export function addCopyCommands(program: Command, surroundings: CommandSurroundings): void {
  const copy = program
    .command('copy')
    .description("copies of the appliance's own database: the list of tenants and computers");
  administrationCommand(
    copy.command('now').description('make a copy into the store, and into the second place if there is one'),
    surroundings,
    { work: (administration) => administration.copyDirectory(), print: printCopy },
  );
  administrationCommand(
    copy.command('list').description('list the copies in the store; exits 1 when one is damaged'),
    surroundings,
    {
      work: async (administration) => {
        const copies = await administration.listCopies();
        if (copies.some(({ content }) => content === null)) process.exitCode = EXIT.failed;
        return { copies };
      },
      print: (output, { copies }) => printCopies(output, copies),
    },
  );
  addRestoreCommand(copy, surroundings);
}

function addRestoreCommand(copy: Command, { appliance, output }: CommandSurroundings): void {
  withApplianceOptions(copy.command('restore'))
    .description('put a copy back in place of the database; the server has to be stopped')
    .argument('<file>', 'a copy: a path, or a name that `copy list` prints')
    .option('--json', 'print JSON for programs')
    .action(async (file: string, options: ApplianceOptions & { json?: true }) => {
      const place = file.includes('/') ? resolve(file) : file;
      const restored = await appliance.stopped.restoreCopy(settingsFrom(options), place);
      if (options.json === true) printJson(output, 'summary', restored);
      else printRestored(output, restored);
    });
}

function printCopy(output: Output, copy: ApplianceCopy): void {
  const second = copy.secondFolder === null ? '' : `, and in ${copy.secondFolder}`;
  printLine(output, `${copy.name}: ${describeContent(copy)}${second}`);
}

function printCopies(output: Output, copies: readonly ApplianceCopy[]): void {
  printTable(
    output,
    ['NAME', 'TAKEN', 'SIZE', 'CONTENT', 'SECOND PLACE'],
    copies.map((copy) => [
      copy.name,
      copy.taken,
      formatBytes(copy.bytes),
      describeContent(copy),
      copy.secondFolder ?? '-',
    ]),
  );
}

function describeContent({ content }: ApplianceCopy): string {
  return content === null ? 'DAMAGED' : `${content.tenants} tenants, ${content.devices} computers`;
}

function printRestored(output: Output, restored: RestoredCopy): void {
  printLine(output, `${restored.file} is in place`);
  if (restored.keptAs !== null) printLine(output, `the database before it is kept as ${restored.keptAs}`);
  printReconciliation(output, restored.directory);
  for (const tenantId of restored.withoutIndex) {
    printLine(output, `${tenantId}  its index is lost: cofre-server rebuild ${tenantId}`);
  }
  if (restored.isRevocationKnown) return;
  printLine(
    output,
    'The database before it could not be read. What was revoked on this server since the copy was',
  );
  printLine(
    output,
    'taken, and not by the tenant itself, is forgotten: look at `cofre-server device list TENANT`.',
  );
}
