import type { VerifyFinding } from '@cofre/shared/wire/administration';
import type { PackChunk, PackRow } from '../index/verify.store.ts';
import { PackInspector, type PackInspection } from '../scrub/pack-inspector.ts';
import { PackVerdict, type ChunkProblem } from '../scrub/pack-verdict.ts';

/** What is wrong with a pack; `offset` names a single blob, null the whole pack. */
export interface PackProblem {
  readonly code: ChunkProblem | 'pack_miscounted' | 'pack_needs_rewrite';
  readonly detail: string;
  readonly offset: number | null;
  readonly isWarning?: boolean;
  readonly remedy?: VerifyFinding['remedy'];
}

/** Reads packs whole and compares them with their own hashes and with their rows, as a scrub does. */
export class PackVerifier {
  private readonly inspector: PackInspector;

  /** @param onProgress gets bytes as they are read */
  constructor(onProgress: (bytes: number) => void) {
    this.inspector = new PackInspector(onProgress);
  }

  /** @param chunks the rows that point into this pack */
  async *verify(path: string, pack: PackRow, chunks: AsyncIterable<PackChunk>): AsyncGenerator<PackProblem> {
    const inspection = await this.inspector.inspect(path, pack);
    const verdict = new PackVerdict(inspection);
    const rows = { count: 0, bytes: 0 };
    for await (const chunk of chunks) {
      rows.count += 1;
      rows.bytes += chunk.length;
      const code = verdict.problemOf(chunk);
      if (code === null || code === 'pack_missing' || code === 'pack_damaged') continue;
      const chunkId = Buffer.from(chunk.chunkId).toString('hex');
      const detail = `pack ${pack.number}${describeChunk(code, chunkId)}`;
      yield { code, detail, offset: chunk.offset, remedy: 'quarantine' };
    }
    yield* wholePack(pack, inspection, rows);
    const unneeded = verdict.unneededDamage();
    if (unneeded === null) return;
    const detail = `pack ${pack.number}: ${unneeded}; nothing is lost by it`;
    yield { code: 'pack_needs_rewrite', detail, offset: null, isWarning: true, remedy: 'repack' };
  }
}

function describeChunk(code: ChunkProblem, chunkId: string): string {
  return code === 'chunk_unreadable'
    ? `: the bytes of chunk ${chunkId} are altered`
    : ` does not hold chunk ${chunkId} where its row says`;
}

function* wholePack(
  pack: PackRow,
  inspection: PackInspection,
  rows: { count: number; bytes: number },
): Generator<PackProblem> {
  if (inspection.status === 'proven') {
    const allBytes = inspection.blobs.reduce((sum, { length }) => sum + length, 0);
    if (inspection.blobs.length === pack.blobs && rows.bytes + pack.deadBytes === allBytes) return;
    const detail = `pack ${pack.number} counts ${pack.deadBytes} dead bytes instead of ${allBytes - rows.bytes}`;
    yield { code: 'pack_miscounted', detail, offset: null };
    return;
  }
  const isMissing = inspection.status === 'missing';
  yield {
    code: isMissing ? 'pack_missing' : 'pack_damaged',
    detail: `pack ${pack.number}${isMissing ? ' is not there' : `: ${inspection.problem}`}`,
    offset: null,
    // When everything that it held was sent again, it is only in the way.
    ...(rows.count > 0 ? { remedy: 'quarantine' } : { isWarning: true }),
  };
}
