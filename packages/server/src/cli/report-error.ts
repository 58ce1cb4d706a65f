import { CommanderError } from 'commander';
import { CofreError, type Language } from '@cofre/shared/errors';
import { EXIT } from '@cofre/shared/errors/exit-codes';
import { printJson, type Output } from './output.ts';

/** Says what went wrong and what to do about it, on standard error, and gives the exit status. */
export function reportError(error: unknown, output: Output, language: Language, isJson: boolean): number {
  if (error instanceof CommanderError) {
    // Commander has printed it already; help and version are no failures.
    return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  }
  const known = error instanceof CofreError ? error : unknownError(error);
  const { message, hint } = known.describe(language);
  const { code, retryable, parameters } = known;
  if (isJson) printJson(output, 'error', { code, message, hint, retryable, parameters });
  else output.stderr.write(`error: ${message}\n${hint}\n`);
  return known.exitCode;
}

/** The language of the surroundings, as POSIX names it. */
export function languageOf(environment: NodeJS.ProcessEnv): Language {
  const { LC_ALL, LC_MESSAGES, LANG } = environment;
  return /^es\b|^es_/.test(LC_ALL || LC_MESSAGES || LANG || '') ? 'es' : 'en';
}

function unknownError(error: unknown): CofreError {
  const problem = error instanceof Error ? error.message : String(error);
  return new CofreError('internal', { problem }, { cause: error });
}
