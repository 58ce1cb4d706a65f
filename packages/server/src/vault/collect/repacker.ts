import { dirname, join } from 'node:path';
import { CofreError } from '@cofre/shared/errors';
import { PACK_KINDS, type PackKind } from '@cofre/shared/format/envelope/pack';
import { LIMITS } from '@cofre/shared/limits';
import { publishFiles, removeFile } from '../../platform/durable-files.ts';
import type { Pace } from '../../platform/pace.ts';
import { isNotThere, isUnreadable } from '../../platform/storage-failure.ts';
import type { DoomedPack } from '../index/collection.store.ts';
import type { LiveBlob, MovedBlob, RepackSource } from '../index/repack.store.ts';
import { packPath } from '../layout.ts';
import type { VaultContext } from '../vault-context.ts';
import { PackSource } from './pack-source.ts';
import { PackWriter } from './pack-writer.ts';

/** What became of some packs. */
export interface RepackedPacks {
  readonly doomed: readonly DoomedPack[];
  readonly writtenBytes: number;
  readonly quarantined: number;
  /** Packs of which nothing could be taken: they would be picked again. */
  readonly untouched: readonly number[];
}

/** Rows that are looked up at once. */
const STEP_BLOBS = 500;

/** What was copied into the new pack, and what can't be. */
interface Copied {
  readonly blobs: MovedBlob[];
  /** Its bytes are not those that came. */
  readonly damaged: MovedBlob[];
  readonly untouched: number[];
  receivedMs: number;
}

/**
 * Writes what is alive in some packs into a new one, so that the old ones can go. No key is needed: blobs are copied as
 * they are, each proven by the hash that came with it. One that is not what it was is quarantined, never copied.
 *
 *     intent row → temporary file → check and copy → fsync → link → fsync of the folder → rows move, old packs doomed
 *
 * Whatever ends it in between leaves either the old packs with all their rows, or the new one with them.
 */
export class Repacker {
  private readonly vault: VaultContext;
  private readonly pace: Pace;
  private readonly signal: AbortSignal;

  /** @param pace of its reads; what it writes is at most as much */
  constructor(vault: VaultContext, pace: Pace, signal: AbortSignal) {
    this.vault = vault;
    this.pace = pace;
    this.signal = signal;
  }

  /**
   * Makes one new pack of as many of these as it holds.
   * @param sources of one kind, device and domain, one at least
   * @throws CofreError `storage_full`, `unavailable`
   */
  repack(sources: readonly RepackSource[]): Promise<RepackedPacks> {
    const liveBytes = sources.reduce((sum, { length, deadBytes }) => sum + length - deadBytes, 0);
    // One blob more than the target, and its trailer, at most: a headroom is left for that.
    const lengthBytes = Math.min(liveBytes, LIMITS.repackBytesTarget);
    return this.vault.runWithSpace(lengthBytes, () => this.repackNow(sources), LIMITS.repackHeadroomBytes);
  }

  private async repackNow(sources: readonly RepackSource[]): Promise<RepackedPacks> {
    const { number } = await this.vault.index.call('beginRepack', { nowMs: this.vault.nowMs() });
    this.vault.crashPoint('repack-intent');
    const path = packPath(number);
    const temporary = join(this.vault.layout.incoming, `${number}.pack`);
    const copied: Copied = { blobs: [], damaged: [], untouched: [], receivedMs: 0 };
    try {
      const written = await this.writeTemporary(temporary, sources, copied);
      const quarantined = await this.quarantine(copied.damaged);
      if (written === null) {
        await removeFile(temporary);
        await this.vault.discardFiles([path]);
        return { doomed: [], writtenBytes: 0, quarantined, untouched: copied.untouched };
      }
      const doomed = await this.publish(
        { number, temporary, source: sources[0] as RepackSource },
        copied,
        written,
      );
      await removeFile(temporary);
      return { doomed, writtenBytes: written.lengthBytes, quarantined, untouched: copied.untouched };
    } catch (error) {
      await this.vault.abandon(error, [path], [temporary]);
      throw error;
    }
  }

  /** @returns null when there was nothing to copy */
  private async writeTemporary(
    temporary: string,
    sources: readonly RepackSource[],
    copied: Copied,
  ): Promise<{ lengthBytes: number; hash: Buffer } | null> {
    const writer = await PackWriter.create(temporary, kindOf((sources[0] as RepackSource).kind));
    try {
      for (const source of sources) {
        const before = copied.blobs.length;
        const isWhole = await this.copyFrom(source, writer, copied);
        if (isWhole && copied.blobs.length === before) copied.untouched.push(source.number);
        if (copied.blobs.length > before) copied.receivedMs = Math.max(copied.receivedMs, source.receivedMs);
        if (!isWhole) break;
      }
      this.vault.crashPoint('repack-written');
      if (copied.blobs.length === 0) return null;
      const written = await writer.finish();
      this.vault.crashPoint('repack-synced');
      return written;
    } finally {
      await writer.close();
    }
  }

  /** @returns false when the new pack is full */
  private async copyFrom(source: RepackSource, writer: PackWriter, copied: Copied): Promise<boolean> {
    const opened = await this.openSource(source);
    if (opened === null) return true;
    try {
      for (let after = -1; ;) {
        const blobs = await this.vault.index.call('listLiveBlobs', {
          pack: source.number,
          after,
          limit: STEP_BLOBS,
        });
        for (const blob of blobs) {
          if (!writer.hasRoomFor(blob.length)) return false;
          await this.copyBlob(opened, { ...blob, pack: source.number }, writer, copied);
        }
        const last = blobs.at(-1);
        if (last === undefined) return true;
        after = last.offset;
      }
    } finally {
      await opened.close();
    }
  }

  private async copyBlob(
    source: PackSource,
    blob: LiveBlob & MovedBlob,
    writer: PackWriter,
    copied: Copied,
  ): Promise<void> {
    const proven = await source.read(blob);
    if (proven === null) {
      copied.damaged.push(blob);
      return;
    }
    await writer.append(proven);
    copied.blobs.push({
      chunk: blob.chunk,
      chunkId: blob.chunkId,
      pack: blob.pack,
      offset: blob.offset,
      length: blob.length,
    });
  }

  /** Null for a pack of which nothing can be proven: a scrub says what that means. */
  private async openSource(source: RepackSource): Promise<PackSource | null> {
    const path = this.vault.layout.file(packPath(source.number));
    const onRead = (bytes: number): Promise<void> => this.pace.take(bytes, this.signal);
    try {
      return await PackSource.open(path, source, onRead);
    } catch (error) {
      if (isNotThere(error) || isUnreadable(error)) return null;
      const isDamaged = error instanceof CofreError && /^(damaged|unknown_format)$/.test(error.code);
      if (!isDamaged) throw error;
    }
    return PackSource.prove(path, source, onRead);
  }

  private async quarantine(damaged: readonly MovedBlob[]): Promise<number> {
    let quarantined = 0;
    for (const pack of new Set(damaged.map((blob) => blob.pack))) {
      quarantined += await this.vault.index.call('quarantineChunks', {
        pack,
        chunks: damaged
          .filter((blob) => blob.pack === pack)
          .map(({ chunkId, offset }) => ({ chunkId, offset, what: 'chunk_unreadable' })),
        nowMs: this.vault.nowMs(),
      });
    }
    return quarantined;
  }

  private async publish(
    { number, temporary, source }: { number: number; temporary: string; source: RepackSource },
    copied: Copied,
    written: { lengthBytes: number; hash: Buffer },
  ): Promise<readonly DoomedPack[]> {
    const final = this.vault.layout.file(packPath(number));
    const folder = dirname(final);
    await this.vault.folders.make(folder);
    await publishFiles([{ temporary, final }], folder);
    this.vault.crashPoint('repack-linked');
    const { doomed } = await this.vault.index.call('swapBlobs', {
      nowMs: this.vault.nowMs(),
      number,
      kind: source.kind,
      ...written,
      deviceId: source.deviceId,
      receivedMs: copied.receivedMs,
      blobs: copied.blobs,
    });
    this.vault.crashPoint('repack-swapped');
    return doomed;
  }
}

function kindOf(code: number): PackKind {
  return code === PACK_KINDS.catalog ? 'catalog' : 'content';
}
