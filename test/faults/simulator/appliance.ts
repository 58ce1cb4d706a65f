import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DOWNTIME_COUNTED_MS_MAX } from '@cofre/server/platform/service-time';
import { StorageFailure } from '@cofre/server/platform/storage-failure';
import type { Vaults } from '@cofre/server/vault/vault';
import { expect } from 'vitest';
import { openSampleVaults, type OpenedVaults } from '../../builders/sample-vault.ts';
import { VirtualClock } from './virtual-clock.ts';

/** More than any disk has: with it every upload finds the disk full. */
const WHOLE_DISK_BYTES = 2 ** 52;
const MEMORY_FOLDER = '/dev/shm';

/** What a crash leaves: exactly what a killed process does, or what one leaves that lets its databases go first. */
export type CrashKind = 'killed' | 'closed';

interface PlannedCrash {
  readonly kind: CrashKind;
  pointsLeft: number;
}

/**
 * The vaults of one process after the other, on one virtual disk and clock. A crash takes effect at a named point
 * between the steps of a write: `killed` copies all files as they are at this moment and goes on with the copy, so that
 * no database was closed; it needs that nothing else runs. `closed` lets the storage fail there: everything that runs
 * is refused, and nothing is cleaned up.
 */
export class Appliance {
  readonly clock = new VirtualClock();
  readonly #folder = mkdtempSync(
    join(existsSync(MEMORY_FOLDER) ? MEMORY_FOLDER : tmpdir(), 'cofre-simulated-'),
  );
  #opened: OpenedVaults | null = null;
  #copies = 0;
  #planned: PlannedCrash | null = null;
  #crashedAt: string | null = null;
  #survivor: string | null = null;
  #lastServiceMs = 0;
  isFull = false;
  /** How often a process was started. */
  starts = 0;

  static async start(): Promise<Appliance> {
    const appliance = new Appliance();
    await appliance.#open(join(appliance.#folder, '0'));
    appliance.noteTime();
    return appliance;
  }

  get vaults(): Vaults {
    return this.#current.vaults;
  }

  get storeFolder(): string {
    return this.#current.storeFolder;
  }

  /** Where it crashed; null while it runs. */
  get crashedAt(): string | null {
    return this.#crashedAt;
  }

  nowMs(): number {
    return this.vaults.serviceTimeMs();
  }

  /** The process will end at the so many-eth named point that it comes to. */
  planCrash(kind: CrashKind, points: number): void {
    this.#planned = { kind, pointsLeft: points };
  }

  cancelCrash(): void {
    this.#planned = null;
  }

  /** Ends what runs, in order or after a crash, and starts again. Time went by at most as the clocks say, and a bit. */
  async restart(): Promise<void> {
    const beforeMs = this.#lastServiceMs;
    this.#planned = null;
    const { folder } = this.#current;
    await this.#current.vaults.close();
    const next = this.#survivor ?? folder;
    this.#survivor = null;
    this.#crashedAt = null;
    await this.#open(next);
    if (next !== folder) rmSync(folder, { recursive: true });
    const nowMs = this.nowMs();
    expect(nowMs, 'service time after a restart').toBeGreaterThanOrEqual(beforeMs);
    expect(nowMs - beforeMs, 'service time after a restart').toBeLessThanOrEqual(DOWNTIME_COUNTED_MS_MAX);
    this.noteTime();
  }

  /** Time goes by. A server keeps its time by a timer; it knows nothing of virtual time, so that it is kept here. */
  pass(durationMs: number): void {
    this.clock.pass(durationMs);
    this.noteTime();
    const kept = { serviceMs: this.nowMs(), wallMs: this.clock.wallMs() };
    writeFileSync(join(this.#current.dataFolder, 'service-time.json'), JSON.stringify(kept));
  }

  private noteTime(): void {
    this.#lastServiceMs = Math.max(this.#lastServiceMs, this.nowMs());
  }

  async remove(): Promise<void> {
    await this.#opened?.vaults.close();
    rmSync(this.#folder, { recursive: true });
  }

  get #current(): OpenedVaults {
    if (this.#opened === null) throw new Error('nothing is open');
    return this.#opened;
  }

  async #open(folder: string): Promise<void> {
    this.starts += 1;
    this.#opened = await openSampleVaults(
      {
        clockSources: this.clock,
        threadCount: 1,
        storeHeadroomBytes: this.isFull ? WHOLE_DISK_BYTES : 0,
        crashPoint: (name) => this.#pass(name),
      },
      folder,
    );
  }

  #pass(name: string): void {
    if (this.#planned === null || --this.#planned.pointsLeft > 0) return;
    const { kind } = this.#planned;
    this.#planned = null;
    this.#crashedAt = name;
    if (kind === 'killed') {
      this.#survivor = join(this.#folder, String(++this.#copies));
      cpSync(this.#current.folder, this.#survivor, { recursive: true });
    }
    throw new StorageFailure(`crashed at ${name}`, null);
  }
}
