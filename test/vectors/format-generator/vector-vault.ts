import { byteStringFromText, type ByteString } from '@cofre/shared/bytes';
import { catalogKey } from '@cofre/shared/catalog/catalog-key';
import { encodeEntryMetadata, type EntryMetadata } from '@cofre/shared/catalog/entry-codec';
import {
  encodeInner,
  encodeLeaf,
  encodeList,
  type ContentReference,
  type LeafItem,
} from '@cofre/shared/catalog/node';
import { openWithAge } from '@cofre/shared/crypto/age-sealing';
import { encodeDomainSecrets } from '@cofre/shared/crypto/domain-keys';
import { encodeKeyPeriod } from '@cofre/shared/crypto/key-period';
import { encodeManifest, snapshotIdOf } from '@cofre/shared/format/envelope/manifest';
import { encodeReceipt } from '@cofre/shared/format/envelope/receipt';
import { RefsetHash } from '@cofre/shared/format/envelope/refset-hash';
import { encodeRoster } from '@cofre/shared/format/envelope/roster';
import { encodeDomainObject, encodeKeyringObject } from '@cofre/shared/format/envelope/sealed-keys';
import { encodeSignedObject } from '@cofre/shared/format/envelope/signed-object';
import { encodeSnapshotInfo } from '@cofre/shared/format/snapshot-info';
import type { Slice } from '@cofre/shared/format/entry';
import { sha256 } from '@cofre/shared/hash';
import {
  DEVICE_ID,
  DOMAIN_ID,
  KEY_PERIOD_ID,
  SAMPLE_DOMAIN,
  SAMPLE_PERIOD,
  SMALL_ENTRY,
  TENANT_ID,
} from '../../builders/format-samples.ts';
import { packOf, sealVector, type BlobVector } from './vector-blobs.ts';
import { device, domain, recovery, SET_NAME } from './vector-keys.ts';
import { jsonFile, readVector, type VectorFiles } from './vector-files.ts';

/**
 * A whole vault with one snapshot: all that a reader needs to get the files back, and nothing else. The age files are
 * not made anew, because sealing is random: they are read, and have to open.
 */

const TIME_NS = 1_772_366_400_000_000_000n;
const HOUR_NS = 3_600_000_000_000n;

const PROSE = Buffer.from(
  `${'El veloz murciélago hindú comía feliz cardillo y kiwi.\n'.repeat(3)}hola\n${'x'.repeat(100)}\n`,
);
/** A frame of {@link PROSE}. */
const PROSE_FRAME = Buffer.from(
  '28b52ffd6018006502001404456c2076656c6f7a206d75726369c3a96c61676f2068696e64c3ba20636f6dc3ad612066656c697a206361726469' +
    '6c6c6f2079206b6977692e0a686f6c610a780a02000097168d3d5550',
  'hex',
);
const DIGITS = Buffer.from('0123456789');

/** A bundle of small files, compressed, and a chunk of its own. */
const bundle = sealVector({ about: 'a bundle', type: 'data', plaintext: PROSE, frame: PROSE_FRAME });
const digits = sealVector({ about: 'digits', type: 'data', plaintext: DIGITS });

const slice = (blob: BlobVector, offset: number, length: number): Slice => {
  return { chunkId: blob.chunkId, offset, length };
};
/** 130 digits: more slices than a leaf holds. */
const longList = encodeList({
  level: 0,
  slices: Array.from({ length: 130 }, (_, index) => slice(digits, index % 10, 1)),
});
const list = sealVector({ about: 'a list', type: 'list', ...longList });

function item(
  path: ByteString,
  entry: Partial<EntryMetadata>,
  content: ContentReference | Slice[] = [],
): LeafItem {
  const metadata = encodeEntryMetadata({
    ...SMALL_ENTRY,
    type: 'file',
    mode: 0o644,
    uid: 1000,
    gid: 1000,
    userName: 'ana',
    mtimeNs: TIME_NS + 1n,
    ...entry,
  });
  const reference: ContentReference = Array.isArray(content) ? { kind: 'slices', slices: content } : content;
  return { key: catalogKey(path), metadata, content: reference, namedStreams: [] };
}

const named = byteStringFromText;
const FOLDER = { type: 'directory', mode: 0o755 } as const;

const ITEMS: LeafItem[] = [
  item(named(''), { ...FOLDER, uid: 0, gid: 0, userName: 'root' }),
  item(named('casa'), FOLDER),
  item(named('casa/ana'), { ...FOLDER, mode: 0o700 }),
  item(named('casa/ana/a.txt'), { size: 174 }, [slice(bundle, 0, 174)]),
  item(named('casa/ana/again.txt'), { size: 174, hardLinkTo: named('casa/ana/a.txt') }),
  item(
    named('casa/ana/digits'),
    { size: 130 },
    { kind: 'list', list: { chunkId: list.chunkId, level: 0, length: 130 } },
  ),
  item(named('casa/ana/empty'), {}),
  item(named('casa/ana/hola ñ'), { size: 5, mode: 0o4755 }, [slice(bundle, 174, 5)]),
  item(named('casa/ana/link'), { type: 'symlink', mode: 0o777, linkTarget: '../\xff' as ByteString }),
  item(named('casa/ana/sparse'), { size: 4106, holes: [{ offset: 5, length: 4096 }] }, [
    slice(digits, 0, 5),
    slice(digits, 5, 5),
  ]),
  item(
    'casa/ana/\xff\n' as ByteString,
    { size: 10, xattrs: [{ name: named('user.note'), value: Buffer.from('hi') }] },
    [slice(digits, 0, 10)],
  ),
];

function node(about: string, encoded: { table: Buffer; plaintext: Buffer }): BlobVector {
  return sealVector({ about, type: 'catalog', ...encoded });
}

const leaves = [ITEMS.slice(0, 5), ITEMS.slice(5)] as const;
const leafNodes = leaves.map((items, index) => node(`leaf ${index}`, encodeLeaf(items)));
const root = node(
  'the root',
  encodeInner(
    leaves.map((items, index) => ({
      firstKey: (items[0] as LeafItem).key,
      chunkId: (leafNodes[index] as BlobVector).chunkId,
      entryCount: items.length,
    })),
  ),
);

const info = sealVector({
  about: 'the info',
  type: 'info',
  plaintext: encodeSnapshotInfo({
    setName: SET_NAME,
    hostName: 'casa',
    roots: [named('/casa/ana')],
    excludes: [],
    failures: [],
  }),
});

const CONTENT_BLOBS = [bundle, digits];
const CATALOG_BLOBS = [list, ...leafNodes, root];

function manifest(): Buffer {
  const refset = RefsetHash.empty();
  for (const { chunkId } of [...CONTENT_BLOBS, ...CATALOG_BLOBS]) refset.add(chunkId);
  const payload = encodeManifest({
    tenantId: TENANT_ID,
    deviceId: DEVICE_ID,
    domainId: DOMAIN_ID,
    setId: domain.setId(SET_NAME),
    sequence: 1,
    previous: null,
    startedNs: TIME_NS,
    finishedNs: TIME_NS + HOUR_NS,
    kind: 'full',
    base: null,
    isComplete: true,
    catalogRoot: root.chunkId,
    refset: { count: refset.count, digest: refset.digest().toString('hex') },
    requires: [],
    featuresRequired: [],
    statistics: { files: 7, folders: 3, others: 1, bytes: 4425, failed: 0 },
    sealedInfo: info.blob,
  });
  return encodeSignedObject('manifest', payload, device);
}

function roster(): Buffer {
  const payload = encodeRoster({
    tenantId: TENANT_ID,
    version: 1,
    previous: null,
    createdNs: TIME_NS - HOUR_NS,
    recipients: [recovery.age.recipient],
    devices: [
      {
        deviceId: DEVICE_ID,
        signingKey: device.publicKey.toString('hex'),
        inbox: recovery.age.recipient,
        domainId: DOMAIN_ID,
        isRevoked: false,
      },
    ],
    successor: null,
  });
  return encodeSignedObject('roster', payload, recovery.authority);
}

/** What the files have to be like when they are back. */
function expected() {
  const lines: [path: string, content: Buffer | null][] = [
    ['casa/ana/a.txt', PROSE.subarray(0, 174)],
    ['casa/ana/again.txt', PROSE.subarray(0, 174)],
    ['casa/ana/digits', Buffer.from('0123456789'.repeat(13))],
    ['casa/ana/empty', Buffer.alloc(0)],
    ['casa/ana/hola ñ', Buffer.from('hola\n')],
    ['casa/ana/sparse', Buffer.concat([Buffer.from('01234'), Buffer.alloc(4096), Buffer.from('56789')])],
  ];
  const files = lines.map(([path, content]) => ({ path: Buffer.from(path), content }));
  return { files: [...files, { path: Buffer.from('casa/ana/\xff\n', 'latin1'), content: DIGITS }] };
}

/** @throws when a sealed key does not open to what it has to */
export async function makeVaultVectors(): Promise<VectorFiles> {
  const sealedDomain = readVector('vault/domain.age.bin');
  const sealedPeriod = readVector('vault/key-period.age.bin');
  const { identity } = recovery.age;
  const opened = Buffer.concat([
    await openWithAge(sealedDomain, identity, 'the domain'),
    await openWithAge(sealedPeriod, identity, 'the key period'),
  ]);
  if (!opened.equals(Buffer.concat([encodeDomainSecrets(SAMPLE_DOMAIN), encodeKeyPeriod(SAMPLE_PERIOD)]))) {
    throw new Error('the age files of the vectors hold something else');
  }
  const owner = { deviceId: DEVICE_ID, domainId: DOMAIN_ID, createdNs: TIME_NS };
  const keyring = encodeKeyringObject({ ...owner, keyPeriodId: KEY_PERIOD_ID, sealed: sealedPeriod });
  const object = manifest();
  const receipt = {
    snapshotId: snapshotIdOf(object),
    receivedNs: TIME_NS + HOUR_NS,
    lockedUntilNs: TIME_NS + 2n * HOUR_NS,
  };
  return new Map([
    ['vault/domain.age.bin', sealedDomain],
    ['vault/key-period.age.bin', sealedPeriod],
    ['vault/roster.bin', roster()],
    [
      'vault/domain.bin',
      encodeSignedObject('domain', encodeDomainObject({ ...owner, sealed: sealedDomain }), device),
    ],
    ['vault/keyring.bin', encodeSignedObject('keyring', keyring, device)],
    ['vault/manifest.bin', object],
    ['vault/receipt.bin', encodeReceipt(receipt)],
    ['vault/pack-content.bin', packOf('content', CONTENT_BLOBS)],
    ['vault/pack-catalog.bin', packOf('catalog', CATALOG_BLOBS)],
    ['vault/expected.json', jsonFile({ snapshotId: sha256(object), ...expected() })],
  ]);
}
