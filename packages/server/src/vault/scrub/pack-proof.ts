import {
  decodePackTail,
  PACK_ENTRY_BYTES,
  packTailOf,
  type PackEntry,
} from '@cofre/shared/format/envelope/pack';

/** Entries that are hashed at most while it is tried which of trailer and blobs is right: some ten milliseconds. */
const TRIED_ENTRIES_MAX = 131_072;

export interface ProvenPack {
  readonly entries: readonly PackEntry[];
  /** Trailer and end as they were received. */
  readonly tail: Buffer;
}

/**
 * Finds out what a pack held when it was received: from its trailer, from what its blobs say and hash to, or from both
 * where each is altered in another place. The pack's hash, which the index has, tells what is right.
 * @param fromTrailer entries as the trailer has them, fixed length each
 * @param fromBlobs the same as the blobs give them, or null where a blob could not be read
 * @returns null when nothing gives that hash
 */
export function provePack(
  pack: { readonly kind: number; readonly hash: Uint8Array },
  fromTrailer: Buffer,
  fromBlobs: readonly (Buffer | null)[],
): ProvenPack | null {
  const candidate = Buffer.from(fromTrailer);
  const differing = fromBlobs
    .map((entry, place) => ({ entry, offset: place * PACK_ENTRY_BYTES }))
    .filter((item): item is { entry: Buffer; offset: number } => {
      const { entry, offset } = item;
      return entry !== null && !entry.equals(fromTrailer.subarray(offset, offset + PACK_ENTRY_BYTES));
    });
  const tryNow = (): ProvenPack | null => {
    const { tail, packHash } = packTailOf(pack.kind, candidate);
    return packHash.equals(pack.hash) ? { entries: decodePackTail(tail).entries, tail } : null;
  };
  // All from the blobs: whatever the number, as when the whole trailer is gone.
  for (const { entry, offset } of differing) entry.copy(candidate, offset);
  const rebuilt = tryNow();
  const triedEntries = 2 ** differing.length * (fromTrailer.length / PACK_ENTRY_BYTES);
  if (rebuilt !== null || differing.length === 0 || triedEntries > TRIED_ENTRIES_MAX) return rebuilt;
  for (let choice = 0; choice < 2 ** differing.length; choice++) {
    differing.forEach(({ entry, offset }, place) => {
      const isFromBlob = (choice & (1 << place)) !== 0;
      (isFromBlob ? entry : fromTrailer.subarray(offset, offset + PACK_ENTRY_BYTES)).copy(candidate, offset);
    });
    const proven = tryNow();
    if (proven !== null) return proven;
  }
  return null;
}
