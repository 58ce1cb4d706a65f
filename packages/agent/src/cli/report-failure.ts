import { CofreError, type Language } from '@cofre/shared/errors';
import type { Output } from './output.ts';

/** Tells why a command ended, and gives its exit status. What is no error of ours is `internal`. */
export function reportFailure(error: unknown, output: Output, language: Language): number {
  const known = error instanceof CofreError ? error : unexpected(error);
  const { message, hint } = known.describe(language);
  const fields = { code: known.code, message, hint, retryable: known.retryable, exit_code: known.exitCode };
  const lines = [`error: ${message}`, `hint: ${hint}`];
  const isWanted = output.verbosity === 'verbose' || known.code === 'internal';
  const details = isWanted ? stackOf(known.cause ?? error) : '';
  output.failure(fields, details === '' ? lines : [...lines, details]);
  return known.exitCode;
}

function unexpected(cause: unknown): CofreError {
  const problem = cause instanceof Error ? cause.message : String(cause);
  return new CofreError('internal', { problem }, { cause });
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? '') : '';
}
