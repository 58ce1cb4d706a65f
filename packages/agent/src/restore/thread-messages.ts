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
  /** The next chunk of a job; the thread becomes the owner of the blob. */
  | { readonly kind: 'chunk'; readonly number: number; readonly chunk: Uint8Array<ArrayBuffer> | LostReason }
  /** All chunks of a job were sent. */
  | { readonly kind: 'end'; readonly number: number }
  /** Give up what is not done, then end. */
  | { readonly kind: 'stop' };

export type MessageFromThread =
  /** A chunk of so many bytes was dealt with. */
  | { readonly kind: 'taken'; readonly bytes: number }
  | { readonly kind: 'result'; readonly result: RestoreJobResult }
  | { readonly kind: 'failed'; readonly number: number; readonly error: ErrorMessage };

/** An error on its way between threads, which would take its class away. */
export interface ErrorMessage {
  readonly code: ErrorCode;
  readonly parameters: ErrorParameters;
}

export function errorMessage(error: unknown): ErrorMessage {
  if (error instanceof CofreError) return { code: error.code, parameters: error.parameters };
  const problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: 'internal', parameters: { problem } };
}

export function errorFromMessage({ code, parameters }: ErrorMessage): CofreError {
  return new CofreError(code, parameters);
}
