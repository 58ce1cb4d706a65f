import type { ByteWriter } from '../../encoding/byte-writer.ts';
import { RecordReader, RecordWriter } from '../../encoding/record.ts';
import { writeTime } from '../../encoding/time.ts';
import { CofreError } from '../../errors.ts';
import { sha256 } from '../../hash.ts';
import {
  CHUNK_ID_BYTES,
  RANDOM_ID_BYTES,
  type ChunkId,
  type DeviceId,
  type DomainId,
  type SetId,
  type SnapshotId,
  type TenantId,
} from '../../ids.ts';
import type { ByteReader } from '../../encoding/byte-reader.ts';

/**
 * The signed root of a snapshot, in the clear: what the server has to know in order to keep it whole.
 * Names (of the set, the computer, the folders) are in `sealedInfo`, which it can't open.
 */
export interface Manifest {
  readonly tenantId: TenantId;
  readonly deviceId: DeviceId;
  readonly domainId: DomainId;
  readonly setId: SetId;
  /** Counts from 1 for each device and set; a gap or a fork shows that something is being hidden. */
  readonly sequence: number;
  /** The manifest before this one of the same device and set. */
  readonly previous: SnapshotId | null;
  /** By the device's clock. */
  readonly startedNs: bigint;
  readonly finishedNs: bigint;
  readonly kind: SnapshotKind;
  /** What an incremental or differential run compared with. */
  readonly base: SnapshotId | null;
  /** False for a checkpoint of a run that was not finished. */
  readonly isComplete: boolean;
  readonly catalogRoot: ChunkId;
  readonly refset: RefsetCommitment;
  /** Snapshots that this one can't be restored without. */
  readonly requires: readonly SnapshotId[];
  /** Names of format features without which this must not be read. */
  readonly featuresRequired: readonly string[];
  readonly statistics: SnapshotStatistics;
  /** A whole blob of type `info`, holding a sealed `SnapshotInfo`. */
  readonly sealedInfo: Buffer;
}

export interface RefsetCommitment {
  readonly count: number;
  /** 32 bytes, hexadecimal: `RefsetHash.digest()`. */
  readonly digest: string;
}

export interface SnapshotStatistics {
  readonly files: number;
  readonly folders: number;
  readonly others: number;
  /** Length of all files. */
  readonly bytes: number;
  /** Entries that could not be read in this run. */
  readonly failed: number;
}

export const SNAPSHOT_KINDS = { full: 1, incremental: 2, differential: 3 } as const;
export type SnapshotKind = keyof typeof SNAPSHOT_KINDS;

const WHAT = 'A manifest';
const SNAPSHOT_ID_BYTES = 32;

/** The id of a snapshot: SHA-256 of the whole signed object that holds its manifest. */
export function snapshotIdOf(signedManifest: Uint8Array): SnapshotId {
  return sha256(signedManifest).toString('hex') as SnapshotId;
}

/** The payload of a signed object of kind `manifest`. */
export function encodeManifest(manifest: Manifest): Buffer {
  const record = new RecordWriter();
  record.hex(1, true, manifest.tenantId);
  record.hex(2, true, manifest.deviceId);
  record.hex(3, true, manifest.domainId);
  record.hex(4, true, manifest.setId);
  record.number(5, true, manifest.sequence);
  if (manifest.previous !== null) record.hex(6, true, manifest.previous);
  record.build(7, false, (target) => writeTime(target, manifest.startedNs));
  record.build(8, false, (target) => writeTime(target, manifest.finishedNs));
  record.number(9, true, SNAPSHOT_KINDS[manifest.kind]);
  if (manifest.base !== null) record.hex(10, false, manifest.base);
  record.number(11, true, manifest.isComplete ? 1 : 0);
  record.hex(12, true, manifest.catalogRoot);
  record.number(13, true, manifest.refset.count);
  record.hex(14, true, manifest.refset.digest);
  record.build(15, true, (target) => writeIds(target, manifest.requires));
  record.build(16, true, (target) => {
    for (const feature of manifest.featuresRequired) target.sized(Buffer.from(feature, 'utf8'));
  });
  record.build(17, false, (target) => writeStatistics(target, manifest.statistics));
  record.field(18, true, manifest.sealedInfo);
  return record.take();
}

/** @throws CofreError `damaged`, or `unknown_format` when a required feature is not known here */
export function decodeManifest(payload: Uint8Array): Manifest {
  const record = new RecordReader(payload, WHAT);
  // First of all: a feature may change what the other fields mean.
  const featuresRequired = readTexts(record.reader(16));
  for (const feature of featuresRequired) {
    throw new CofreError('unknown_format', { what: WHAT, problem: `it needs "${feature.slice(0, 40)}"` });
  }
  const manifest: Manifest = {
    tenantId: record.hex(1, RANDOM_ID_BYTES),
    deviceId: record.hex(2, RANDOM_ID_BYTES),
    domainId: record.hex(3, RANDOM_ID_BYTES),
    setId: record.hex(4, RANDOM_ID_BYTES),
    sequence: record.number(5),
    previous: record.optionalHex(6, SNAPSHOT_ID_BYTES),
    startedNs: record.time(7),
    finishedNs: record.time(8),
    kind: kindOf(record.number(9)),
    base: record.optionalHex(10, SNAPSHOT_ID_BYTES),
    isComplete: record.flag(11),
    catalogRoot: record.hex(12, CHUNK_ID_BYTES),
    refset: { count: record.number(13), digest: record.hex(14, 32) },
    requires: readIds(record.reader(15)),
    featuresRequired,
    statistics: readStatistics(record.reader(17)),
    sealedInfo: Buffer.from(record.required(18)),
  };
  record.close();
  return manifest;
}

function kindOf(code: number): SnapshotKind {
  const kind = (Object.keys(SNAPSHOT_KINDS) as SnapshotKind[]).find((name) => SNAPSHOT_KINDS[name] === code);
  if (kind === undefined) throw new CofreError('unknown_format', { what: WHAT, problem: `kind ${code}` });
  return kind;
}

function writeIds(target: ByteWriter, ids: readonly string[]): void {
  for (const id of ids) target.bytes(Buffer.from(id, 'hex'));
}

function readIds(reader: ByteReader): SnapshotId[] {
  const ids: SnapshotId[] = [];
  while (reader.remaining > 0) ids.push(reader.bytes(SNAPSHOT_ID_BYTES).toString('hex') as SnapshotId);
  return ids;
}

function readTexts(reader: ByteReader): string[] {
  const texts: string[] = [];
  while (reader.remaining > 0) texts.push(reader.sizedText(reader.remaining));
  return texts;
}

function writeStatistics(target: ByteWriter, statistics: SnapshotStatistics): void {
  const { files, folders, others, bytes, failed } = statistics;
  target.varint(files).varint(folders).varint(others).varint(bytes).varint(failed);
}

function readStatistics(reader: ByteReader): SnapshotStatistics {
  const [files, folders, others] = [reader.varint(), reader.varint(), reader.varint()];
  const statistics = { files, folders, others, bytes: reader.varint(), failed: reader.varint() };
  reader.expectEnd();
  return statistics;
}
