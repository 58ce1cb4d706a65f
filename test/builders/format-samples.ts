import type { ByteString } from '@cofre/shared/bytes';
import { byteStringFromText } from '@cofre/shared/bytes';
import type { DomainSecrets } from '@cofre/shared/crypto/domain-keys';
import type { KeyPeriod } from '@cofre/shared/crypto/key-period';
import type { Entry, Slice } from '@cofre/shared/format/entry';
import type { Manifest } from '@cofre/shared/format/envelope/manifest';
import type { ReadGrant } from '@cofre/shared/format/envelope/read-grant';
import type { Receipt } from '@cofre/shared/format/envelope/receipt';
import type { Roster } from '@cofre/shared/format/envelope/roster';
import type { DomainObject, KeyringObject } from '@cofre/shared/format/envelope/sealed-keys';
import type { SnapshotInfo } from '@cofre/shared/format/snapshot-info';
import type {
  ChunkId,
  DeviceId,
  DomainId,
  KeyPeriodId,
  SetId,
  SnapshotId,
  TenantId,
} from '@cofre/shared/ids';

/** One of everything, with every field filled, always the same. The frozen vectors are made of them. */

export const TENANT_ID = '10'.repeat(16) as TenantId;
export const DEVICE_ID = '20'.repeat(16) as DeviceId;
export const DOMAIN_ID = '30'.repeat(16) as DomainId;
export const SET_ID = '40'.repeat(16) as SetId;
export const KEY_PERIOD_ID = '50'.repeat(16) as KeyPeriodId;

/** A chunk id that can be told from others at a glance. */
export function sampleChunkId(number: number): ChunkId {
  return number.toString(16).padStart(4, '0').repeat(16) as ChunkId;
}

function sampleSnapshotId(number: number): SnapshotId {
  return sampleChunkId(number) as string as SnapshotId;
}

/** 2026-03-01T12:00:00.123456789Z */
const TIME_NS = 1_772_366_400_123_456_789n;

export const SAMPLE_DOMAIN: DomainSecrets = {
  domainId: DOMAIN_ID,
  idSecret: Buffer.alloc(32, 0x31),
  cutSecret: Buffer.alloc(32, 0x32),
  chunker: { chunkerId: 1, bytesMin: 262_144, bytesAverage: 1_048_576, bytesMax: 4_194_304 },
};

export const SAMPLE_PERIOD: KeyPeriod = {
  keyPeriodId: KEY_PERIOD_ID,
  deviceId: DEVICE_ID,
  domainId: DOMAIN_ID,
  secret: Buffer.alloc(32, 0x51),
};

export const SAMPLE_MANIFEST: Manifest = {
  tenantId: TENANT_ID,
  deviceId: DEVICE_ID,
  domainId: DOMAIN_ID,
  setId: SET_ID,
  sequence: 2,
  previous: sampleSnapshotId(0x6001),
  startedNs: TIME_NS,
  finishedNs: TIME_NS + 61_000_000_001n,
  kind: 'differential',
  base: sampleSnapshotId(0x6000),
  isComplete: false,
  catalogRoot: sampleChunkId(0x7001),
  refset: { count: 3, digest: '80'.repeat(32) },
  requires: [sampleSnapshotId(0x6000), sampleSnapshotId(0x6001)],
  featuresRequired: [],
  statistics: { files: 300, folders: 20, others: 1, bytes: 5_000_000_000, failed: 2 },
  sealedInfo: Buffer.from('stands for a blob of type info'),
};

export const SAMPLE_ROSTER: Roster = {
  tenantId: TENANT_ID,
  version: 3,
  previous: '90'.repeat(32),
  createdNs: TIME_NS,
  recipients: ['age1pq1recipient', 'age1pq1other'],
  devices: [
    {
      deviceId: DEVICE_ID,
      signingKey: 'a0'.repeat(32),
      inbox: 'age1pq1inbox',
      domainId: DOMAIN_ID,
      isRevoked: false,
    },
    {
      deviceId: '21'.repeat(16) as DeviceId,
      signingKey: 'a1'.repeat(32),
      inbox: 'age1pq1second',
      domainId: '31'.repeat(16) as DomainId,
      isRevoked: true,
    },
  ],
  successor: 'b0'.repeat(32),
};

export const SAMPLE_KEYRING: KeyringObject = {
  keyPeriodId: KEY_PERIOD_ID,
  deviceId: DEVICE_ID,
  domainId: DOMAIN_ID,
  createdNs: TIME_NS,
  sealed: Buffer.from('stands for an age file'),
};

export const SAMPLE_DOMAIN_OBJECT: DomainObject = {
  domainId: DOMAIN_ID,
  deviceId: DEVICE_ID,
  createdNs: TIME_NS,
  sealed: Buffer.from('stands for an age file'),
};

export const SAMPLE_READ_GRANT: ReadGrant = {
  tenantId: TENANT_ID,
  deviceId: DEVICE_ID,
  expiresNs: TIME_NS,
};

export const SAMPLE_RECEIPT: Receipt = {
  snapshotId: sampleSnapshotId(0x6002),
  receivedNs: TIME_NS,
  lockedUntilNs: TIME_NS + 604_800_000_000_000n,
};

export const SAMPLE_INFO: SnapshotInfo = {
  setName: 'documents',
  hostName: 'casa',
  roots: [byteStringFromText('/casa/ana'), '/srv/\xff' as ByteString],
  excludes: ['*.tmp', 'señal/'],
  failures: [{ path: byteStringFromText('home/ana/secret'), reason: 'EACCES' }],
};

type Metadata = Omit<Entry, 'content' | 'namedStreams'>;

/** An entry with every field that there is; no real one has them all. */
export const SAMPLE_ENTRY: Metadata = {
  type: 'file',
  mode: 0o4755,
  uid: 1000,
  gid: 4_294_967_294,
  userName: 'ana',
  groupName: 'señal',
  mtimeNs: TIME_NS,
  atimeNs: -1n,
  birthtimeNs: 0n,
  size: 10_000_000_000,
  xattrs: [
    { name: byteStringFromText('security.capability'), value: Buffer.from('0100000200040000', 'hex') },
    { name: byteStringFromText('user.empty'), value: Buffer.alloc(0) },
  ],
  linkTarget: '../\xff' as ByteString,
  hardLinkTo: byteStringFromText('home/ana/first'),
  device: { major: 8, minor: 1 },
  holes: [
    { offset: 0, length: 4096 },
    { offset: 1_048_576, length: 9_000_000_000 },
  ],
  flags: { changedWhileRead: true, placeholder: true, stale: { sinceNs: TIME_NS, reason: 'EACCES' } },
  windowsAttributes: 0x20,
  securityDescriptor: Buffer.from('01000480', 'hex'),
  nameEncoding: 'utf16le',
};

/** As little as an entry can have. */
export const SMALL_ENTRY: Metadata = { type: 'directory', mode: 0, uid: 0, gid: 0, mtimeNs: 0n, size: 0 };

/** A file of which everything was lost on the server, and could not be read again. */
export const LOST_ENTRY: Metadata = {
  type: 'file',
  mode: 0o644,
  uid: 1000,
  gid: 1000,
  mtimeNs: TIME_NS,
  size: 5000,
  holes: [{ offset: 0, length: 5000 }],
  flags: { placeholder: true, stale: { sinceNs: TIME_NS, reason: 'lost' } },
};

/** `count` slices of chunks of their own. */
export function sampleSlices(count: number, first = 0): Slice[] {
  return Array.from({ length: count }, (_, index) => ({
    chunkId: sampleChunkId(first + index),
    offset: index,
    length: index + 1,
  }));
}
