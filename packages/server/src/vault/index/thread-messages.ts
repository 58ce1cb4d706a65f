import type { ErrorCode, ErrorParameters } from '@cofre/shared/errors';

/** From the event loop to a database thread. */
export type ThreadRequest =
  | {
      readonly id: number;
      readonly kind: 'call';
      readonly file: string;
      readonly name: string;
      readonly input: unknown;
    }
  | { readonly id: number; readonly kind: 'hash'; readonly ids: Uint8Array }
  | { readonly id: number; readonly kind: 'close' };

/** And back: what it gave, or why not. */
export type ThreadReply =
  | { readonly id: number; readonly output: unknown }
  | { readonly id: number; readonly failure: ThreadFailure };

export type ThreadFailure =
  | { readonly kind: 'refused'; readonly code: ErrorCode; readonly parameters: ErrorParameters }
  | { readonly kind: 'sqlite'; readonly code: string; readonly message: string }
  | { readonly kind: 'other'; readonly message: string };
