import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { sampleDevice, type SampleDevice } from '../../builders/vault-samples.ts';

/** The device of a program, as it says it: enough to go on as that device. */
export type DeviceIds = Pick<SampleDevice, 'tenantId' | 'deviceId' | 'domainId' | 'setId' | 'keyPeriodId'> & {
  readonly seed: string;
};

/** The device that a program was. */
export function deviceFrom({ seed, ...ids }: DeviceIds): SampleDevice {
  const made = sampleDevice(ids.tenantId, Buffer.from(seed, 'hex'));
  return { ...made, ...ids, caller: { ...made.caller, deviceId: ids.deviceId } };
}

/** What a program said before it ended, and how it ended. */
export interface ProgramLog<Event> {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly events: readonly Event[];
}

export interface ProgramOptions {
  /** A program that runs it, such as strace. */
  readonly prefix?: readonly string[];
  /** Where it kills itself: at a point, when it comes there for so many times. */
  readonly crash?: readonly [point: string, count: number];
}

/** Runs a program of this folder to its end, whichever that is. Each line that it says is an event. */
export async function runVaultProgram<Event>(
  name: string,
  folder: string,
  { prefix = [], crash }: ProgramOptions = {},
): Promise<ProgramLog<Event>> {
  const file = join(import.meta.dirname, name);
  const [program = '', ...words] = [...prefix, process.execPath, file, folder, ...(crash ?? []).map(String)];
  const child = spawn(program, words, {
    stdio: ['ignore', 'pipe', 'ignore'],
    // One thread of libuv, so that calls to the file system come in one order.
    env: { ...process.env, UV_THREADPOOL_SIZE: '1' },
  });
  let output = '';
  child.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()));
  const [exitCode, signal] = await new Promise<[number | null, string | null]>((resolve) => {
    child.once('close', (code, signalName) => resolve([code, signalName]));
  });
  const lines = output.split('\n').slice(0, -1);
  return { exitCode, signal, events: lines.map((line) => JSON.parse(line) as Event) };
}

/** Runs a program so that its sync number `when` (counted for each thread) fails or kills it. */
export function injectIntoSyncs(what: 'signal=KILL' | 'error=EIO', when: number): string[] {
  const inject = `inject=fsync,fdatasync:${what}:when=${when}`;
  return ['strace', '-f', '-qq', '-o', '/dev/null', '-e', 'trace=fsync,fdatasync', '-e', inject];
}
