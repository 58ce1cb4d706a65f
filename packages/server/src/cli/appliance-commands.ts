import type { Administration } from '../administration/administration.ts';
import type { ApplianceSettings } from './settings.ts';
import type { StoppedCommands } from './stopped-commands.ts';

/** What main gives to the command line: everything else in `cli/` is words. */
export interface ApplianceCommands {
  /** Runs the server until it is told to stop; `onReady` gets its origin. */
  serve(settings: ApplianceSettings, onReady: (origin: string) => void): Promise<void>;
  /**
   * Works on a running server over its local socket, and on a stopped one through its files.
   * @throws CofreError `busy` when something else works on the files, `settings_invalid`
   */
  administer<Result>(
    settings: ApplianceSettings,
    work: (administration: Administration) => Promise<Result>,
  ): Promise<Result>;
  readonly stopped: StoppedCommands;
}
