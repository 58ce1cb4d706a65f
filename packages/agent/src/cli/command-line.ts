import { CofreError, type Language } from '@cofre/shared/errors';
import { EXIT } from '@cofre/shared/errors/exit-codes';
import { CommanderError } from 'commander';
import { stateFolders } from '../state/state-folders.ts';
import { interruptionSignal } from './interruption.ts';
import type { CommandLine, CommonFlags, Perform } from './invocation.ts';
import { languageOf } from './language.ts';
import { Output } from './output.ts';
import { buildProgram } from './program.ts';
import { reportFailure } from './report-failure.ts';
import { sayIn, type Say } from './texts.ts';

/**
 * Runs the command that `args` (without node and script) name and gives its exit status. Nothing is thrown: what
 * went wrong has been told.
 */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  const language = languageOf(process.env);
  const say = sayIn(language);
  let status: number = EXIT.done;
  const commandLine: CommandLine = {
    say,
    environment: process.env,
    run: async (flags, perform) => {
      status = await runCommand(flags, perform, say, language);
    },
  };
  try {
    await buildProgram(commandLine).parseAsync(args, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.done;
    const flags = { json: args.includes('--json') };
    return reportFailure(usageError(error), outputFor(flags), language);
  }
  return status;
}

async function runCommand(
  flags: CommonFlags,
  perform: Perform,
  say: Say,
  language: Language,
): Promise<number> {
  const output = outputFor(flags);
  const signal = interruptionSignal();
  signal.addEventListener('abort', () => output.note(say('interrupting')), { once: true });
  let status: number;
  try {
    await using resources = new AsyncDisposableStack();
    const folders = stateFolders(flags.state);
    try {
      status = (await perform({ say, language, output, signal, folders, resources })) ?? EXIT.done;
    } finally {
      // Whatever was still asked for (a listing that nobody reads to its end) fails when the connections go.
      resources.defer(() => void process.on('unhandledRejection', () => undefined));
    }
  } catch (error) {
    const cause = signal.aborted ? new CofreError('interrupted', {}, { cause: error }) : error;
    status = reportFailure(cause, output, language);
  }
  output.flush();
  return status;
}

function outputFor(flags: CommonFlags): Output {
  const verbosity = flags.quiet === true ? 'quiet' : flags.verbose === true ? 'verbose' : 'normal';
  return new Output({ isJson: flags.json === true, verbosity, out: process.stdout, err: process.stderr });
}

function usageError(error: unknown): unknown {
  if (!(error instanceof CommanderError)) return error;
  // `cofre` or `cofre key` without a command: the help has been printed already.
  const isBare = error.code === 'commander.help';
  const problem = isBare ? 'a command is missing' : error.message.replace(/^error: /, '');
  return new CofreError('usage', { problem });
}
