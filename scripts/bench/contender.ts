import type { ServerProcess } from './server-process.ts';

/** A program call that is measured. What it prints goes nowhere; its end of standard error is shown when it fails. */
export type Command = {
  file: string;
  arguments: string[];
  env?: Record<string, string>;
  cwd?: string;
};

/** A backup program that is measured against the others. */
export type Contender = {
  name: string;
  /** The programs that it needs, each with the Debian package that brings it. */
  needs: Record<string, string>;
  version(): string;
  /** Makes an empty, encrypted store below `folder`, which exists and is empty, with the program's own defaults. */
  open(folder: string, dataBytes: number): Promise<OpenStore>;
};

export type OpenStore = {
  /** The server that takes part in every command, or null where the program works on the store by itself. */
  server: ServerProcess | null;
  backup(source: string): Command;
  /** Restores the newest backup; it comes to lie at `target` + the absolute path of its source. */
  restore(target: string): Command;
  /** Where everything lies that has to be kept: contents, and the indexes that belong to them. */
  storeFolders: string[];
  close(): Promise<void>;
};
