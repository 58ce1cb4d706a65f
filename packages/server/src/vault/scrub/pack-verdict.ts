import { BLOB_TYPES } from '@cofre/shared/format/envelope/blob';
import type { PackChunk } from '../index/verify.store.ts';
import type { InspectedBlob, PackInspection } from './pack-inspector.ts';

/** What is wrong with a chunk; the first two are of its whole pack. */
export type ChunkProblem = 'pack_missing' | 'pack_damaged' | 'chunk_unreadable' | 'row_without_blob';

/** Judges chunks by what an inspection found of their pack. */
export class PackVerdict {
  private readonly inspection: PackInspection;
  private readonly blobs: ReadonlyMap<number, InspectedBlob>;
  private readonly needed = new Set<number>();

  constructor(inspection: PackInspection) {
    this.inspection = inspection;
    const blobs = inspection.status === 'proven' ? inspection.blobs : [];
    this.blobs = new Map(blobs.map((blob) => [blob.offset, blob]));
  }

  /** Null when the pack has the chunk where its row says, byte for byte. */
  problemOf(chunk: PackChunk): ChunkProblem | null {
    this.needed.add(chunk.offset);
    if (this.inspection.status === 'missing') return 'pack_missing';
    if (this.inspection.status === 'unproven') return 'pack_damaged';
    const blob = this.blobs.get(chunk.offset);
    const isThere =
      blob !== undefined &&
      blob.chunkId === Buffer.from(chunk.chunkId).toString('hex') &&
      blob.length === chunk.length &&
      BLOB_TYPES[blob.type] === chunk.type;
    if (!isThere) return 'row_without_blob';
    return blob.isIntact ? null : 'chunk_unreadable';
  }

  /**
   * What is wrong with the pack that no chunk needs: its wrapping, or blobs that nothing refers to any more. Null when
   * nothing is. To be asked when all chunks of the pack were judged.
   */
  unneededDamage(): string | null {
    if (this.inspection.status !== 'proven') return null;
    if (this.inspection.wrapping !== null) return this.inspection.wrapping;
    const isDamaged = this.inspection.blobs.some(
      ({ isIntact, offset }) => !isIntact && !this.needed.has(offset),
    );
    return isDamaged ? 'bytes that nothing refers to are altered' : null;
  }

  /** Whether anything at all is wrong with the file: then it is worth a second look. */
  get isSuspicious(): boolean {
    if (this.inspection.status !== 'proven') return true;
    return this.inspection.wrapping !== null || this.inspection.blobs.some(({ isIntact }) => !isIntact);
  }
}
