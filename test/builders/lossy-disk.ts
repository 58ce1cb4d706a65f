import { spawnSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const IMAGE_BYTES = 1024 ** 3;
const UNMOUNT_TRIES = 100;

/** A file system in a file, which forgets what was not synced when its power goes. Needs root and xfsprogs. */
export class LossyDisk {
  readonly mountPoint: string;
  readonly #folder: string;
  readonly #image: string;

  private constructor() {
    this.#folder = mkdtempSync(join(tmpdir(), 'cofre-lossy-'));
    this.#image = join(this.#folder, 'image');
    this.mountPoint = join(this.#folder, 'mounted');
  }

  /** Makes and mounts it. */
  static create(): LossyDisk {
    const disk = new LossyDisk();
    const descriptor = openSync(disk.#image, 'w');
    ftruncateSync(descriptor, IMAGE_BYTES);
    closeSync(descriptor);
    mkdirSync(disk.mountPoint);
    run('mkfs.xfs', '-q', disk.#image);
    disk.#mount();
    return disk;
  }

  /** From now on every call fails, and what was not synced is gone. */
  losePower(): void {
    run('xfs_io', '-x', '-c', 'shutdown', this.mountPoint);
  }

  /** Mounts it as it is after the power went. Whatever has files of it open must have ended. */
  async restorePower(): Promise<void> {
    await this.#unmount();
    this.#mount();
  }

  async remove(): Promise<void> {
    await this.#unmount();
    rmSync(this.#folder, { recursive: true });
  }

  #mount(): void {
    run('mount', '-o', 'loop', this.#image, this.mountPoint);
  }

  async #unmount(): Promise<void> {
    for (let tries = 1; ; tries++) {
      const { status, stderr } = spawnSync('umount', [this.mountPoint], { encoding: 'utf8' });
      if (status === 0) return;
      if (tries === UNMOUNT_TRIES) throw new Error(`umount failed: ${stderr}`);
      await delay(50);
    }
  }
}

function run(program: string, ...words: string[]): void {
  const { status, stderr, error } = spawnSync(program, words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} failed: ${stderr ?? error?.message}`);
}
