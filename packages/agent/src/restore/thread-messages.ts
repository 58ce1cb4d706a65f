import type { DomainSecrets } from '@cofre/shared/crypto/domain-keys';
import type { KeyPeriod } from '@cofre/shared/crypto/key-period';
import { CofreError, type ErrorCode, type ErrorParameters } from '@cofre/shared/errors';
import type { KeyPeriodId } from '@cofre/shared/ids';
import type { ClientSettings } from '../client/server-client.ts';
import type { RestoreJob, RestoreJobResult } from './restore-job.ts';

/** What a restore thread is started with. */
export interface ThreadSettings {
  readonly client: ClientSettings;
  readonly domain: DomainSecrets;
}

export type MessageToThread =
  | { readonly kind: 'job'; readonly job: RestoreJob }
  | { readonly kind: 'period'; readonly keyPeriodId: KeyPeriodId; readonly period: KeyPeriod | ErrorMessage }
  /** Give up what is not done, then end. */
  | { readonly kind: 'stop' };

export type MessageFromThread =
  | { readonly kind: 'result'; readonly result: RestoreJobResult }
  | { readonly kind: 'failed'; readonly number: number; readonly error: ErrorMessage }
  | { readonly kind: 'period-wanted'; readonly keyPeriodId: KeyPeriodId };

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

export function isErrorMessage(value: KeyPeriod | ErrorMessage): value is ErrorMessage {
  return 'code' in value;
}
