import { LIMITS } from '@cofre/shared/limits';
import { Pace } from '../../platform/pace.ts';
import type { ScrubState } from '../index/scrub.store.ts';
import type { VaultContext } from '../vault-context.ts';
import { ObjectScrubber } from './object-scrubber.ts';
import { PackScrubber } from './pack-scrubber.ts';
import { NOTHING_SCRUBBED, type ScrubResult, type ScrubRun } from './scrub-run.ts';

/** Objects that are read in one turn: they are small. */
const STEP_OBJECTS = 50;
/** What was read less long ago than this is not due: so everything is read once in a cycle, with as much time to spare. */
const DUE_AFTER_MS = LIMITS.scrubCycleMs / 2;

/**
 * How many bytes of packs may be read now: what falls to the time since the last share when all of them are read in
 * half a cycle. So it does not matter how often it is asked.
 */
export function shareOf({ packBytes, scrubbedMs }: ScrubState, nowMs: number): number {
  const sinceMs = scrubbedMs === null ? 0 : Math.min(nowMs - scrubbedMs, LIMITS.scrubShareMaxMs);
  return Math.max(LIMITS.scrubShareBytesMin, Math.ceil((packBytes * sinceMs) / DUE_AFTER_MS));
}

/**
 * Reads what a vault keeps, a pack at a time, and compares it: what somebody waits for first, then what was read longest
 * ago. It takes turns with collection and repacking at each pack. All that it knows about its progress is in the rows,
 * so that it goes on wherever it was ended.
 */
export class VaultScrubber {
  private readonly vault: VaultContext;
  private readonly run: ScrubRun;
  private readonly dueMs: number;
  private readonly endMs: number;
  private readonly pace: Pace;
  private readonly packs: PackScrubber;
  private readonly result = { ...NOTHING_SCRUBBED };

  constructor(vault: VaultContext, run: ScrubRun) {
    this.vault = vault;
    this.run = run;
    this.dueMs = vault.nowMs() - (run.everything === true ? 0 : DUE_AFTER_MS);
    this.endMs = performance.now() + (run.budgetMs ?? Infinity);
    this.pace = new Pace(run.bytesPerSecond === undefined ? LIMITS.scrubBytesPerSecond : run.bytesPerSecond);
    this.packs = new PackScrubber(vault, (bytes) => this.count(bytes));
  }

  /**
   * @throws CofreError `index_unusable` when the vault's database is damaged: then nothing is written to the vault any more
   */
  async scrub(): Promise<ScrubResult> {
    const state = await this.inTurn(() => this.begin());
    const isEverythingRead = (await this.scrubObjects()) && (await this.scrubPacks(state));
    return { ...this.result, isComplete: isEverythingRead };
  }

  private async begin(): Promise<ScrubState> {
    this.vault.requireWritable();
    const state = await this.vault.index.call('describeScrub', undefined);
    const nowMs = this.vault.nowMs();
    const isCheckDue = state.indexCheckedMs === null || state.indexCheckedMs <= nowMs - LIMITS.indexCheckMs;
    if (isCheckDue || this.run.everything === true) await this.checkIndex(nowMs);
    return state;
  }

  private async checkIndex(nowMs: number): Promise<void> {
    const [problem] = await this.vault.index.check();
    if (problem === undefined) {
      await this.vault.index.call('noteScrub', { scrubbedMs: null, indexCheckedMs: nowMs });
      return;
    }
    this.vault.refuseWrites(`is damaged: ${problem}`);
    this.vault.requireWritable();
  }

  /** Whether all that were due are read. */
  private async scrubObjects(): Promise<boolean> {
    const scrubber = new ObjectScrubber(this.vault);
    while (this.goesOn()) {
      const count = await this.inTurn(async () => {
        const asked = { dueMs: this.dueMs, limit: STEP_OBJECTS };
        const objects = await this.vault.index.call('listObjectsToScrub', asked);
        for (const object of objects) {
          const action = await scrubber.scrub(object);
          if (action === 'rewrite_file') this.result.rewrittenObjects += 1;
          if (action === 'mend_row') this.result.mendedRows += 1;
          if (action === 'impossible') this.result.lostObjects += 1;
          this.count(object.bytes.length);
        }
        const numbers = objects.map(({ number }) => number);
        if (numbers.length > 0) {
          await this.vault.index.call('finishObjectScrub', { numbers, nowMs: this.vault.nowMs() });
        }
        return numbers.length;
      });
      this.result.objects += count;
      if (count === 0) return true;
    }
    return false;
  }

  /** Whether all that were due are read. */
  private async scrubPacks(state: ScrubState): Promise<boolean> {
    let shareBytes = this.run.everything === true ? Infinity : shareOf(state, this.vault.nowMs());
    let isDone = false;
    while (!isDone && shareBytes > 0 && this.goesOn()) {
      const readBytes = await this.inTurn(() => this.scrubNext());
      isDone = readBytes === null;
      shareBytes -= readBytes ?? 0;
      await this.pace.take(readBytes ?? 0, this.run.signal);
    }
    await this.inTurn(() =>
      this.vault.index.call('noteScrub', { scrubbedMs: this.vault.nowMs(), indexCheckedMs: null }),
    );
    return isDone;
  }

  /** The length of the pack that was read, or null when none is due. */
  private async scrubNext(): Promise<number | null> {
    const pack = await this.vault.index.call('nextPackToScrub', { dueMs: this.dueMs });
    if (pack === null) return null;
    const { damagedChunks, recoveredChunks, needsRewrite } = await this.packs.scrub(pack);
    this.result.packs += 1;
    this.result.damagedChunks += damagedChunks;
    this.result.recoveredChunks += recoveredChunks;
    this.result.packsToRewrite += needsRewrite ? 1 : 0;
    return pack.length;
  }

  private count(bytes: number): void {
    this.run.signal.throwIfAborted();
    this.result.bytes += bytes;
    this.run.onProgress?.(bytes);
  }

  private goesOn(): boolean {
    this.run.signal.throwIfAborted();
    return performance.now() < this.endMs;
  }

  /** Each turn enters the gate by itself, so that a server that stops waits for one pack at most. */
  private inTurn<Result>(step: () => Promise<Result>): Promise<Result> {
    return this.vault.gate.run(() => this.vault.maintenance.run(step));
  }
}
