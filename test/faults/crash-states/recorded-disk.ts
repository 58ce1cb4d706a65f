import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const PLUGIN = join(import.meta.dirname, 'recording-disk.py');
const MIB = 1024 ** 2;
export const DISK_BYTES = 48 * MIB;
const TRIES = 200;

/** What it takes to record a disk, and to mount what is made of the record. */
export const RECORDING_NEEDS = ['root', 'mount', 'losetup', 'mkfs.ext4', 'nbdkit', 'nbdfuse'] as const;

/** An ext4 on a disk of which every write and flush is logged, in the order in which the kernel made them. */
export class RecordedDisk {
  readonly folder = mkdtempSync(join(tmpdir(), 'cofre-recorded-'));
  readonly mountPoint = join(this.folder, 'mounted');
  readonly log = join(this.folder, 'log');
  readonly #image = join(this.folder, 'image');
  readonly #fuse = join(this.folder, 'fuse');
  readonly #processes: ChildProcess[] = [];
  #loop: string | null = null;

  static async create(): Promise<RecordedDisk> {
    const disk = new RecordedDisk();
    try {
      await disk.#mount();
    } catch (error) {
      await disk.remove();
      throw error;
    }
    return disk;
  }

  /** Length of the log by now. */
  logBytes(): number {
    return statSync(this.log).size;
  }

  /** Lets go of the disk; the log stays until {@link remove}. */
  async unmount(): Promise<void> {
    await retry(() => spawnSync('umount', [this.mountPoint]).status === 0 || !isMounted(this.mountPoint));
    if (this.#loop !== null) spawnSync('losetup', ['--detach', this.#loop]);
    this.#loop = null;
    await retry(() => spawnSync('umount', [this.#fuse]).status === 0 || !isMounted(this.#fuse));
    for (const child of this.#processes) child.kill();
  }

  async remove(): Promise<void> {
    await this.unmount();
    rmSync(this.folder, { recursive: true });
  }

  async #mount(): Promise<void> {
    makeImage(this.#image);
    // Before it is recorded: a power loss while a file system is made is nobody's promise.
    run('mkfs.ext4', '-q', this.#image);
    const socket = join(this.folder, 'socket');
    const parameters = [`image=${this.#image}`, `log=${this.log}`];
    this.#start('nbdkit', '--foreground', '--unix', socket, 'python', PLUGIN, ...parameters);
    await retry(() => existsSync(socket));
    mkdirSync(this.#fuse);
    this.#start('nbdfuse', this.#fuse, '--unix', socket);
    const file = join(this.#fuse, 'nbd');
    await retry(() => existsSync(file));
    this.#loop = run('losetup', '--find', '--show', file).trim();
    mkdirSync(this.mountPoint);
    run('mount', this.#loop, this.mountPoint);
  }

  #start(program: string, ...words: string[]): void {
    this.#processes.push(spawn(program, words, { stdio: 'ignore' }));
  }
}

export function makeImage(path: string): void {
  const descriptor = openSync(path, 'w');
  ftruncateSync(descriptor, DISK_BYTES);
  closeSync(descriptor);
}

function isMounted(path: string): boolean {
  return spawnSync('mountpoint', ['-q', path]).status === 0;
}

/** @throws Error with what the program said when it fails */
export function run(program: string, ...words: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} failed: ${stderr ?? error?.message}`);
  return stdout;
}

export async function retry(attempt: () => boolean): Promise<void> {
  for (let tries = 0; tries < TRIES; tries++) {
    if (attempt()) return;
    await delay(50);
  }
  throw new Error('what was waited for did not happen');
}
