import type { ByteString } from '@cofre/shared/bytes';
import { catalogKey, pathOfKey } from '@cofre/shared/catalog/catalog-key';
import {
  decodeEntryMetadata,
  encodeEntryMetadata,
  type EntryMetadata,
} from '@cofre/shared/catalog/entry-codec';
import { hasLostContent, LOST_REASON } from '@cofre/shared/format/entry';
import type { ChunkId } from '@cofre/shared/ids';
import type { CachedEntry } from './cache/set-cache.ts';
import { kindOf, type FinishedEntry } from './entry-queue.ts';
import { linkCountOf, voided } from './fingerprint.ts';
import type { KnownEntries } from './known-entries.ts';
import { remainingContent } from './lost-content.ts';

export interface StaleEntriesParts {
  readonly cache: Pick<KnownEntries, 'find'> | null;
  readonly startedNs: bigint;
  /** Whether a chunk that a cached entry refers to is on the server. */
  readonly isThere: (chunkId: ChunkId) => boolean;
}

/**
 * Entries of the last run for what cannot be read in this one, marked as stale: since when, and why.
 *
 * What was a further name of an object may have lost its first one meanwhile, or that one may be something else by
 * now: so a stale name refers to another stale one of the same object, or carries the content itself.
 */
export class StaleEntries {
  private readonly parts: StaleEntriesParts;
  /** By the first name of an object in the last run: the name that carries its content in this one. */
  private readonly carriers = new Map<string, ByteString>();

  constructor(parts: StaleEntriesParts) {
    this.parts = parts;
  }

  /** Null when nobody knows what its content was. Content that the server lost is left out, and the entry says so. */
  of(cached: CachedEntry, reason: string): FinishedEntry | null {
    const path = pathOfKey(cached.key);
    if (cached.hardLinkTo !== '') {
      const carrier = this.carriers.get(cached.hardLinkTo);
      if (carrier !== undefined) return this.marked(cached, reason, carrier);
    }
    const content = this.contentOf(cached);
    if (content === null) return null;
    const marked = this.isWhole(content)
      ? this.marked({ ...content, key: cached.key }, reason, '' as ByteString)
      : this.withoutLost({ ...content, key: cached.key });
    if (marked !== null && linkCountOf(content.fingerprint) > 1) {
      this.carriers.set(pathOfKey(content.key), path);
    }
    return marked;
  }

  private isWhole({ slices }: CachedEntry): boolean {
    return slices.every(({ chunkId }) => this.parts.isThere(chunkId));
  }

  private withoutLost(cached: CachedEntry): FinishedEntry | null {
    const metadata = decodeEntryMetadata(cached.metadata);
    const remaining = remainingContent(metadata, cached.slices, this.parts.isThere);
    if (remaining === null) return null;
    const flags = { ...metadata.flags, placeholder: true };
    const left = { ...metadata, holes: remaining.holes, flags };
    return this.marked(
      { ...cached, metadata: encodeEntryMetadata(left), slices: remaining.slices },
      LOST_REASON,
      '' as ByteString,
    );
  }

  /** The entry that has the content: itself, or the first name of the object. */
  private contentOf(cached: CachedEntry): CachedEntry | null {
    if (cached.hardLinkTo === '') return cached;
    return this.parts.cache?.find(catalogKey(cached.hardLinkTo as ByteString)) ?? null;
  }

  private marked(cached: CachedEntry, reason: string, hardLinkTo: ByteString): FinishedEntry {
    const { hardLinkTo: _, ...metadata } = decodeEntryMetadata(cached.metadata);
    const sinceNs = metadata.flags?.stale?.sinceNs ?? this.parts.startedNs;
    // What was lost stays lost, whatever else stands in the way of reading the file.
    const stale = { sinceNs, reason: hasLostContent(metadata) ? LOST_REASON : reason };
    const flags = { ...metadata.flags, stale };
    const marked: EntryMetadata = { ...metadata, flags, ...(hardLinkTo === '' ? {} : { hardLinkTo }) };
    return {
      key: cached.key,
      fingerprint: voided(cached.fingerprint),
      metadata: encodeEntryMetadata(marked),
      hardLinkTo,
      slices: cached.slices,
      kind: kindOf(metadata.type),
      sizeBytes: metadata.size,
    };
  }
}
