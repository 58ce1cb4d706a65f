import { isSealedIntact, sealBlob, type PreparedBlob } from '@cofre/shared/crypto/blob-cipher';
import type { DomainKeys } from '@cofre/shared/crypto/domain-keys';
import type { PeriodKeys } from '@cofre/shared/crypto/key-period';
import { CofreError } from '@cofre/shared/errors';
import {
  encodePackTail,
  PACK_HEADER,
  PACK_HEADER_BYTES,
  type PackEntry,
  type PackKind,
} from '@cofre/shared/format/envelope/pack';
import { sha256 } from '@cofre/shared/hash';
import { LIMITS } from '@cofre/shared/limits';
import { releaseMemory } from '@cofre/shared/release-memory';

/**
 * Fills a buffer with sealed blobs. Each is opened again and compared with its source as soon as it is
 * sealed: what leaves this computer can be restored.
 */
export class PackBuilder {
  private readonly buffer: Buffer;
  private readonly kind: PackKind;
  private readonly domain: DomainKeys;
  private readonly period: PeriodKeys;
  private readonly entries: PackEntry[] = [];
  private used = PACK_HEADER_BYTES;

  constructor(buffer: Buffer, kind: PackKind, domain: DomainKeys, period: PeriodKeys) {
    this.buffer = buffer;
    this.kind = kind;
    this.domain = domain;
    this.period = period;
    PACK_HEADER.copy(buffer);
  }

  get isEmpty(): boolean {
    return this.entries.length === 0;
  }

  hasRoom(lengthBytes: number): boolean {
    return this.used + lengthBytes <= this.buffer.length && this.entries.length < LIMITS.packBlobsMax;
  }

  /** Seals into the pack, which has room. @throws CofreError `internal` when it does not open again */
  add(prepared: PreparedBlob): void {
    const { chunkId, type, plaintext } = prepared.content;
    const end = this.used + prepared.lengthBytes;
    sealBlob(this.buffer, this.used, prepared, this.domain, this.period);
    const blob = this.buffer.subarray(this.used, end);
    if (!isSealedIntact(blob, plaintext, this.period)) {
      throw new CofreError('internal', { problem: 'a sealed piece did not open again' });
    }
    if (prepared.payload.body !== plaintext) releaseMemory(prepared.payload.body);
    this.entries.push({ chunkId, type, length: prepared.lengthBytes, sha256: sha256(blob) });
    this.used = end;
  }

  /** The pack, in two parts: what is in the buffer, and its tail. */
  finish(): { readonly usedBytes: number; readonly tail: Buffer; readonly blobs: number } {
    const { tail } = encodePackTail({ kind: this.kind, entries: this.entries });
    return { usedBytes: this.used, tail, blobs: this.entries.length };
  }
}
