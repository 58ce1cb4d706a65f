import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { stopProgram, type ChildPrograms } from './child-programs.ts';
import type { JsonLine } from './cofre-agent.ts';
import { summaryOf } from './cofre-agent.ts';

const root = dirname(dirname(import.meta.dirname));

const SERVER_PROGRAM = join(root, 'packages/server/src/main.ts');

export interface ServerFolders {
  readonly data: string;
  readonly store: string;
}

export interface ServeOptions {
  /** For Node itself, such as `--watch`. */
  readonly nodeFlags?: readonly string[];
  /** Called with the origin whenever it listens: after a restart, too. */
  readonly onListening?: (origin: string) => void;
}

const LOG_CHARACTERS_SHOWN = 2_000;

/** `cofre-server` with folders of its own: the running server, and the commands that talk to it. */
export class CofreServer {
  readonly #programs: ChildPrograms;
  readonly #folders: ServerFolders;
  #process: ChildProcess | null = null;

  constructor(programs: ChildPrograms, folders: ServerFolders) {
    this.#programs = programs;
    this.#folders = folders;
  }

  /**
   * Starts `serve` and waits until it listens; gives its origin.
   * @param log file for its log; null gives it the standard error of this process
   * @throws Error with the end of its log when it does not come up
   */
  async serve(
    listen: string,
    log: string | null,
    { nodeFlags = [], onListening }: ServeOptions = {},
  ): Promise<{ origin: string; process: ChildProcess }> {
    const logDescriptor = log === null ? process.stderr.fd : openSync(log, 'a', 0o600);
    const words = [...nodeFlags, SERVER_PROGRAM, 'serve', ...this.#folderWords(), '--listen', listen];
    const child = this.#programs.start(process.execPath, words, ['pipe', logDescriptor]);
    if (log !== null) closeSync(logDescriptor);
    this.#process = child;
    const origin = await new Promise<string>((resolve, reject) => {
      const fail = (what: string): void => {
        const said = log === null ? '' : `:\n${readFileSync(log, 'utf8').slice(-LOG_CHARACTERS_SHOWN)}`;
        reject(new Error(`The server ${what}${said}`));
      };
      child.once('error', reject);
      child.once('exit', (status, signal) => fail(`ended with ${signal ?? status} before it listened`));
      if (child.stdout === null) return;
      createInterface({ input: child.stdout }).on('line', (line) => {
        const listening = /^listening on (\S+)$/.exec(line)?.[1];
        // What `node --watch` says, which itself goes on.
        if (line.startsWith('Failed running')) fail('did not start');
        if (listening === undefined) return;
        resolve(listening);
        onListening?.(listening);
      });
    });
    return { origin, process: child };
  }

  /** Runs a command with `--json` and gives what it says. */
  async run(...words: string[]): Promise<JsonLine> {
    const { stdout } = await this.#programs.run(process.execPath, [
      SERVER_PROGRAM,
      ...words,
      ...this.#folderWords(),
      '--json',
    ]);
    const lines = stdout.split('\n').filter((line) => line !== '');
    return summaryOf(lines.map((line) => JSON.parse(line) as JsonLine));
  }

  /** The one line that enrols a computer, as it is printed for people. */
  async invite(tenant: string): Promise<string> {
    const words = [SERVER_PROGRAM, 'device', 'invite', tenant, ...this.#folderWords()];
    return (await this.#programs.run(process.execPath, words)).stdout.trim();
  }

  /** Stops `serve`; gives its exit status, null when it had to be killed. */
  async stop(): Promise<number | null> {
    return this.#process === null ? null : await stopProgram(this.#process);
  }

  #folderWords(): string[] {
    return ['--data', this.#folders.data, '--store', this.#folders.store];
  }
}
