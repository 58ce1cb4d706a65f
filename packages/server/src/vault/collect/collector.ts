import { setTimeout as sleep } from 'node:timers/promises';
import { CofreError } from '@cofre/shared/errors';
import { LIMITS } from '@cofre/shared/limits';
import { Pace } from '../../platform/pace.ts';
import { Semaphore } from '../../platform/semaphore.ts';
import { isOutOfSpace } from '../../platform/storage-failure.ts';
import type { RepackSource } from '../index/repack.store.ts';
import type { VaultContext } from '../vault-context.ts';
import { NOTHING_COLLECTED, type CollectionOptions, type CollectionResult } from './collection-options.ts';
import { DoomedPacks } from './doomed-packs.ts';
import { Repacker, type RepackedPacks } from './repacker.ts';

/** How long a drop gives way to commits that are being prepared, each time. */
const GIVE_WAY_MS = 50;

/**
 * Lets go of what nothing needs any more, in two steps that are a grace apart, and gives its space back: chunks that were
 * condemned are dropped, packs with nothing alive are unlinked, and those with little are written anew.
 *
 * A collection is a row of bounded steps. Between two of them the index is sound and others have their turn; one that is
 * ended anywhere is gone on with by the next. What it costs follows what is loose or dead, not what is kept.
 */
export class Collector {
  private readonly vault: VaultContext;
  private readonly doomed: DoomedPacks;
  /** Two collections of one vault would only get into each other's way. */
  private readonly turn = new Semaphore(1);

  constructor(vault: VaultContext) {
    this.vault = vault;
    this.doomed = new DoomedPacks(vault);
  }

  /**
   * One cycle.
   * @throws CofreError `unavailable` when the vault must not change; the signal's reason when that ends it: what was done
   *   until then stays done
   */
  collect(options: CollectionOptions): Promise<CollectionResult> {
    return this.turn.run(async () => {
      const cycle = new Cycle(this.vault, this.doomed, options);
      await cycle.run();
      return cycle.result;
    });
  }
}

type Counts = { -readonly [Name in keyof CollectionResult]: CollectionResult[Name] };

class Cycle {
  readonly result: Counts = { ...NOTHING_COLLECTED };
  private readonly vault: VaultContext;
  private readonly doomed: DoomedPacks;
  private readonly options: CollectionOptions;
  private readonly graceMs: number;
  private waitsLeft: number = LIMITS.collectionWaitsMax;

  constructor(vault: VaultContext, doomed: DoomedPacks, options: CollectionOptions) {
    this.vault = vault;
    this.doomed = doomed;
    this.options = options;
    this.graceMs = options.readersGraceMs ?? LIMITS.readersGraceMs;
  }

  async run(): Promise<void> {
    await this.repeat(() => this.closeExpired());
    await this.repeat(() => this.condemn());
    await this.repeat(() => this.drop());
    await this.repeat(() => this.doomDead());
    // First, so that what is written anew has their room.
    await this.unlinkAll();
    await this.repack();
    await this.unlinkAll();
  }

  /** Runs a step until it says that it is done, in turns with everything else that tends the vault. */
  private async repeat(step: () => Promise<boolean>): Promise<void> {
    for (let isDone = false; !isDone;) {
      this.options.signal.throwIfAborted();
      isDone = await this.inTurn(step);
      this.options.onProgress?.({ ...this.result });
    }
  }

  /** A server that stops waits for one step only, not for the whole collection. */
  private inTurn<Result>(step: () => Promise<Result>): Promise<Result> {
    return this.vault.gate.run(() =>
      this.vault.maintenance.run(async () => {
        await this.requireCollectable();
        return step();
      }),
    );
  }

  private async requireCollectable(): Promise<void> {
    this.vault.requireWritable();
    const row = await this.vault.index.call('describeVault', undefined);
    if (row !== null && row.frozenReason !== null) {
      throw new CofreError('unavailable', { problem: row.frozenReason });
    }
  }

  private async closeExpired(): Promise<boolean> {
    return !(await this.vault.index.call('closeExpiredSessions', { nowMs: this.vault.nowMs() }));
  }

  private async condemn(): Promise<boolean> {
    const limit = LIMITS.collectionStepChunksMax;
    const step = await this.vault.index.call('condemnLoose', { nowMs: this.vault.nowMs(), limit });
    this.vault.crashPoint('collect-condemned');
    this.result.condemned += step.condemned;
    return step.isDone;
  }

  private async drop(): Promise<boolean> {
    const step = await this.vault.index.call('dropCondemned', {
      nowMs: this.vault.nowMs(),
      limit: LIMITS.collectionStepChunksMax,
      isPatient: this.waitsLeft > 0,
    });
    if (step.status === 'commits') {
      this.waitsLeft -= 1;
      await sleep(GIVE_WAY_MS, undefined, { signal: this.options.signal });
      return false;
    }
    this.vault.crashPoint('collect-dropped');
    this.result.dropped += step.chunks;
    this.result.freedBytes += step.bytes;
    return step.isDone;
  }

  private async doomDead(): Promise<boolean> {
    const step = await this.vault.index.call('doomDeadPacks', {
      receivedUntilMs: this.receivedUntilMs,
      limit: LIMITS.collectionStepPacksMax,
    });
    this.vault.crashPoint('collect-doomed');
    this.doomed.add(step.doomed, this.graceMs);
    return step.isDone;
  }

  private async repack(): Promise<void> {
    const pace = new Pace(this.options.bytesPerSecond);
    const repacker = new Repacker(this.vault, pace, this.options.signal);
    const except = new Set<number>();
    for (let isDone = false; !isDone;) {
      this.options.signal.throwIfAborted();
      try {
        isDone = await this.inTurn(() => this.repackNext(repacker, except));
        this.result.unlinkedBytes += await this.doomed.unlinkDue();
      } catch (error) {
        if (!isFull(error) || this.doomed.isEmpty) throw error;
        // What was written anew so far has left old packs: they make room when their grace is over.
        await this.unlinkAll();
      }
      this.options.onProgress?.({ ...this.result });
    }
  }

  /** Writes one pack anew; true when none is worth it any more. */
  private async repackNext(repacker: Repacker, except: Set<number>): Promise<boolean> {
    const sources = await this.vault.index.call('pickRepackable', {
      receivedUntilMs: this.receivedUntilMs,
      except: [...except],
    });
    if (sources.length === 0) return true;
    const { doomed, writtenBytes, quarantined, untouched } = await repackSome(repacker, sources);
    for (const number of untouched) except.add(number);
    this.doomed.add(doomed, this.graceMs);
    this.result.repackedPacks += doomed.length;
    this.result.writtenBytes += writtenBytes;
    this.result.quarantined += quarantined;
    return false;
  }

  private async unlinkAll(): Promise<void> {
    this.result.unlinkedBytes += await this.doomed.unlinkAll(this.options.signal);
    this.options.onProgress?.({ ...this.result });
  }

  /** Younger packs stay: who sent one may ask again what became of it, for as long as a session can last. */
  private get receivedUntilMs(): number {
    return this.vault.nowMs() - LIMITS.sessionAgeMaxMs;
  }
}

/** All of them, or where there is no room for that the one that gives the most. */
async function repackSome(repacker: Repacker, sources: readonly RepackSource[]): Promise<RepackedPacks> {
  try {
    return await repacker.repack(sources);
  } catch (error) {
    if (!isFull(error) || sources.length === 1) throw error;
    return await repacker.repack(sources.slice(0, 1));
  }
}

function isFull(error: unknown): boolean {
  return isOutOfSpace(error) || (error instanceof CofreError && error.code === 'storage_full');
}
