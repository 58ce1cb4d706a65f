import { Command } from 'commander';
import { SERVER_VERSION } from '../version.ts';
import type { CommandSurroundings } from './administration-command.ts';
import { addCopyCommands } from './copy-commands.ts';
import { addAuditCommands } from './audit-commands.ts';
import { addCollectionCommands } from './collection-commands.ts';
import { addDamageCommands } from './damage-commands.ts';
import { addDeviceCommands } from './device-commands.ts';
import { printJson, printLine } from './output.ts';
import { languageOf, reportError } from './report-error.ts';
import { addRebuildCommand } from './rebuild-command.ts';
import { settingsFrom, withApplianceOptions, type ApplianceOptions } from './settings.ts';
import { addRetentionCommands } from './retention-commands.ts';
import { addSnapshotCommands } from './snapshot-commands.ts';
import { addTenantCommands } from './tenant-commands.ts';
import { addUserCommands } from './user-commands.ts';
import { addVaultCommands } from './vault-commands.ts';

/**
 * Runs one command of `cofre-server` to its end.
 * @param words the command line without the program
 * @returns the exit status
 */
export async function runCommandLine(
  words: readonly string[],
  surroundings: CommandSurroundings,
  environment: NodeJS.ProcessEnv,
): Promise<number> {
  try {
    await programOf(surroundings).parseAsync(words, { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    return reportError(error, surroundings.output, languageOf(environment), words.includes('--json'));
  }
}

function programOf(surroundings: CommandSurroundings): Command {
  const { output } = surroundings;
  const program = new Command('cofre-server')
    .description('Cofre, the server: keeps what agents have encrypted')
    .exitOverride()
    .showHelpAfterError('Run it with --help to see what it takes.')
    .configureOutput({
      writeOut: (text) => output.stdout.write(text),
      writeErr: (text) => output.stderr.write(text),
    });
  addServeCommand(program, surroundings);
  addTenantCommands(program, surroundings);
  addDeviceCommands(program, surroundings);
  addUserCommands(program, surroundings);
  addAuditCommands(program, surroundings);
  addVaultCommands(program, surroundings);
  addRetentionCommands(program, surroundings);
  addSnapshotCommands(program, surroundings);
  addCollectionCommands(program, surroundings);
  addDamageCommands(program, surroundings);
  addRebuildCommand(program, surroundings);
  addCopyCommands(program, surroundings);
  program
    .command('version')
    .description('print the version')
    .option('--json', 'print JSON for programs')
    .action(({ json }: { json?: true }) => {
      if (json === true) printJson(output, 'summary', { version: SERVER_VERSION });
      else printLine(output, SERVER_VERSION);
    });
  return program;
}

function addServeCommand(program: Command, { appliance, output }: CommandSurroundings): void {
  withApplianceOptions(program.command('serve'))
    .description('run the server until SIGTERM or SIGINT; its log goes to standard error, JSON lines')
    .action(async (options: ApplianceOptions) => {
      await appliance.serve(settingsFrom(options), (origin) => printLine(output, `listening on ${origin}`));
    });
}
