import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from './contender.ts';

const ERROR_TEXT_MAX = 4000;

/** What one command used, with the children that it waited for. Memory is the peak of the largest process. */
export type CommandFigures = { wallSeconds: number; cpuSeconds: number; peakBytes: number };

/** Runs a command under GNU time and gives what it used. Rejects with the end of its errors when it fails. */
export async function runMeasured(command: Command): Promise<CommandFigures> {
  const scratch = mkdtempSync(join(tmpdir(), 'cofre-bench-time-'));
  try {
    const figuresFile = join(scratch, 'figures');
    const timed = ['-o', figuresFile, '-f', '%U %S %M', '--', command.file, ...command.arguments];
    const startedAt = process.hrtime.bigint();
    await run({ ...command, file: 'time', arguments: timed });
    const wallSeconds = Number(process.hrtime.bigint() - startedAt) / 1e9;
    const lastLine = readFileSync(figuresFile, 'utf8').trim().split('\n').at(-1) ?? '';
    const [user = NaN, system = NaN, kilobytes = NaN] = lastLine.split(' ').map(Number);
    return { wallSeconds, cpuSeconds: user + system, peakBytes: kilobytes * 1024 };
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** Runs a command that is not measured and gives what it printed. */
export function run(command: Command): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command.file, command.arguments, {
      cwd: command.cwd,
      env: { ...process.env, ...command.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    let errors = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr
      .setEncoding('utf8')
      .on('data', (text: string) => (errors = (errors + text).slice(-ERROR_TEXT_MAX)));
    child.on('error', reject);
    child.on('close', (exitCode, signal) => {
      if (exitCode === 0) return resolve(output);
      const what = `${command.file} ${command.arguments.join(' ')}`;
      reject(
        new Error(`${what} ended with ${signal ?? exitCode}:\n${errors}${output.slice(-ERROR_TEXT_MAX)}`),
      );
    });
  });
}
