import { openBlob } from '@cofre/shared/crypto/blob-cipher';
import type { DomainKeys } from '@cofre/shared/crypto/domain-keys';
import type { PeriodKeys } from '@cofre/shared/crypto/key-period';
import { CofreError } from '@cofre/shared/errors';
import { readBlobHeader, type BlobHeader } from '@cofre/shared/format/envelope/blob';
import type { ChunkId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import { releaseMemory } from '@cofre/shared/release-memory';
import type { ReceivedChunk, ServerClient } from '../client/server-client.ts';
import { JobFiles } from './job-files.ts';
import type { LostChunk, LostReason, RestoreJob, RestoreJobResult } from './restore-job.ts';

/** Gives the keys of a blob's period. Rejects with a CofreError when there are none that can be trusted. */
export type ProvidePeriodKeys = (header: BlobHeader) => PeriodKeys | Promise<PeriodKeys>;

export interface JobRunnerParts {
  readonly client: ServerClient;
  readonly domain: DomainKeys;
  readonly periodKeys: ProvidePeriodKeys;
}

/**
 * Runs jobs: fetches their chunks in order, opens each while the next ones arrive, and writes it to all its
 * places. Holds one chunk of a job at a time. Several jobs may run at once; they take turns chunk by chunk.
 */
export class JobRunner {
  readonly #parts: JobRunnerParts;

  constructor(parts: JobRunnerParts) {
    this.#parts = parts;
  }

  /**
   * A lost chunk costs the files that need it, and they are left out: nothing is left that looks whole.
   * @param signal gives the job up between two chunks; the files that are not complete are removed
   * @throws CofreError for what ends the restore: `target_full`, `server_unreachable`, `interrupted`, …
   */
  async run(job: RestoreJob, signal: AbortSignal): Promise<RestoreJobResult> {
    const files = new JobFiles(job);
    const lostChunks: LostChunk[] = [];
    let bytesReceived = 0;
    let index = 0;
    try {
      files.makeEmptyOnes();
      for await (const received of this.#receive(job.chunkIds)) {
        if (signal.aborted) throw new CofreError('interrupted');
        const chunkId = job.chunkIds[index] as ChunkId;
        if (received.chunkId !== chunkId) {
          throw new CofreError('protocol', { problem: 'a chunk that nobody asked for' });
        }
        bytesReceived += received.blob.length;
        const content = await this.#open(received);
        if (typeof content === 'string') {
          lostChunks.push({ chunkId, reason: content });
          files.lose(index);
        } else {
          files.write(index, content);
          releaseMemory(content);
        }
        index += 1;
      }
      if (index < job.chunkIds.length)
        throw new CofreError('protocol', { problem: 'chunks without an answer' });
      return { number: job.number, bytesReceived, files: files.results(), lostChunks };
    } finally {
      files.giveUpOpen();
    }
  }

  async *#receive(chunkIds: readonly ChunkId[]): AsyncGenerator<ReceivedChunk> {
    const { client, domain } = this.#parts;
    for (let start = 0; start < chunkIds.length; start += LIMITS.readIdsMax) {
      yield* client.readChunks(domain.domainId, chunkIds.slice(start, start + LIMITS.readIdsMax));
    }
  }

  /** The content of a chunk, or why there is none. */
  async #open({ chunkId, status, blob }: ReceivedChunk): Promise<Buffer | LostReason> {
    if (status !== 'found') return status;
    try {
      const header = readBlobHeader(blob);
      if (header.chunkId !== chunkId || header.type !== 'data') return 'damaged';
      const provided = this.#parts.periodKeys(header);
      const keys = provided instanceof Promise ? await provided : provided;
      return openBlob(blob, this.#parts.domain, () => keys);
    } catch (error) {
      if (isLoss(error)) return 'damaged';
      throw error;
    }
  }
}

/** What is wrong with one chunk, or with the key that it says it was sealed with: others may still be good. */
function isLoss(error: unknown): boolean {
  if (!(error instanceof CofreError)) return false;
  return ['damaged', 'unknown_format', 'wrong_key', 'untrusted', 'not_found'].includes(error.code);
}
