import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** How a program ended, and the last of what it said. */
export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** Called for each line of standard output as it comes. */
  readonly onLine?: (line: string) => void;
}

/** A program that ended with another status than 0. */
export class ProgramFailed extends Error {
  readonly ended: Ended;

  constructor(title: string, ended: Ended) {
    // Programs say on standard error why they failed; only one that does not is heard on the other.
    const said = (ended.stderr.trim() === '' ? ended.stdout : ended.stderr).trim();
    super(`${title} ended with ${ended.signal ?? ended.status}${said === '' ? '' : `:\n${said}`}`);
    this.name = 'ProgramFailed';
    this.ended = ended;
  }
}

const SAID_CHARACTERS_MAX = 1 << 16;
const PATIENCE_MS = 10_000;
/** What Ctrl-C makes of a program that cleans up. */
const INTERRUPTED_STATUS = 130;

/** Programs that were started here, so that none outlives whoever started it. */
export class ChildPrograms {
  readonly #running = new Set<ChildProcess>();
  readonly #interruption: AbortSignal;

  /** @param interruption ends what runs, and lets nothing more start */
  constructor(interruption: AbortSignal) {
    this.#interruption = interruption;
    interruption.addEventListener('abort', () => {
      void this.stopAll();
    });
    process.on('exit', () => {
      for (const child of this.#running) child.kill('SIGKILL');
    });
  }

  /** Starts a program whose output goes to the given descriptors. */
  start(file: string, words: readonly string[], output: readonly [number | 'pipe', number]): ChildProcess {
    this.#interruption.throwIfAborted();
    return this.#remember(spawn(file, words, { env: environmentWith({}), stdio: ['ignore', ...output] }));
  }

  /**
   * Runs a program to its end.
   * @throws ProgramFailed when its status is not 0, and the reason of the interruption when that ended it
   */
  async run(file: string, words: readonly string[], options: RunOptions = {}): Promise<Ended> {
    this.#interruption.throwIfAborted();
    const env = environmentWith(options.environment ?? {});
    const child = this.#remember(spawn(file, words, { env, stdio: ['ignore', 'pipe', 'pipe'] }));
    const said = { stdout: '', stderr: '' };
    const keep = (stream: 'stdout' | 'stderr') => (text: string) => {
      said[stream] = (said[stream] + text).slice(-SAID_CHARACTERS_MAX);
    };
    child.stdout?.setEncoding('utf8').on('data', keep('stdout'));
    child.stderr?.setEncoding('utf8').on('data', keep('stderr'));
    const lines = child.stdout === null ? null : createInterface({ input: child.stdout });
    if (options.onLine !== undefined) lines?.on('line', options.onLine);
    const [status, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
    this.#interruption.throwIfAborted();
    const ended = { status, signal, ...said };
    if (status === 0) return ended;
    if (status === INTERRUPTED_STATUS) await this.#waitForInterruption();
    throw new ProgramFailed([file, ...words].join(' '), ended);
  }

  /** Ends what still runs, with patience first. */
  async stopAll(): Promise<void> {
    await Promise.all([...this.#running].map((child) => stopProgram(child)));
  }

  #remember(child: ChildProcess): ChildProcess {
    this.#running.add(child);
    child.once('close', () => this.#running.delete(child));
    return child;
  }

  /** A terminal interrupts the whole group, and the child may be faster than this process. */
  async #waitForInterruption(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 200));
    this.#interruption.throwIfAborted();
  }
}

/** Ends a program with SIGTERM, or with SIGKILL when that takes too long; gives its status, null after a signal. */
export async function stopProgram(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const end = once(child, 'exit');
  child.kill('SIGTERM');
  const patience = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
  await end;
  clearTimeout(patience);
  return child.exitCode;
}

/** The surroundings without the settings that somebody may have made for an installation of their own. */
function environmentWith(extra: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('COFRE_'));
  return { ...Object.fromEntries(inherited), COFRE_LANGUAGE: 'en', ...extra };
}
