import type { Command } from 'commander';
import type { Say } from './texts.ts';

/** Adds what every command takes. */
export function withGeneralOptions(command: Command, say: Say): Command {
  return command
    .option('--state <dir>', say('stateOption'))
    .option('--json', say('jsonOption'))
    .option('-q, --quiet', say('quietOption'))
    .option('-v, --verbose', say('verboseOption'))
    .helpOption('-h, --help', say('helpOption'));
}

/** For options that may be repeated. */
export function collect(value: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, value];
}
