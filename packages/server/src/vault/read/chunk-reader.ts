import { BLOB_HEADER_BYTES, blobLength, readBlobHeader } from '@cofre/shared/format/envelope/blob';
import { CofreError } from '@cofre/shared/errors';
import type { ChunkId, DomainId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import { encodeEndFrame, encodeFrameHeader } from '@cofre/shared/wire/chunk-frames';
import { packIds } from '../index/packed-ids.ts';
import { packPath } from '../layout.ts';
import type { Caller } from '../vault.ts';
import type { VaultContext } from '../vault-context.ts';
import { planReads, type ReadRun } from './read-plan.ts';

/** Gives chunks back as frames, in the order asked for, a bounded read at a time and one ahead. */
export class ChunkReader {
  private readonly vault: VaultContext;

  constructor(vault: VaultContext) {
    this.vault = vault;
  }

  /**
   * What is gone or altered on the disk comes as a frame that says so; nothing else is lost by it. The server can't
   * open a chunk: whoever asked checks its tag and its id.
   * @throws CofreError `not_found` for a domain that the caller may not read, `too_large`
   */
  async *read(caller: Caller, domainId: DomainId, ids: readonly ChunkId[]): AsyncGenerator<Buffer> {
    if (ids.length > LIMITS.readIdsMax) {
      throw new CofreError('too_large', { what: 'The list of ids', limit: `${LIMITS.readIdsMax}` });
    }
    const places = await this.vault.index.call('locateChunks', {
      deviceId: caller.deviceId,
      readsTenant: caller.readsTenant,
      domainId,
      ids: packIds(ids),
    });
    const leave = this.vault.readers.enter();
    try {
      const runs = planReads(places, this.vault.readers.runBytesMax);
      let next = this.fetch(runs[0]);
      for (const [place, run] of runs.entries()) {
        const bytes = await next;
        next = this.fetch(runs[place + 1]);
        // Awaited in the next turn; if the consumer leaves before, its failure concerns nobody.
        next.catch(() => undefined);
        yield* framesOf(run, bytes, ids, domainId);
      }
    } finally {
      leave();
    }
    yield encodeEndFrame(ids.length);
  }

  private async fetch(run: ReadRun | undefined): Promise<Buffer | null> {
    if (run === undefined || run.pack === 0) return null;
    const file = this.vault.layout.file(packPath(run.pack));
    return this.vault.packFiles.read(file, run.offset, run.length);
  }
}

function* framesOf(
  run: ReadRun,
  bytes: Buffer | null,
  ids: readonly ChunkId[],
  domainId: DomainId,
): Generator<Buffer> {
  for (const { place, offset, length } of run.blobs) {
    const chunkId = ids[place] as ChunkId;
    if (bytes === null) {
      yield encodeFrameHeader({ status: 'missing', length: 0, chunkId });
      continue;
    }
    const blob = bytes.subarray(offset - run.offset, offset - run.offset + length);
    if (blob.length < length || !isBlobOf(blob, chunkId, domainId)) {
      yield encodeFrameHeader({ status: 'damaged', length: 0, chunkId });
      continue;
    }
    yield encodeFrameHeader({ status: 'found', length, chunkId });
    yield blob;
  }
}

function isBlobOf(blob: Buffer, chunkId: ChunkId, domainId: DomainId): boolean {
  if (blob.length < BLOB_HEADER_BYTES) return false;
  try {
    const header = readBlobHeader(blob);
    return header.chunkId === chunkId && header.domainId === domainId && blobLength(header) === blob.length;
  } catch {
    return false;
  }
}
