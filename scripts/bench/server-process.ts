import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from './contender.ts';

/** Linux counts in ticks of 10 ms in /proc, whatever the kernel's own clock is. */
const TICKS_PER_SECOND = 100;
const START_MS_MAX = 30_000;
const STOP_MS_MAX = 30_000;
const POLL_MS = 20;

export type ServerFigures = { cpuSeconds: number; peakBytes: number };

/** A server that runs beside the measured commands, and what it uses meanwhile, from /proc. */
export class ServerProcess {
  readonly #child: ChildProcess;
  #cpuSecondsBefore = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
    process.once('exit', () => child.kill('SIGKILL'));
  }

  /** Starts a server and resolves when `port` takes connections on the loopback. Its output goes to `logFile`. */
  static async start(command: Command, port: number, logFile: string): Promise<ServerProcess> {
    const log = openSync(logFile, 'w');
    const child = spawn(command.file, command.arguments, {
      stdio: ['ignore', log, log],
      env: { ...process.env, ...command.env },
    });
    closeSync(log);
    child.on('error', () => undefined);
    const deadlineMs = Date.now() + START_MS_MAX;
    while (!(await accepts(port))) {
      if (child.pid === undefined || child.exitCode !== null || Date.now() > deadlineMs) {
        child.kill('SIGKILL');
        throw new Error(`${command.file} did not start: ${readFileSync(logFile, 'utf8').slice(-2000)}`);
      }
      await delay(POLL_MS);
    }
    return new ServerProcess(child);
  }

  /** Begins a measurement: CPU time counts from now, and so does the peak of memory. */
  mark(): void {
    // 5 resets the high-water mark of resident memory (man 5 proc, clear_refs).
    writeFileSync(`/proc/${this.#pid()}/clear_refs`, '5');
    this.#cpuSecondsBefore = this.#cpuSeconds();
  }

  figures(): ServerFigures {
    const status = readFileSync(`/proc/${this.#pid()}/status`, 'utf8');
    const peakKilobytes = Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]);
    return { cpuSeconds: this.#cpuSeconds() - this.#cpuSecondsBefore, peakBytes: peakKilobytes * 1024 };
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => this.#child.once('exit', () => resolve()));
    this.#child.kill('SIGTERM');
    const patience = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS_MAX);
    await ended;
    clearTimeout(patience);
  }

  #pid(): number {
    if (this.#child.pid === undefined || this.#child.exitCode !== null)
      throw new Error('the server has ended');
    return this.#child.pid;
  }

  /** User and system time of all threads. The name stands in brackets and may hold spaces: count from its end. */
  #cpuSeconds(): number {
    const stat = readFileSync(`/proc/${this.#pid()}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  }
}

/** A port on the loopback that nobody listens on now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
