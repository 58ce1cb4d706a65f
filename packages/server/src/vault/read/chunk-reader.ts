import { BLOB_HEADER_BYTES, blobLength, readBlobHeader } from '@cofre/shared/format/envelope/blob';
import { CofreError } from '@cofre/shared/errors';
import type { ChunkId, DomainId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import { encodeEndFrame, encodeFrameHeader } from '@cofre/shared/wire/chunk-frames';
import { isUnreadable } from '../../platform/storage-failure.ts';
import type { ChunkPlaces } from '../index/chunks.store.ts';
import { packIds } from '../index/packed-ids.ts';
import { packPath } from '../layout.ts';
import type { Caller } from '../vault.ts';
import type { VaultContext } from '../vault-context.ts';
import { freeRead, type HeldPack } from './pack-files.ts';
import { planReads, type ReadRun } from './read-plan.ts';

/** What is in hand of a run: all of it, or the beginning of a blob that is larger than one read. */
interface Fetched {
  readonly bytes: Buffer;
  /** Where the rest comes from; null when this is all. */
  readonly rest: HeldPack | null;
}

/** What was asked for, and by whom. */
interface Question {
  readonly caller: Caller;
  readonly domainId: DomainId;
  readonly ids: readonly ChunkId[];
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
   *
   * A pack that is gone was perhaps written anew since its chunks were looked up: they are looked up again.
   * @throws CofreError `not_found` for a domain that the caller may not read, `too_large`
   */
  async *read(caller: Caller, domainId: DomainId, ids: readonly ChunkId[]): AsyncGenerator<Buffer> {
    if (ids.length > LIMITS.readIdsMax) {
      throw new CofreError('too_large', { what: 'The list of ids', limit: `${LIMITS.readIdsMax}` });
    }
    const question: Question = { caller, domainId, ids };
    const places = await this.locate(question, ids);
    const leave = this.vault.readers.enter();
    let next: Promise<Fetched | null> = Promise.resolve(null);
    try {
      const runs = planReads(places, this.vault.readers.runBytesMax);
      next = this.fetch(runs[0]);
      for (const [place, run] of runs.entries()) {
        const fetched = await next;
        next = this.fetch(runs[place + 1]);
        // Awaited in the next turn; if the consumer leaves before, its failure concerns nobody.
        next.catch(() => undefined);
        if (fetched === null && run.pack !== 0) yield* this.readMoved(question, run);
        else yield* this.give(question, run, fetched);
      }
    } finally {
      leave();
      const ahead = await next.catch(() => null);
      await ahead?.rest?.letGo();
    }
    yield encodeEndFrame(ids.length);
  }

  private locate({ caller, domainId }: Question, ids: readonly ChunkId[]): Promise<ChunkPlaces> {
    return this.vault.index.call('locateChunks', {
      deviceId: caller.deviceId,
      readsTenant: caller.readsTenant,
      domainId,
      ids: packIds(ids),
    });
  }

  /** Once more for a run whose pack is not there: what is not where it is now either is missing. */
  private async *readMoved(question: Question, run: ReadRun): AsyncGenerator<Buffer> {
    const ids = run.blobs.map(({ place }) => question.ids[place] as ChunkId);
    for (const found of planReads(await this.locate(question, ids), this.vault.readers.runBytesMax)) {
      const blobs = found.blobs.map((blob) => ({ ...blob, place: run.blobs[blob.place]?.place as number }));
      const moved = { ...found, blobs };
      yield* this.give(question, moved, await this.fetch(moved));
    }
  }

  private async *give(question: Question, run: ReadRun, fetched: Fetched | null): AsyncGenerator<Buffer> {
    try {
      const isFound = yield* framesOf(question, run, fetched);
      if (fetched === null) return;
      const beginningBytes = fetched.bytes.length;
      // Only here, where more was asked for: a consumer that left may not be done with its last piece.
      freeRead(fetched.bytes);
      if (isFound && fetched.rest !== null) yield* this.readRest(run, fetched.rest, beginningBytes);
    } finally {
      await fetched?.rest?.letGo();
    }
  }

  private async fetch(run: ReadRun | undefined): Promise<Fetched | null> {
    if (run === undefined || run.pack === 0) return null;
    try {
      const isLarge = run.length > this.vault.readers.runBytesMax && run.blobs.length === 1;
      return isLarge ? await this.fetchBeginning(run) : await this.fetchWhole(run);
    } catch (error) {
      if (isUnreadable(error)) return { bytes: Buffer.alloc(0), rest: null };
      throw error;
    }
  }

  private async fetchBeginning(run: ReadRun): Promise<Fetched | null> {
    const bytesMax = this.vault.readers.runBytesMax;
    const held = await this.vault.packFiles.hold(this.fileOf(run));
    if (held === null) return null;
    let isHeld = false;
    try {
      // A blob that is cut must be known before its frame begins.
      const last = await held.read(run.offset + run.length - 1, 1);
      if (last.length === 0) return { bytes: last, rest: null };
      const bytes = await held.read(run.offset, bytesMax);
      isHeld = bytes.length === bytesMax;
      return { bytes, rest: isHeld ? held : null };
    } finally {
      if (!isHeld) await held.letGo();
    }
  }

  private async fetchWhole(run: ReadRun): Promise<Fetched | null> {
    try {
      const bytes = await this.readPack(run, 0, run.length);
      return bytes === null ? null : { bytes, rest: null };
    } catch (error) {
      if (!isUnreadable(error) || run.blobs.length === 1) throw error;
      const bytes = await this.salvage(run);
      return bytes === null ? null : { bytes, rest: null };
    }
  }

  /** Blob by blob, so that a bad place of the disk costs only what lies on it. What can't be read stays empty. */
  private async salvage(run: ReadRun): Promise<Buffer | null> {
    const bytes = Buffer.alloc(run.length);
    for (const { offset, length } of run.blobs) {
      try {
        const blob = await this.readPack(run, offset - run.offset, length);
        if (blob === null) return null;
        blob.copy(bytes, offset - run.offset);
      } catch (error) {
        if (!isUnreadable(error)) throw error;
      }
    }
    return bytes;
  }

  /** The rest of a large blob whose frame has begun: it comes whole, or the answer breaks off. */
  private async *readRest(run: ReadRun, held: HeldPack, doneBytes: number): AsyncGenerator<Buffer> {
    for (let done = doneBytes; done < run.length;) {
      const wanted = Math.min(this.vault.readers.runBytesMax, run.length - done);
      const bytes = await held.read(run.offset + done, wanted);
      if (bytes.length !== wanted) {
        throw new CofreError('damaged', { what: packPath(run.pack), problem: 'it became shorter' });
      }
      done += wanted;
      yield bytes;
      freeRead(bytes);
    }
  }

  private fileOf(run: ReadRun): string {
    return this.vault.layout.file(packPath(run.pack));
  }

  private readPack(run: ReadRun, start: number, length: number): Promise<Buffer | null> {
    return this.vault.packFiles.read(this.fileOf(run), run.offset + start, length);
  }
}

/** @returns whether the last of them was found */
function* framesOf(
  { ids, domainId }: Question,
  run: ReadRun,
  fetched: Fetched | null,
): Generator<Buffer, boolean> {
  let isFound = false;
  for (const { place, offset, length } of run.blobs) {
    const chunkId = ids[place] as ChunkId;
    if (fetched === null) {
      yield encodeFrameHeader({ status: 'missing', length: 0, chunkId });
      continue;
    }
    const blob = fetched.bytes.subarray(offset - run.offset, offset - run.offset + length);
    const isThere = fetched.rest !== null || blob.length === length;
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
