import { ByteReader } from '@cofre/shared/encoding/byte-reader';
import type { CatalogKey } from '@cofre/shared/catalog/catalog-key';
import type { Slice } from '@cofre/shared/format/entry';
import { CHUNK_ID_BYTES, type ChunkId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import { FINGERPRINT_BYTES } from '../fingerprint.ts';
import { RECORD_BYTES_MAX, type BlockWriter } from './record-blocks.ts';

/** What the last run of a set knew of one path, in catalog order. */
export interface CachedEntry {
  readonly key: CatalogKey;
  readonly fingerprint: Buffer;
  /** `encodeEntryMetadata` */
  readonly metadata: Buffer;
  /** Catalog path of the first name of a hard-linked object, '' where there is none. */
  readonly hardLinkTo: string;
  readonly slices: readonly Slice[];
}

/** What a slice takes at most. */
const SLICE_BYTES_MAX = CHUNK_ID_BYTES + 17;

/**
 * Writes entries as records. Each block can be read by itself; inside of one, keys share what they begin with, and
 * slices the chunk of the one before.
 */
export class CachedEntryWriter {
  private readonly blocks: BlockWriter;
  private previousKey = '';
  private previousId = '';

  constructor(blocks: BlockWriter) {
    this.blocks = blocks;
  }

  /** An entry that no block holds (a file of some terabytes) is left out, and read again next time. */
  add(entry: CachedEntry): void {
    const { key, fingerprint, metadata, hardLinkTo, slices } = entry;
    const bytesMax = key.length + metadata.length + hardLinkTo.length + slices.length * SLICE_BYTES_MAX;
    if (bytesMax > RECORD_BYTES_MAX) return;
    const { target } = this.blocks;
    if (this.blocks.isAtBlockStart) {
      this.previousKey = '';
      this.previousId = '';
    }
    const shared = sharedLength(this.previousKey, key);
    target.varint(shared).sizedLatin1(key.slice(shared));
    this.previousKey = key;
    target.bytes(fingerprint).sized(metadata).sizedLatin1(hardLinkTo);
    target.varint(slices.length);
    for (const { chunkId, offset, length } of slices) {
      const isSameChunk = chunkId === this.previousId;
      target.varint(isSameChunk ? 1 : 0);
      if (!isSameChunk) target.bytes(Buffer.from(chunkId, 'hex'));
      target.varint(offset).varint(length);
      this.previousId = chunkId;
    }
    this.blocks.endRecord();
  }
}

/** The entries of one block. @throws CofreError `damaged` for what no writer wrote */
export function* entriesOf(block: Buffer): Generator<CachedEntry> {
  const reader = new ByteReader(block, 'The cache');
  let previousKey = '';
  let previousId = '' as ChunkId;
  while (reader.remaining > 0) {
    const shared = reader.varint();
    const key = (previousKey.slice(0, shared) + reader.sizedLatin1(LIMITS.pathBytesMax)) as CatalogKey;
    previousKey = key;
    const fingerprint = reader.bytes(FINGERPRINT_BYTES);
    const metadata = reader.sized(LIMITS.entryBytesMax);
    const hardLinkTo = reader.sizedLatin1(LIMITS.pathBytesMax);
    const sliceCount = reader.varint();
    const slices: Slice[] = [];
    for (let index = 0; index < sliceCount; index++) {
      if (reader.varint() === 0) previousId = reader.bytes(CHUNK_ID_BYTES).toString('hex') as ChunkId;
      slices.push({ chunkId: previousId, offset: reader.varint(), length: reader.varint() });
    }
    yield { key, fingerprint, metadata, hardLinkTo, slices };
  }
}

function sharedLength(a: string, b: string): number {
  const lengthMax = Math.min(a.length, b.length);
  let shared = 0;
  while (shared < lengthMax && a.charCodeAt(shared) === b.charCodeAt(shared)) shared += 1;
  return shared;
}
