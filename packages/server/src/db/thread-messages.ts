import { CofreError, type ErrorCode, type ErrorParameters } from '@cofre/shared/errors';
import type { OperationName } from './operations.ts';

/** What the event loop and the database thread say to each other. */
export interface OperationRequest {
  readonly id: number;
  readonly name: OperationName;
  readonly inputs: readonly unknown[];
}

export type OperationReply =
  { readonly id: number; readonly value: unknown } | { readonly id: number; readonly failure: Failure };

/** The first message of the thread. */
export type OpeningReply = { readonly isOpen: true } | { readonly failure: Failure };

/**
 * An error that crosses from the thread. Of one that is not ours only its code goes over: the messages of the query
 * builder print the parameters of the query.
 */
export type Failure =
  | { readonly kind: 'cofre'; readonly code: ErrorCode; readonly parameters: ErrorParameters }
  | { readonly kind: 'sqlite'; readonly code: string }
  | { readonly kind: 'other'; readonly name: string };

/** What may cross of an error. */
export function failureFrom(error: unknown): Failure {
  if (error instanceof CofreError) return { kind: 'cofre', code: error.code, parameters: error.parameters };
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { code } = cause as { code?: unknown };
    if (typeof code === 'string' && code.startsWith('SQLITE_')) return { kind: 'sqlite', code };
  }
  return { kind: 'other', name: error instanceof Error ? error.name : typeof error };
}

/** After these the file cannot be trusted to hold what was acknowledged next: the process has to stop. */
export function isFatal(failure: Failure): boolean {
  return failure.kind === 'sqlite' && /^SQLITE_(IOERR|CORRUPT|NOTADB|READONLY)/.test(failure.code);
}

/** The error that the caller gets; `operation` says in it what failed. */
export function errorFrom(failure: Failure, operation: string): CofreError {
  if (failure.kind === 'cofre') return new CofreError(failure.code, failure.parameters);
  if (failure.kind === 'sqlite' && failure.code === 'SQLITE_FULL') return new CofreError('storage_full');
  const detail = failure.kind === 'sqlite' ? failure.code : failure.name;
  const problem = `${operation} in the appliance's database: ${detail}`;
  return new CofreError(failure.kind === 'sqlite' ? 'storage_failed' : 'internal', { problem });
}
