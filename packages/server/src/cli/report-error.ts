import { CommanderError } from 'commander';
import { CofreError, type Language } from '@cofre/shared/errors';
import { EXIT } from '@cofre/shared/errors/exit-codes';
import { printJson, type Output } from './output.ts';

/**
 * Says what went wrong and what to do about it, and gives the exit status: for people on standard error, for programs
 * (`isJson`) on standard output as well.
 */
export function reportError(error: unknown, output: Output, language: Language, isJson: boolean): number {
  // Help is no failure, though it ends the command.
  if (error instanceof CommanderError && error.exitCode === 0) return EXIT.done;
  const known = knownError(error);
  const { message, hint } = known.describe(language);
  const { code, retryable, exitCode } = known;
  if (isJson) printJson(output, 'error', { code, message, hint, retryable, exitCode });
  // Of a wrong command line commander has told people already, with the place.
  if (!(error instanceof CommanderError)) output.stderr.write(`error: ${message}\nhint: ${hint}\n`);
  return exitCode;
}

/** The language of messages: what `COFRE_LANGUAGE` says, else that of the surroundings, else English. */
export function languageOf(environment: NodeJS.ProcessEnv): Language {
  const names = ['COFRE_LANGUAGE', 'LC_ALL', 'LC_MESSAGES', 'LANG'];
  const wanted = names.map((name) => environment[name] ?? '').find((value) => value !== '') ?? '';
  return wanted.toLowerCase().startsWith('es') ? 'es' : 'en';
}

function knownError(error: unknown): CofreError {
  if (error instanceof CofreError) return error;
  const problem = (error instanceof Error ? error.message : String(error)).replace(/^error: /, '');
  return new CofreError(
    error instanceof CommanderError ? 'usage' : 'internal',
    { problem },
    { cause: error },
  );
}
