import { Command } from 'commander';
import { AGENT_VERSION } from '../client/agent-version.ts';
import { addBackupCommand } from './commands/backup.ts';
import { addCompletionCommand } from './commands/completion.ts';
import { addDiffCommand } from './commands/diff.ts';
import { addEnrollCommand } from './commands/enroll.ts';
import { addFindCommand } from './commands/find.ts';
import { addKeyCommand } from './commands/key.ts';
import { addLsCommand } from './commands/ls.ts';
import { addRestoreCommand } from './commands/restore.ts';
import { addSnapshotsCommand } from './commands/snapshots.ts';
import { addStatusCommand } from './commands/status.ts';
import { addVerifyCommand } from './commands/verify.ts';
import { addVersionCommand } from './commands/version.ts';
import type { CommandLine } from './invocation.ts';
import type { Say } from './texts.ts';

/** All commands. Their definitions are light: what they need for their work is loaded when they run. */
export function buildProgram(commandLine: CommandLine): Command {
  const { say } = commandLine;
  const program = new Command('cofre')
    .description(say('program'))
    .version(AGENT_VERSION, '-V, --version', say('versionDescription'))
    .helpOption('-h, --help', say('helpOption'))
    .helpCommand(false)
    .showHelpAfterError(false)
    .exitOverride()
    // Errors are told in one place, in both languages and as JSON.
    .configureOutput({ outputError: () => {} })
    .configureHelp({ styleTitle: (title) => translatedTitle(title, say) });
  addEnrollCommand(program, commandLine);
  addBackupCommand(program, commandLine);
  addSnapshotsCommand(program, commandLine);
  addLsCommand(program, commandLine);
  addFindCommand(program, commandLine);
  addDiffCommand(program, commandLine);
  addRestoreCommand(program, commandLine);
  addVerifyCommand(program, commandLine);
  addStatusCommand(program, commandLine);
  addKeyCommand(program, commandLine);
  addCompletionCommand(program, commandLine);
  addVersionCommand(program, commandLine);
  return program;
}

function translatedTitle(title: string, say: Say): string {
  switch (title) {
    case 'Usage:':
      return say('usageTitle');
    case 'Options:':
      return say('optionsTitle');
    case 'Arguments:':
      return say('argumentsTitle');
    case 'Commands:':
      return say('commandsTitle');
    default:
      return title;
  }
}
