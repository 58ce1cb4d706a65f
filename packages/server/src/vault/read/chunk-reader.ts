import { BLOB_HEADER_BYTES, blobLength, readBlobHeader } from '@cofre/shared/format/envelope/blob';
import { CofreError } from '@cofre/shared/errors';
import type { ChunkId, DomainId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import { encodeEndFrame, encodeFrameHeader } from '@cofre/shared/wire/chunk-frames';
import { isUnreadable } from '../../platform/storage-failure.ts';
import { packIds } from '../index/packed-ids.ts';
import { packPath } from '../layout.ts';
import type { Caller } from '../vault.ts';
import type { VaultContext } from '../vault-context.ts';
import { freeRead } from './pack-files.ts';
import { planReads, type ReadRun } from './read-plan.ts';

/** What is in hand of a run: all of it, or the beginning of a blob that is larger than one read. */
interface Fetched {
  readonly bytes: Buffer;
  readonly isWhole: boolean;
}

/** Gives chunks back as frames, in the order asked for: a bounded read at a time, and one ahead. */
export class ChunkReader {
  private readonly vault: VaultContext;

  constructor(vault: VaultContext) {
    this.vault = vault;
  }

  /**
   * What is gone or altered on the disk comes as a frame that says so; nothing else is lost by it. The server can't
   * open a chunk: whoever asked checks its tag and its id. A piece is valid until the next one is asked for: left to
   * the collector, the memory of reads cost the server half of its work.
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
        const fetched = await next;
        next = this.fetch(runs[place + 1]);
        // Awaited in the next turn; if the consumer leaves before, its failure concerns nobody.
        next.catch(() => undefined);
        const isFound = yield* framesOf(run, fetched, ids, domainId);
        const beginningBytes = fetched?.bytes.length ?? 0;
        // Only here, where more was asked for: a consumer that left may not be done with its last piece.
        if (fetched !== null) freeRead(fetched.bytes);
        if (isFound && fetched?.isWhole === false) yield* this.readRest(run, beginningBytes);
      }
    } finally {
      leave();
    }
    yield encodeEndFrame(ids.length);
  }

  private async fetch(run: ReadRun | undefined): Promise<Fetched | null> {
    if (run === undefined || run.pack === 0) return null;
    try {
      const bytesMax = this.vault.readers.runBytesMax;
      if (run.length <= bytesMax || run.blobs.length > 1) return await this.fetchWhole(run);
      const last = await this.readPack(run, run.length - 1, 1);
      if (last === null) return null;
      // A blob that is cut must be known before its frame begins.
      if (last.length === 0) return { bytes: last, isWhole: true };
      const bytes = await this.readPack(run, 0, bytesMax);
      return bytes === null ? null : { bytes, isWhole: bytes.length < bytesMax };
    } catch (error) {
      if (isUnreadable(error)) return { bytes: Buffer.alloc(0), isWhole: true };
      throw error;
    }
  }

  private async fetchWhole(run: ReadRun): Promise<Fetched | null> {
    try {
      const bytes = await this.readPack(run, 0, run.length);
      return bytes === null ? null : { bytes, isWhole: true };
    } catch (error) {
      if (!isUnreadable(error) || run.blobs.length === 1) throw error;
      return { bytes: await this.salvage(run), isWhole: true };
    }
  }

  /** Blob by blob, so that a bad place of the disk costs only what lies on it. What can't be read stays empty. */
  private async salvage(run: ReadRun): Promise<Buffer> {
    const bytes = Buffer.alloc(run.length);
    for (const { offset, length } of run.blobs) {
      try {
        (await this.readPack(run, offset - run.offset, length))?.copy(bytes, offset - run.offset);
      } catch (error) {
        if (!isUnreadable(error)) throw error;
      }
    }
    return bytes;
  }

  /** The rest of a large blob whose frame has begun: it comes whole, or the answer breaks off. */
  private async *readRest(run: ReadRun, doneBytes: number): AsyncGenerator<Buffer> {
    for (let done = doneBytes; done < run.length;) {
      const wanted = Math.min(this.vault.readers.runBytesMax, run.length - done);
      const bytes = await this.readPack(run, done, wanted);
      if (bytes?.length !== wanted) {
        throw new CofreError('damaged', { what: packPath(run.pack), problem: 'it became shorter' });
      }
      done += wanted;
      yield bytes;
      freeRead(bytes);
    }
  }

  private readPack(run: ReadRun, start: number, length: number): Promise<Buffer | null> {
    const file = this.vault.layout.file(packPath(run.pack));
    return this.vault.packFiles.read(file, run.offset + start, length);
  }
}

/** @returns whether the last of them was found */
function* framesOf(
  run: ReadRun,
  fetched: Fetched | null,
  ids: readonly ChunkId[],
  domainId: DomainId,
): Generator<Buffer, boolean> {
  let isFound = false;
  for (const { place, offset, length } of run.blobs) {
    const chunkId = ids[place] as ChunkId;
    if (fetched === null) {
      yield encodeFrameHeader({ status: 'missing', length: 0, chunkId });
      continue;
    }
    const blob = fetched.bytes.subarray(offset - run.offset, offset - run.offset + length);
    const isThere = !fetched.isWhole || blob.length === length;
    isFound = isThere && isBlobOf(blob, length, chunkId, domainId);
    if (!isFound) {
      yield encodeFrameHeader({ status: 'damaged', length: 0, chunkId });
      continue;
    }
    yield encodeFrameHeader({ status: 'found', length, chunkId });
    yield blob;
  }
  return isFound;
}

/** @param beginning of a blob of `length` bytes, its header at least */
function isBlobOf(beginning: Buffer, length: number, chunkId: ChunkId, domainId: DomainId): boolean {
  if (beginning.length < BLOB_HEADER_BYTES) return false;
  try {
    const header = readBlobHeader(beginning);
    return header.chunkId === chunkId && header.domainId === domainId && blobLength(header) === length;
  } catch {
    return false;
  }
}
