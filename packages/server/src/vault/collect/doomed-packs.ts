import { setTimeout as sleep } from 'node:timers/promises';
import type { DoomedPack } from '../index/collection.store.ts';
import type { VaultContext } from '../vault-context.ts';

interface Waiting {
  readonly pack: DoomedPack;
  readonly fromMs: number;
}

/** Files unlinked by one step. */
const STEP_FILES_MAX = 100;

/**
 * Packs whose rows are gone and whose doomed rows are there, until their files are unlinked: not before the readers'
 * grace has passed. Those that a process leaves behind are swept at the next start, when nobody reads.
 */
export class DoomedPacks {
  private readonly vault: VaultContext;
  private readonly waiting: Waiting[] = [];

  constructor(vault: VaultContext) {
    this.vault = vault;
  }

  add(packs: readonly DoomedPack[], graceMs: number): void {
    const fromMs = performance.now() + graceMs;
    for (const pack of packs) this.waiting.push({ pack, fromMs });
  }

  get isEmpty(): boolean {
    return this.waiting.length === 0;
  }

  /** Unlinks what is due. @returns bytes of the files */
  async unlinkDue(): Promise<number> {
    let bytes = 0;
    for (;;) {
      const due = this.firstDue();
      if (due.length === 0) return bytes;
      await this.unlink(due.map(({ pack }) => pack.path));
      this.waiting.splice(0, due.length);
      bytes += due.reduce((sum, { pack }) => sum + pack.length, 0);
    }
  }

  /** Waits for the grace of each, and unlinks it. What is left when `signal` stops it is taken up by the next call. */
  async unlinkAll(signal: AbortSignal): Promise<number> {
    let bytes = 0;
    for (let first = this.waiting[0]; first !== undefined; first = this.waiting[0]) {
      await sleep(Math.max(0, first.fromMs - performance.now()), undefined, { signal });
      bytes += await this.unlinkDue();
    }
    return bytes;
  }

  /** In the order in which they were added. */
  private firstDue(): Waiting[] {
    const nowMs = performance.now();
    const end = this.waiting.findIndex(({ fromMs }) => fromMs > nowMs);
    return this.waiting.slice(0, Math.min(STEP_FILES_MAX, end === -1 ? this.waiting.length : end));
  }

  private unlink(paths: readonly string[]): Promise<void> {
    return this.vault.gate.run(() =>
      this.vault.maintenance.run(async () => {
        this.vault.requireWritable();
        await this.vault.unlinkDoomed(paths);
        // An open file keeps its bytes on the disk though its name is gone.
        for (const path of paths) await this.vault.packFiles.forgetUnlinked(this.vault.layout.file(path));
      }),
    );
  }
}
