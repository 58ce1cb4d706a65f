import type { SeenChunk } from '../index/scrub.store.ts';
import type { PackRow } from '../index/verify.store.ts';
import { packPath } from '../layout.ts';
import type { VaultContext } from '../vault-context.ts';
import { PackInspector, type PackInspection } from './pack-inspector.ts';
import { PackVerdict } from './pack-verdict.ts';
import { requireFolder } from './require-folder.ts';

/** Chunks that one transaction takes out of service, or that one question lists: some tens of milliseconds. */
const STEP_CHUNKS = 1_000;

export interface ScrubbedPack {
  readonly damagedChunks: number;
  readonly recoveredChunks: number;
  readonly needsRewrite: boolean;
}

/**
 * Reads one pack and takes what is damaged in it out of service:
 *
 *     read all of it → if anything is wrong, read it again → quarantine by rows as they are then → note it as read
 *
 * A process that ends anywhere in between has quarantined what was damaged, or nothing; the pack is not noted as read
 * and its turn comes again. Collection and repacking may have moved chunks meanwhile: a row that does not point to the
 * same place of the same pack any more is left alone by the transaction itself.
 */
export class PackScrubber {
  private readonly vault: VaultContext;
  private readonly inspector: PackInspector;

  /** @param onProgress gets bytes as they are read; when it throws, the scrub ends */
  constructor(vault: VaultContext, onProgress: (bytes: number) => void) {
    this.vault = vault;
    this.inspector = new PackInspector(onProgress);
  }

  async scrub(pack: PackRow): Promise<ScrubbedPack> {
    const inspection = await this.inspect(pack);
    const verdict = new PackVerdict(inspection);
    this.vault.crashPoint('scrub-read');
    const settled = await this.settle(pack, verdict);
    const needsRewrite = verdict.unneededDamage() !== null;
    await this.vault.index.call('finishPackScrub', {
      pack: pack.number,
      nowMs: this.vault.nowMs(),
      needsRewrite,
    });
    this.vault.crashPoint('scrub-finished');
    return { ...settled, needsRewrite };
  }

  /** Damage is believed when it is seen twice: a quarantine makes devices send again. */
  private async inspect(pack: PackRow): Promise<PackInspection> {
    const path = this.vault.layout.file(packPath(pack.number));
    const inspection = await this.inspector.inspect(path, pack);
    if (!new PackVerdict(inspection).isSuspicious) return inspection;
    const again = await this.inspector.inspect(path, pack);
    if (again.status !== 'proven') {
      await requireFolder(this.vault.layout.packs, this.vault.tenantId);
    }
    return again;
  }

  private async settle(
    pack: PackRow,
    verdict: PackVerdict,
  ): Promise<{ damagedChunks: number; recoveredChunks: number }> {
    const settled = { damagedChunks: 0, recoveredChunks: 0 };
    for (let after = -1; ;) {
      const asked = { pack: pack.number, after, limit: STEP_CHUNKS };
      const rows = await this.vault.index.call('listPackChunks', asked);
      const last = rows.at(-1);
      if (last === undefined) return settled;
      after = last.offset;
      const damaged: SeenChunk[] = [];
      const sound: Omit<SeenChunk, 'what'>[] = [];
      for (const row of rows) {
        const what = verdict.problemOf(row);
        const seen = { chunkId: row.chunkId, offset: row.offset };
        if (what !== null && row.state === 0) damaged.push({ ...seen, what });
        if (what === null && row.state !== 0) sound.push(seen);
      }
      settled.damagedChunks += await this.change('quarantineChunks', pack, damaged);
      settled.recoveredChunks += await this.change('releaseChunks', pack, sound);
    }
  }

  private async change<Name extends 'quarantineChunks' | 'releaseChunks'>(
    name: Name,
    pack: PackRow,
    chunks: Name extends 'quarantineChunks' ? SeenChunk[] : Omit<SeenChunk, 'what'>[],
  ): Promise<number> {
    if (chunks.length === 0) return 0;
    const input = { pack: pack.number, chunks: chunks as SeenChunk[], nowMs: this.vault.nowMs() };
    const count = await this.vault.index.call<'quarantineChunks' | 'releaseChunks'>(name, input);
    this.vault.crashPoint('scrub-settled');
    return count;
  }
}
