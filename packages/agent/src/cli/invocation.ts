import type { Language } from '@cofre/shared/errors';
import type { StateFolders } from '../state/state-folders.ts';
import type { Output } from './output.ts';
import type { Say } from './texts.ts';

/** The options that every command takes. */
export interface CommonFlags {
  readonly state?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

/** What a command is given to work with. */
export interface Invocation {
  readonly say: Say;
  readonly language: Language;
  readonly output: Output;
  /** Set off when the user wants the command to end. */
  readonly signal: AbortSignal;
  readonly folders: StateFolders;
  /** Closed when the command has ended, however it did. */
  readonly resources: AsyncDisposableStack;
}

/** Does the work of a command; gives its exit status, 0 when it gives none. */
export type Perform = (invocation: Invocation) => Promise<number | void>;

/** What the definition of a command needs. */
export interface CommandLine {
  readonly say: Say;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Runs the work of a command and reports how it ended. */
  readonly run: (flags: CommonFlags, perform: Perform) => Promise<void>;
}
