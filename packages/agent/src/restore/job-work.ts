import { openBlob } from '@cofre/shared/crypto/blob-cipher';
import type { DomainKeys } from '@cofre/shared/crypto/domain-keys';
import { periodKeys, type KeyPeriod, type PeriodKeys } from '@cofre/shared/crypto/key-period';
import type { KeyPeriodId } from '@cofre/shared/ids';
import { releaseMemory } from '@cofre/shared/release-memory';
import { lossOf, type FedChunk } from './chunk-feed.ts';
import { JobFiles } from './job-files.ts';
import type { LostChunk, LostReason, RestoreJob, RestoreJobResult } from './restore-job.ts';

/** Opens chunks with the keys of the periods that it was told. */
export class ChunkOpener {
  readonly #domain: DomainKeys;
  readonly #periods = new Map<KeyPeriodId, PeriodKeys>();

  constructor(domain: DomainKeys) {
    this.#domain = domain;
  }

  addPeriod(period: Pick<KeyPeriod, 'keyPeriodId' | 'secret'>): void {
    if (!this.#periods.has(period.keyPeriodId)) this.#periods.set(period.keyPeriodId, periodKeys(period));
  }

  /** The content, checked against the chunk's id, or why there is none. */
  open(blob: Buffer): Buffer | LostReason {
    try {
      return openBlob(blob, this.#domain, ({ keyPeriodId }) => this.#periods.get(keyPeriodId) ?? null);
    } catch (error) {
      const lost = lossOf(error);
      if (lost === null) throw error;
      return lost;
    }
  }
}

/**
 * A job while its chunks come in, one after the other: each is opened, written to all its places, and dropped.
 * A lost chunk costs the files that need it; they are left out, and nothing is left of them.
 */
export class JobWork {
  readonly #job: RestoreJob;
  readonly #opener: ChunkOpener;
  readonly #files: JobFiles;
  readonly #lostChunks: LostChunk[] = [];
  #bytesReceived = 0;
  #chunksTaken = 0;

  constructor(job: RestoreJob, opener: ChunkOpener) {
    this.#job = job;
    this.#opener = opener;
    this.#files = new JobFiles(job);
    this.#files.makeEmptyOnes();
  }

  /** Takes the next chunk: a blob whose period the opener knows, or why there is none. @throws CofreError `target_full` */
  take(chunk: Buffer | LostReason): void {
    const index = this.#chunksTaken++;
    if (typeof chunk === 'string') {
      this.#lose(index, chunk);
      return;
    }
    this.#bytesReceived += chunk.length;
    const content = this.#opener.open(chunk);
    if (typeof content === 'string') {
      this.#lose(index, content);
      return;
    }
    this.#files.write(index, content);
    // A chunk that was not compressed is a view of what was decrypted, and of nothing else.
    releaseMemory(content);
  }

  /** To be called when all chunks were taken. */
  finish(): RestoreJobResult {
    const { number } = this.#job;
    const [bytesReceived, lostChunks] = [this.#bytesReceived, this.#lostChunks];
    return { number, bytesReceived, files: this.#files.results(), lostChunks };
  }

  /** Removes what is not complete. */
  giveUp(): void {
    this.#files.giveUpOpen();
  }

  #lose(index: number, reason: LostReason): void {
    const chunkId = this.#job.chunkIds[index];
    if (chunkId !== undefined) this.#lostChunks.push({ chunkId, reason });
    this.#files.lose(index, reason);
  }
}

/** Does jobs. Chunks are handed in one by one; several jobs may be under way. */
export interface JobWorker {
  begin(job: RestoreJob): JobWriter;
  /** Gives up what is under way (nothing incomplete is left then) and ends. */
  close(): Promise<void>;
}

/** One job under way. */
export interface JobWriter {
  /** Resolves when the next chunk may be handed in. Rejects with what ends the restore. */
  write(chunk: FedChunk): Promise<void>;
  /** To be called when all chunks were handed in. */
  end(): Promise<RestoreJobResult>;
}
