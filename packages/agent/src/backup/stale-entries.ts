import type { ByteString } from '@cofre/shared/bytes';
import { catalogKey, pathOfKey } from '@cofre/shared/catalog/catalog-key';
import {
  decodeEntryMetadata,
  encodeEntryMetadata,
  type EntryMetadata,
} from '@cofre/shared/catalog/entry-codec';
import type { CachedEntry, SetCacheReader } from './cache/set-cache.ts';
import { kindOf, type FinishedEntry } from './entry-queue.ts';
import { linkCountOf, voided } from './fingerprint.ts';

export interface StaleEntriesParts {
  readonly cache: Pick<SetCacheReader, 'find'> | null;
  readonly startedNs: bigint;
  /** Whether everything that a cached entry refers to is on the server. */
  readonly isUsable: (entry: CachedEntry) => boolean;
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

  /** Null when its content is not on the server any more. */
  of(cached: CachedEntry, reason: string): FinishedEntry | null {
    const path = pathOfKey(cached.key);
    if (cached.hardLinkTo !== '') {
      const carrier = this.carriers.get(cached.hardLinkTo);
      if (carrier !== undefined) return this.marked(cached, reason, carrier);
    }
    const content = this.contentOf(cached);
    if (content === null || !this.parts.isUsable(content)) return null;
    if (linkCountOf(content.fingerprint) > 1) this.carriers.set(pathOfKey(content.key), path);
    return this.marked({ ...content, key: cached.key }, reason, '' as ByteString);
  }

  /** The entry that has the content: itself, or the first name of the object. */
  private contentOf(cached: CachedEntry): CachedEntry | null {
    if (cached.hardLinkTo === '') return cached;
    return this.parts.cache?.find(catalogKey(cached.hardLinkTo as ByteString)) ?? null;
  }

  private marked(cached: CachedEntry, reason: string, hardLinkTo: ByteString): FinishedEntry {
    const { hardLinkTo: _, ...metadata } = decodeEntryMetadata(cached.metadata);
    const sinceNs = metadata.flags?.stale?.sinceNs ?? this.parts.startedNs;
    const flags = { ...metadata.flags, stale: { sinceNs, reason } };
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
