import type { ByteString } from '@cofre/shared/bytes';
import { encodeEntryMetadata } from '@cofre/shared/catalog/entry-codec';
import { catalogKey } from '@cofre/shared/catalog/catalog-key';
import {
  encodeInner,
  encodeLeaf,
  encodeList,
  type EncodedNode,
  type InnerItem,
  type LeafItem,
  type ListNode,
} from '@cofre/shared/catalog/node';
import { encodeRetentionSetting } from '@cofre/server/vault/objects/retention-setting';
import { encodeTenantDescription } from '@cofre/server/vault/objects/tenant-description';
import { encodeTombstone } from '@cofre/server/vault/objects/tombstone';
import { encodeManifest } from '@cofre/shared/format/envelope/manifest';
import { encodeReadGrant } from '@cofre/shared/format/envelope/read-grant';
import { encodeReceipt } from '@cofre/shared/format/envelope/receipt';
import { RefsetHash } from '@cofre/shared/format/envelope/refset-hash';
import { encodeRoster } from '@cofre/shared/format/envelope/roster';
import { encodeDomainObject, encodeKeyringObject } from '@cofre/shared/format/envelope/sealed-keys';
import { encodeSignedObject, type SignedKind } from '@cofre/shared/format/envelope/signed-object';
import { encodeSnapshotInfo } from '@cofre/shared/format/snapshot-info';
import { sha256 } from '@cofre/shared/hash';
import type { ChunkId } from '@cofre/shared/ids';
import type { SigningKey } from '@cofre/shared/signature';
import { formatEnrolmentLine, type EnrolmentLine } from '@cofre/shared/wire/enrolment-line';
import {
  LOST_ENTRY,
  SAMPLE_DOMAIN_OBJECT,
  SAMPLE_ENTRY,
  SAMPLE_INFO,
  SAMPLE_KEYRING,
  SAMPLE_MANIFEST,
  SAMPLE_READ_GRANT,
  SAMPLE_RECEIPT,
  SAMPLE_ROSTER,
  SMALL_ENTRY,
  sampleChunkId,
  sampleSlices,
} from '../../builders/format-samples.ts';
import {
  SAMPLE_DESCRIPTION,
  SAMPLE_RETENTION,
  SAMPLE_TOMBSTONE,
} from '../../builders/server-record-samples.ts';
import { device, recovery } from './vector-keys.ts';

/** Objects of each kind with every field filled, signed by who signs them. */
export function makeObjectVectors() {
  const signed = (kind: SignedKind, value: unknown, payload: Buffer, key: SigningKey) => {
    return { kind, value, payload, signedBy: key.publicKey, object: encodeSignedObject(kind, payload, key) };
  };
  return [
    signed('roster', SAMPLE_ROSTER, encodeRoster(SAMPLE_ROSTER), recovery.authority),
    signed('manifest', SAMPLE_MANIFEST, encodeManifest(SAMPLE_MANIFEST), device),
    signed('keyring', SAMPLE_KEYRING, encodeKeyringObject(SAMPLE_KEYRING), device),
    signed('domain', SAMPLE_DOMAIN_OBJECT, encodeDomainObject(SAMPLE_DOMAIN_OBJECT), device),
    signed('readGrant', SAMPLE_READ_GRANT, encodeReadGrant(SAMPLE_READ_GRANT), recovery.authority),
  ];
}

/** Records that nobody signs by themselves. */
export function makeRecordVectors() {
  return {
    receipt: { value: SAMPLE_RECEIPT, bytes: encodeReceipt(SAMPLE_RECEIPT) },
    snapshotInfo: { value: SAMPLE_INFO, bytes: encodeSnapshotInfo(SAMPLE_INFO) },
    entryWithEveryField: { value: SAMPLE_ENTRY, bytes: encodeEntryMetadata(SAMPLE_ENTRY) },
    smallestEntry: { value: SMALL_ENTRY, bytes: encodeEntryMetadata(SMALL_ENTRY) },
    entryWithLostContent: { value: LOST_ENTRY, bytes: encodeEntryMetadata(LOST_ENTRY) },
    tenantDescription: { value: SAMPLE_DESCRIPTION, bytes: encodeTenantDescription(SAMPLE_DESCRIPTION) },
    retentionSetting: { value: SAMPLE_RETENTION, bytes: encodeRetentionSetting(SAMPLE_RETENTION) },
    tombstone: { value: SAMPLE_TOMBSTONE, bytes: encodeTombstone(SAMPLE_TOMBSTONE) },
  };
}

const path = (text: string): ByteString => text as ByteString;

const LEAF_ITEMS: LeafItem[] = [
  {
    key: catalogKey(path('home')),
    metadata: encodeEntryMetadata(SMALL_ENTRY),
    content: { kind: 'slices', slices: [] },
    namedStreams: [],
  },
  {
    key: catalogKey(path('home/ana')),
    metadata: encodeEntryMetadata({ ...SMALL_ENTRY, type: 'file', size: 300 }),
    content: {
      kind: 'slices',
      slices: [...sampleSlices(2), { chunkId: sampleChunkId(0), offset: 5, length: 297 }],
    },
    namedStreams: [
      { name: path('Zone.Identifier'), size: 1, content: { kind: 'slices', slices: sampleSlices(1, 2) } },
    ],
  },
  {
    key: catalogKey(path('home/andres')),
    metadata: encodeEntryMetadata({ ...SMALL_ENTRY, type: 'file', size: 1_000_000 }),
    content: { kind: 'list', list: { chunkId: sampleChunkId(9), level: 1, length: 1_000_000 } },
    namedStreams: [],
  },
];

const INNER_ITEMS: InnerItem[] = [
  { firstKey: catalogKey(path('')), chunkId: sampleChunkId(1), entryCount: 200 },
  { firstKey: catalogKey(path('home/ana/a.txt')), chunkId: sampleChunkId(2), entryCount: 1 },
  { firstKey: catalogKey(path('home/ana/z.txt')), chunkId: sampleChunkId(3), entryCount: 70_000 },
];

const LISTS: ListNode[] = [
  { level: 0, slices: sampleSlices(3) },
  {
    level: 1,
    slices: sampleSlices(2, 5).map((slice) => ({ ...slice, offset: 0, length: slice.length * 1e6 })),
  },
];

/** Nodes of each kind, with the table that belongs to them. */
export function makeNodeVectors() {
  const vector = (kind: string, value: unknown, { table, plaintext }: EncodedNode) => {
    const ids = (table.toString('hex').match(/.{64}/g) ?? []) as ChunkId[];
    return { kind, value, table: ids, plaintext };
  };
  return [
    vector('leaf', { kind: 'leaf', items: LEAF_ITEMS }, encodeLeaf(LEAF_ITEMS)),
    vector('leaf', { kind: 'leaf', items: [] }, encodeLeaf([])),
    vector('inner', { kind: 'inner', items: INNER_ITEMS }, encodeInner(INNER_ITEMS)),
    ...LISTS.map((list) => vector('list', list, encodeList(list))),
  ];
}

/** Sets of chunks, and what their hash is. */
export function makeRefsetVectors() {
  return [0, 1, 2, 1000].map((count) => {
    const hash = RefsetHash.empty();
    for (let number = 0; number < count; number++) hash.add(sampleChunkId(number));
    return {
      firstChunkId: sampleChunkId(0),
      count,
      stateBegins: hash.state().subarray(0, 16),
      digest: hash.digest(),
    };
  });
}

/** Keys of paths, in the order of a catalog. */
export function makeKeyOfPathVectors() {
  const paths = ['', 'home', 'home/ana', 'home/b\xff', 'home/ana/a.txt', 'home/ana/deep/er'];
  return paths.map((text) => ({
    path: Buffer.from(text, 'latin1'),
    key: Buffer.from(catalogKey(path(text)), 'latin1'),
  }));
}

/** Enrolment lines with a certificate, and without one on loopback. */
export function makeEnrolmentVectors() {
  const lines: EnrolmentLine[] = [
    {
      address: 'https://backup.example:8443',
      code: 'abcdefghijklmnopqrst2345',
      certificatePin: sha256(Buffer.from('a certificate')).toString('hex'),
    },
    { address: 'http://127.0.0.1:8080', code: 'abcdefghijklmnopqrst2345', certificatePin: null },
  ];
  return lines.map((value) => ({ value, line: formatEnrolmentLine(value) }));
}
