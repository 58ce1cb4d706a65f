import type { DomainSecrets } from '@cofre/shared/crypto/domain-keys';
import type { KeyPeriod } from '@cofre/shared/crypto/key-period';
import { CofreError, type ErrorCode, type ErrorParameters } from '@cofre/shared/errors';
import type { LostReason, RestoreJob, RestoreJobResult } from './restore-job.ts';

/** What a restore thread is started with. */
export interface ThreadSettings {
  readonly domain: DomainSecrets;
}

export type MessageToThread =
  | { readonly kind: 'job'; readonly job: RestoreJob }
  /** Comes before the first chunk that it opens. */
  | { readonly kind: 'period'; readonly period: KeyPeriod }
  /** The next chunk of a job: the first bytes of a buffer that is sent back with `taken`. */
  | {
      readonly kind: 'chunk';
      readonly number: number;
      readonly slab: ArrayBuffer;
      readonly lengthBytes: number;
    }
  | { readonly kind: 'lost-chunk'; readonly number: number; readonly reason: LostReason }
  /** All chunks of a job were sent. */
  | { readonly kind: 'end'; readonly number: number }
  /** Give up what is not done, then end. */
  | { readonly kind: 'stop' };

export type MessageFromThread =
  | { readonly kind: 'taken'; readonly slab: ArrayBuffer }
  | { readonly kind: 'result'; readonly result: RestoreJobResult }
  | { readonly kind: 'failed'; readonly number: number; readonly error: ErrorMessage };

/** An error on its way between threads, which would take its class away. */
export interface ErrorMessage {
  readonly code: ErrorCode;
  readonly parameters: ErrorParameters;
}

/** An error as plain data, for another thread. What is none of ours becomes `internal`. */
export function errorMessage(error: unknown): ErrorMessage {
  if (error instanceof CofreError) return { code: error.code, parameters: error.parameters };
  const problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: 'internal', parameters: { problem } };
}

/** The error that {@link errorMessage} was given, on this side. */
export function errorFromMessage({ code, parameters }: ErrorMessage): CofreError {
  return new CofreError(code, parameters);
}
