import { ByteReader } from '@cofre/shared/encoding/byte-reader';
import { ByteWriter } from '@cofre/shared/encoding/byte-writer';
import type { Slice } from '@cofre/shared/format/entry';
import { CHUNK_ID_BYTES, type ChunkId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import { FINGERPRINT_BYTES } from '../fingerprint.ts';

/**
 * What a worker says of one file. It travels as bytes: a structured clone of many small objects costs more
 * than reading the files.
 */
export type FileResult = StoredFile | FailedFile;

export interface StoredFile {
  readonly kind: 'stored';
  readonly fingerprint: Buffer;
  /** `encodeEntryMetadata`; empty for a segment, whose file the main thread describes. */
  readonly metadata: Buffer;
  /** Empty, or what of its attributes could not be stored. */
  readonly attributeProblem: string;
  readonly slices: readonly Slice[];
  /** Length of the file. */
  readonly sizeBytes: number;
  readonly changedWhileRead: boolean;
  /** Another object had taken the path since the walk: this is that one. */
  readonly isReplaced: boolean;
}

export interface FailedFile {
  readonly kind: 'failed';
  /** Stable: `EACCES`, `vanished`, `replaced`, … */
  readonly reason: string;
}

const STORED = 1;
const CHANGED = 2;
const REPLACED = 4;
const FAILED = 8;

/** The results of a job as bytes of their own: each chunk id once, the files refer to it by its place. */
export function encodeJobResult(files: readonly FileResult[]): Uint8Array {
  const places = new Map<ChunkId, number>();
  const body = new ByteWriter(4096);
  for (const file of files) writeFile(body, places, file);
  const result = new ByteWriter(body.length + places.size * CHUNK_ID_BYTES + 16);
  result.varint(places.size);
  for (const id of places.keys()) result.bytes(Buffer.from(id, 'hex'));
  result.varint(files.length).bytes(body.view());
  return new Uint8Array(result.view());
}

/** What {@link encodeJobResult} was given. @throws CofreError `damaged`, which only a fault of ours can cause */
export function decodeJobResult(result: Uint8Array): FileResult[] {
  const reader = new ByteReader(result, 'A result of a worker');
  const ids: ChunkId[] = [];
  const idCount = reader.varint();
  for (let index = 0; index < idCount; index++) {
    ids.push(reader.bytes(CHUNK_ID_BYTES).toString('hex') as ChunkId);
  }
  const files: FileResult[] = [];
  const fileCount = reader.varint();
  for (let index = 0; index < fileCount; index++) files.push(readFile(reader, ids));
  return files;
}

function writeFile(body: ByteWriter, places: Map<ChunkId, number>, file: FileResult): void {
  if (file.kind === 'failed') {
    body.u8(FAILED).sized(Buffer.from(file.reason, 'utf8'));
    return;
  }
  const flags = (file.changedWhileRead ? CHANGED : 0) | (file.isReplaced ? REPLACED : 0);
  body
    .u8(STORED | flags)
    .bytes(file.fingerprint)
    .sized(file.metadata);
  body.sized(Buffer.from(file.attributeProblem, 'utf8'));
  body.varint(file.sizeBytes).varint(file.slices.length);
  for (const { chunkId, offset, length } of file.slices) {
    let place = places.get(chunkId);
    if (place === undefined) places.set(chunkId, (place = places.size));
    body.varint(place).varint(offset).varint(length);
  }
}

function readFile(reader: ByteReader, ids: readonly ChunkId[]): FileResult {
  const kind = reader.u8();
  if (kind === FAILED) return { kind: 'failed', reason: reader.sized(256).toString('utf8') };
  const fingerprint = reader.bytes(FINGERPRINT_BYTES);
  const metadata = reader.sized(LIMITS.entryBytesMax);
  const attributeProblem = reader.sized(256).toString('utf8');
  const sizeBytes = reader.varint();
  const sliceCount = reader.varint();
  const slices: Slice[] = [];
  for (let index = 0; index < sliceCount; index++) {
    const chunkId = ids[reader.varint()] ?? reader.refuse('a place outside the table');
    slices.push({ chunkId, offset: reader.varint(), length: reader.varint() });
  }
  const changedWhileRead = (kind & CHANGED) !== 0;
  const isReplaced = (kind & REPLACED) !== 0;
  return {
    kind: 'stored',
    fingerprint,
    metadata,
    attributeProblem,
    slices,
    sizeBytes,
    changedWhileRead,
    isReplaced,
  };
}
