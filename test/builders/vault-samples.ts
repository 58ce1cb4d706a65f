import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  BLOB_NONCE_BYTES,
  BLOB_TAG_BYTES,
  SUITE_1,
  blobLength,
  sealedOffset,
  writeBlobHeader,
  type BlobType,
} from '@cofre/shared/format/envelope/blob';
import { encodeManifest, snapshotIdOf, type Manifest } from '@cofre/shared/format/envelope/manifest';
import { encodePackTail, PACK_HEADER, type PackKind } from '@cofre/shared/format/envelope/pack';
import { RefsetHash } from '@cofre/shared/format/envelope/refset-hash';
import { encodeRoster, type RosterDevice } from '@cofre/shared/format/envelope/roster';
import { encodeDomainObject, encodeKeyringObject } from '@cofre/shared/format/envelope/sealed-keys';
import { encodeSignedObject } from '@cofre/shared/format/envelope/signed-object';
import { sha256 } from '@cofre/shared/hash';
import {
  CHUNK_ID_BYTES,
  newRandomId,
  type ChunkId,
  type DeviceId,
  type DomainId,
  type KeyPeriodId,
  type SetId,
  type SnapshotId,
  type TenantId,
} from '@cofre/shared/ids';
import { signingKeyFromSeed, type SigningKey } from '@cofre/shared/signature';
import type { Caller, IncomingPack } from '@cofre/server/vault/vault';

/** A device as a vault meets it: what it "seals" is random, which a server can't tell from the real thing. */
export interface SampleDevice {
  readonly tenantId: TenantId;
  readonly deviceId: DeviceId;
  readonly domainId: DomainId;
  readonly setId: SetId;
  readonly keyPeriodId: KeyPeriodId;
  readonly key: SigningKey;
  readonly caller: Caller;
}

export interface SampleBlob {
  readonly chunkId: ChunkId;
  readonly type: BlobType;
  readonly bytes: Buffer;
}

/** @param seed of its signing key, 32 bytes */
export function sampleDevice(tenantId: TenantId, seed: Uint8Array = randomBytes(32)): SampleDevice {
  const key = signingKeyFromSeed(seed);
  const deviceId = newRandomId<DeviceId>();
  return {
    tenantId,
    deviceId,
    domainId: newRandomId<DomainId>(),
    setId: newRandomId<SetId>(),
    keyPeriodId: newRandomId<KeyPeriodId>(),
    key,
    caller: { deviceId, signingKey: key.publicKey.toString('hex'), readsTenant: false },
  };
}

export function sampleDomainObject({ domainId, deviceId, key }: SampleDevice): Buffer {
  const payload = encodeDomainObject({ domainId, deviceId, createdNs: 0n, sealed: randomBytes(100) });
  return encodeSignedObject('domain', payload, key);
}

export function sampleKeyringObject(
  { domainId, deviceId, key }: SampleDevice,
  keyPeriodId: KeyPeriodId,
): Buffer {
  const sealed = randomBytes(100);
  const payload = encodeKeyringObject({ keyPeriodId, deviceId, domainId, createdNs: 0n, sealed });
  return encodeSignedObject('keyring', payload, key);
}

export function sampleRoster(
  authority: SigningKey,
  tenantId: TenantId,
  devices: readonly (SampleDevice & { readonly isRevoked?: boolean })[],
  after: { version: number; previous: string | null } = { version: 0, previous: null },
): Buffer {
  const members: RosterDevice[] = devices.map(({ deviceId, domainId, key, isRevoked }) => ({
    deviceId,
    domainId,
    signingKey: key.publicKey.toString('hex'),
    inbox: 'age1pq1sample',
    isRevoked: isRevoked ?? false,
  }));
  const payload = encodeRoster({
    tenantId,
    version: after.version + 1,
    previous: after.previous,
    createdNs: 0n,
    recipients: ['age1pq1sample'],
    devices: members,
    successor: null,
  });
  return encodeSignedObject('roster', payload, authority);
}

/** A blob with random content, and ids in its table when it is a node. */
export function sampleBlob(
  device: SampleDevice,
  options: { type?: BlobType; sealedLength?: number; table?: readonly ChunkId[]; chunkId?: ChunkId } = {},
): SampleBlob {
  const { type = 'data', sealedLength = 1000, table = [] } = options;
  const chunkId = options.chunkId ?? (randomBytes(CHUNK_ID_BYTES).toString('hex') as ChunkId);
  const header = {
    suite: SUITE_1,
    type,
    domainId: device.domainId,
    keyPeriodId: device.keyPeriodId,
    chunkId,
    tableCount: table.length,
    sealedLength,
  };
  const bytes = Buffer.alloc(blobLength(header));
  writeBlobHeader(bytes, 0, header);
  table.forEach((id, index) => bytes.write(id, sealedOffset(index), 'hex'));
  randomBytes(BLOB_NONCE_BYTES + sealedLength + BLOB_TAG_BYTES).copy(bytes, sealedOffset(table.length));
  return { chunkId, type, bytes };
}

export function samplePack(blobs: readonly SampleBlob[], kind: PackKind = 'content'): Buffer {
  const entries = blobs.map(({ chunkId, type, bytes }) => ({
    chunkId,
    type,
    length: bytes.length,
    sha256: sha256(bytes),
  }));
  const { tail } = encodePackTail({ kind, entries });
  return Buffer.concat([PACK_HEADER, ...blobs.map(({ bytes }) => bytes), tail]);
}

/** A pack as http hands it over, cut into pieces of `pieceBytes`. */
export function incomingPack(
  pack: Buffer,
  operationId: string = newRandomId(),
  pieceBytes = 64 * 1024,
): IncomingPack {
  function* pieces(): Generator<Buffer> {
    for (let start = 0; start < pack.length; start += pieceBytes) {
      yield pack.subarray(start, start + pieceBytes);
    }
  }
  return { operationId, lengthBytes: pack.length, body: Readable.from(pieces(), { objectMode: false }) };
}

/** Ids ascending and packed, as they are staged. */
export function ascendingIds(ids: Iterable<ChunkId>): Buffer {
  return Buffer.from([...ids].sort().join(''), 'hex');
}

export interface SampleSnapshot {
  readonly snapshotId: SnapshotId;
  readonly object: Buffer;
  readonly manifest: Manifest;
}

/** A signed manifest of these ids, following `previous`. */
export function sampleSnapshot(
  device: SampleDevice,
  refs: Iterable<ChunkId>,
  catalogRoot: ChunkId,
  previous: SampleSnapshot | null = null,
  changes: Partial<Manifest> = {},
): SampleSnapshot {
  const hash = RefsetHash.empty();
  for (const id of refs) hash.add(id);
  const manifest: Manifest = {
    tenantId: device.tenantId,
    deviceId: device.deviceId,
    domainId: device.domainId,
    setId: device.setId,
    sequence: (previous?.manifest.sequence ?? 0) + 1,
    previous: previous?.snapshotId ?? null,
    startedNs: 1n,
    finishedNs: 2n,
    kind: previous === null ? 'full' : 'incremental',
    base: previous?.snapshotId ?? null,
    isComplete: true,
    catalogRoot,
    refset: { count: hash.count, digest: hash.digest().toString('hex') },
    requires: [],
    featuresRequired: [],
    statistics: { files: 1, folders: 1, others: 0, bytes: 1, failed: 0 },
    sealedInfo: randomBytes(64),
    ...changes,
  };
  const object = encodeSignedObject('manifest', encodeManifest(manifest), device.key);
  return { object, manifest, snapshotId: snapshotIdOf(object) };
}
