import type { KeyPeriod } from '@cofre/shared/crypto/key-period';
import { CofreError } from '@cofre/shared/errors';
import { blobLength, readBlobHeader } from '@cofre/shared/format/envelope/blob';
import type { ChunkId, DomainId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import type { ReceivedChunk } from '../client/server-client.ts';
import { YoungGarbage } from '../platform/young-garbage.ts';
import type { VaultReader } from '../vault-reader/vault-reader.ts';
import type { LostReason } from './restore-job.ts';

/** A chunk as it came from the server, not opened yet. */
export type FedChunk = FoundChunk | { readonly lost: LostReason };

export interface FoundChunk {
  readonly lost: null;
  /** Valid until the next chunk is asked for, and no longer than a blob of content can be. */
  readonly blob: Buffer;
  readonly period: KeyPeriod;
}

/** Fetches the chunks of one domain and the keys that open them. */
export class ChunkFeed {
  readonly #vault: VaultReader;
  readonly #domainId: DomainId;
  readonly #garbage = new YoungGarbage();

  constructor(vault: VaultReader, domainId: DomainId) {
    this.#vault = vault;
    this.#domainId = domainId;
  }

  /**
   * One answer for each id, in order. What is not there, is no content, is of a later format, or has no
   * key that can be trusted is lost; only what concerns all chunks throws.
   * @throws CofreError `server_unreachable`, `interrupted`, `protocol`, …
   */
  async *chunks(ids: readonly ChunkId[]): AsyncGenerator<FedChunk> {
    for (let start = 0; start < ids.length; start += LIMITS.readIdsMax) {
      const part = ids.slice(start, start + LIMITS.readIdsMax);
      let count = 0;
      await this.#vault.ensureGranted();
      for await (const received of this.#vault.client.readChunks(this.#domainId, part)) {
        if (received.chunkId !== part[count++]) refuse('a chunk that nobody asked for');
        yield await this.#withKeys(received);
        this.#garbage.passed(received.blob.length);
      }
      if (count < part.length) refuse('chunks without an answer');
    }
  }

  async #withKeys({ chunkId, status, blob }: ReceivedChunk): Promise<FedChunk> {
    if (status !== 'found') return { lost: status };
    try {
      const header = readBlobHeader(blob);
      const isAsked = header.chunkId === chunkId && header.type === 'data';
      if (!isAsked || blob.length !== blobLength(header)) return { lost: 'damaged' };
      return { lost: null, blob, period: await this.#vault.keyring.period(header.keyPeriodId) };
    } catch (error) {
      const lost = lossOf(error);
      if (lost === null) throw error;
      return { lost };
    }
  }
}

/**
 * Why a chunk is lost, for an error about it or about the key that it says it was sealed with: others may be good.
 * Null for an error that is about more than one chunk.
 */
export function lossOf(error: unknown): LostReason | null {
  if (!(error instanceof CofreError)) return null;
  if (error.code === 'unknown_format') return 'later-format';
  return ['damaged', 'wrong_key', 'untrusted', 'not_found'].includes(error.code) ? 'damaged' : null;
}

function refuse(problem: string): never {
  throw new CofreError('protocol', { problem });
}
