import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { NOT_WRAPPED, type EndedProcess, type Wrap } from './server-process.ts';

const PROGRAM = join(import.meta.dirname, '../../packages/agent/src/cofre.mjs');

/** A computer with a state of its own, on which `cofre` is run. */
export interface AgentComputer {
  readonly state: string;
  /** Runs a command to its end. */
  run(...words: string[]): Promise<AgentRun>;
  /** Starts a command; `whileRunning` may do something to its process meanwhile. */
  runWith(words: readonly string[], whileRunning: (process: RunningAgent) => void): Promise<AgentRun>;
}

export interface ComputerOptions {
  readonly environment?: NodeJS.ProcessEnv;
  /** What runs the program: as somebody else, or traced. */
  readonly wrap?: Wrap;
}

export interface RunningAgent {
  readonly pid: number;
  kill(signal: NodeJS.Signals): void;
  /** Calls back for each line of standard output as it comes. */
  onLine(listener: (line: string) => void): void;
}

export interface AgentRun extends EndedProcess {
  /** Standard output as JSON Lines. @throws SyntaxError when it is something else */
  json(): Record<string, unknown>[];
  /** The one line of a type. */
  jsonOf(messageType: string): Record<string, unknown>;
}

/** A computer whose state lies in `state`. English; settings from the surroundings of the test do not reach it. */
export function agentComputer(
  state: string,
  { environment = {}, wrap = NOT_WRAPPED }: ComputerOptions = {},
): AgentComputer {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(COFRE_|LC_|LANG)/.test(name));
  const env = { ...Object.fromEntries(inherited), COFRE_STATE: state, COFRE_LANGUAGE: 'en', ...environment };
  const runWith: AgentComputer['runWith'] = async (words, whileRunning) => {
    const [program = '', ...programWords] = wrap([process.execPath, PROGRAM, ...words]);
    const child = spawn(program, programWords, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const output = Promise.all([text(child.stdout), text(child.stderr)]);
    whileRunning({
      pid: child.pid ?? 0,
      kill: (signal) => child.kill(signal),
      onLine: (listener) => {
        let rest = '';
        child.stdout.on('data', (data: Buffer) => {
          const lines = (rest + data.toString('utf8')).split('\n');
          rest = lines.pop() ?? '';
          for (const line of lines) listener(line);
        });
      },
    });
    const [status, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    const [stdout, stderr] = await output;
    return agentRun({ status, signal, stdout, stderr });
  };
  return { state, runWith, run: async (...words) => runWith(words, () => {}) };
}

function agentRun(ended: EndedProcess): AgentRun {
  const json = (): Record<string, unknown>[] =>
    ended.stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return {
    ...ended,
    json,
    jsonOf: (messageType) => {
      const lines = json().filter((line) => line['message_type'] === messageType);
      if (lines.length !== 1) {
        throw new Error(`${lines.length} lines "${messageType}":\n${ended.stdout}\n${ended.stderr}`);
      }
      return lines[0] ?? {};
    },
  };
}
