import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connectToControlSocket } from '@cofre/server/administration/control-socket';
import { RemoteAdministration } from '@cofre/server/administration/remote-administration';
import type { Reachable } from './served-app.ts';

const PROGRAM = join(import.meta.dirname, '../../packages/server/src/main.ts');

export interface EndedProcess {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Settings from the surroundings of the test must not reach the program. */
function environmentOf(extra: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(COFRE_|LC_|LANG)/.test(name));
  return { ...Object.fromEntries(inherited), ...extra };
}

/** Gives the command that runs another command, such as one that traces it. */
export type Wrap = (command: readonly string[]) => readonly string[];

export const NOT_WRAPPED: Wrap = (command) => command;

function start(words: readonly string[], environment: NodeJS.ProcessEnv, wrap = NOT_WRAPPED): ChildProcess {
  const [program = '', ...rest] = wrap([process.execPath, PROGRAM, ...words]);
  return spawn(program, rest, { env: environmentOf(environment), stdio: ['ignore', 'pipe', 'pipe'] });
}

async function ended(child: ChildProcess): Promise<EndedProcess> {
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error('The process has no pipes');
  const output = Promise.all([text(stdout), text(stderr)]);
  const [status, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  const [out, err] = await output;
  return { status, signal, stdout: out, stderr: err };
}

/** Runs one command of `cofre-server` to its end. */
export async function runServerCommand(
  words: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<EndedProcess> {
  return await ended(start(words, environment));
}

/** A `cofre-server serve` of its own. */
export interface ServerProcess extends Reachable {
  readonly processId: number;
  /** Resolves when the process has ended, whatever ends it. */
  readonly ended: Promise<EndedProcess>;
  /** Sends the signal and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<EndedProcess>;
}

/** Starts a server and waits until it says that it listens. @throws Error with what it said when it does not */
export async function startServerProcess(
  dataFolder: string,
  words: readonly string[],
  environment: NodeJS.ProcessEnv = {},
  wrap: Wrap = NOT_WRAPPED,
): Promise<ServerProcess> {
  const child = start(['serve', '--data', dataFolder, ...words], environment, wrap);
  const end = ended(child);
  const origin = await new Promise<string>((resolve, reject) => {
    let said = '';
    child.stdout?.on('data', (data: Buffer) => {
      said += data.toString('utf8');
      const listening = /^listening on (\S+)\n/m.exec(said);
      if (listening !== null) resolve(String(listening[1]));
    });
    end.then(({ stderr }) => reject(new Error(`The server ended: ${stderr}`)), reject);
  });
  return {
    origin,
    processId: child.pid as number,
    administration: new RemoteAdministration(() => connectToControlSocket(dataFolder)),
    ended: end,
    stop: async (signal = 'SIGTERM') => {
      child.kill(signal);
      return await end;
    },
  };
}
