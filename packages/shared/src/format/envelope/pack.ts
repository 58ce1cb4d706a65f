import { ByteReader } from '../../encoding/byte-reader.ts';
import { ByteWriter } from '../../encoding/byte-writer.ts';
import { CofreError } from '../../errors.ts';
import { sha256Of } from '../../hash.ts';
import { CHUNK_ID_BYTES, type ChunkId } from '../../ids.ts';
import { LIMITS } from '../../limits.ts';
import { BLOB_TYPES, type BlobType } from './blob.ts';

/**
 * A pack is a file of many blobs:
 *
 *     header   "CofrePk1" ‖ 8 zero bytes
 *     blobs    one behind the other, without gaps
 *     trailer  "CfT1" ‖ version u8 ‖ kind u8 ‖ 0 u16 ‖ count u32
 *              count × (chunk id 32 ‖ type u8 ‖ length u32 ‖ SHA-256 of the whole blob 32)
 *              SHA-256 32 of header and trailer up to here: the pack's hash
 *     end      trailer length u32 (from "CfT1" up to and including the hash) ‖ "CfE1"
 *
 * The hash covers the hashes of the blobs, so each byte is hashed once on each side, and scrubbing needs no
 * key. Content and catalogs are kept in packs apart, because they are read apart.
 */
export interface PackTrailer {
  readonly kind: PackKind;
  readonly entries: readonly PackEntry[];
}

export interface PackEntry {
  readonly chunkId: ChunkId;
  readonly type: BlobType;
  /** Whole length of the blob. */
  readonly length: number;
  /** SHA-256 of the whole blob. */
  readonly sha256: Buffer;
}

export const PACK_KINDS = { content: 1, catalog: 2 } as const;
export type PackKind = keyof typeof PACK_KINDS;

export const PACK_HEADER = Buffer.from('CofrePk1\0\0\0\0\0\0\0\0', 'latin1');
export const PACK_HEADER_BYTES = PACK_HEADER.length;
/** What follows the trailer: its length and a mark. */
export const PACK_END_BYTES = 8;
export const TRAILER_MAGIC = 0x31546643; // "CfT1"
const END_MAGIC = 0x31456643; // "CfE1"
const TRAILER_VERSION = 1;
/** What a trailer begins with, before its entries. */
export const TRAILER_FIXED_BYTES = 12;
/** A blob's entry in the trailer. */
export const PACK_ENTRY_BYTES = CHUNK_ID_BYTES + 1 + 4 + 32;
const HASH_BYTES = 32;

/** Bytes from the trailer's magic to the end of the file for `count` blobs. */
export function packTailLength(count: number): number {
  return trailerLength(count) + PACK_END_BYTES;
}

/** The tail of a pack (trailer and end), and the pack's hash. */
export function encodePackTail(trailer: PackTrailer): { tail: Buffer; packHash: Buffer } {
  const writer = new ByteWriter(trailer.entries.length * PACK_ENTRY_BYTES);
  for (const entry of trailer.entries) {
    writer.bytes(Buffer.from(entry.chunkId, 'hex')).u8(BLOB_TYPES[entry.type]);
    writer.u32(entry.length).bytes(entry.sha256);
  }
  return packTailOf(PACK_KINDS[trailer.kind], writer.take());
}

/**
 * The same from entries as they lie in a trailer, {@link PACK_ENTRY_BYTES} each: with it whoever has lost a tail finds
 * out whether what he put together is what was there, for the pack's hash tells.
 */
export function packTailOf(kindCode: number, entries: Buffer): { tail: Buffer; packHash: Buffer } {
  const count = entries.length / PACK_ENTRY_BYTES;
  const writer = new ByteWriter(packTailLength(count));
  writer.u32(TRAILER_MAGIC).u8(TRAILER_VERSION).u8(kindCode).u16(0).u32(count).bytes(entries);
  const packHash = sha256Of(PACK_HEADER, writer.view());
  writer.bytes(packHash);
  writer.u32(writer.length).u32(END_MAGIC);
  return { tail: writer.take(), packHash };
}

/** From the last {@link PACK_END_BYTES} of a pack: how long the tail is, end included. */
export function packTailLengthFromEnd(end: Buffer): number {
  const reader = new ByteReader(end, 'A pack');
  const length = reader.u32();
  if (reader.u32() !== END_MAGIC) reader.refuse('its end is cut off');
  if (length > trailerLength(LIMITS.packBlobsMax)) reader.refuse('its trailer is too long');
  return length + PACK_END_BYTES;
}

/**
 * Reads a tail and checks its own hash (not the blobs: their hashes are in the entries).
 * @throws CofreError `damaged` or `unknown_format`
 */
export function decodePackTail(tail: Buffer): PackTrailer & { readonly packHash: Buffer } {
  const reader = new ByteReader(tail, 'A pack');
  if (reader.u32() !== TRAILER_MAGIC) reader.refuse('its trailer does not begin like one');
  const version = reader.u8();
  const kindCode = reader.u8();
  const reserved = reader.u16();
  const kind = kindOf(kindCode);
  if (version !== TRAILER_VERSION || kind === null || reserved !== 0) {
    throw new CofreError('unknown_format', {
      what: 'A pack',
      problem: `version ${version}, kind ${kindCode}`,
    });
  }
  const count = reader.u32();
  if (count > LIMITS.packBlobsMax) reader.refuse(`${count} blobs`);
  const entryReader = reader.inner(count * PACK_ENTRY_BYTES);
  // First of all, so that what was changed is not taken for what a later version wrote.
  const packHash = sha256Of(PACK_HEADER, tail.subarray(0, reader.offset));
  if (!packHash.equals(reader.bytes(HASH_BYTES))) reader.refuse('its trailer does not match its hash');
  const entries: PackEntry[] = [];
  for (let index = 0; index < count; index++) entries.push(readEntry(entryReader));
  if (reader.u32() !== trailerLength(count) || reader.u32() !== END_MAGIC) reader.refuse('its end is wrong');
  reader.expectEnd();
  return { kind, entries, packHash };
}

function readEntry(reader: ByteReader): PackEntry {
  const chunkId = reader.bytes(CHUNK_ID_BYTES).toString('hex') as ChunkId;
  const typeCode = reader.u8();
  const type = (Object.keys(BLOB_TYPES) as BlobType[]).find((name) => BLOB_TYPES[name] === typeCode);
  if (type === undefined) {
    throw new CofreError('unknown_format', { what: 'A pack', problem: `a blob of type ${typeCode}` });
  }
  return { chunkId, type, length: reader.u32(), sha256: Buffer.from(reader.bytes(HASH_BYTES)) };
}

function kindOf(code: number): PackKind | null {
  return (Object.keys(PACK_KINDS) as PackKind[]).find((name) => PACK_KINDS[name] === code) ?? null;
}

function trailerLength(count: number): number {
  return TRAILER_FIXED_BYTES + count * PACK_ENTRY_BYTES + HASH_BYTES;
}
