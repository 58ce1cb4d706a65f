import { readdirSync } from 'node:fs';
import { bytesFromByteString, type ByteString } from '@cofre/shared/bytes';
import { catalogKey, pathOfKey, type CatalogKey } from '@cofre/shared/catalog/catalog-key';
import { decodeEntryMetadata, encodeEntryMetadata } from '@cofre/shared/catalog/entry-codec';
import {
  decodeCatalogNode,
  decodeList,
  encodeInner,
  encodeLeaf,
  encodeList,
  type CatalogNode,
} from '@cofre/shared/catalog/node';
import { openBlob } from '@cofre/shared/crypto/blob-cipher';
import { decodeDomainSecrets, encodeDomainSecrets } from '@cofre/shared/crypto/domain-keys';
import { decodeKeyPeriod, encodeKeyPeriod } from '@cofre/shared/crypto/key-period';
import { parseKit } from '@cofre/shared/crypto/kit';
import { readBlobHeader, readBlobTable, type BlobType } from '@cofre/shared/format/envelope/blob';
import { decodeManifest, encodeManifest } from '@cofre/shared/format/envelope/manifest';
import { decodePackTail, packTailLengthFromEnd } from '@cofre/shared/format/envelope/pack';
import { decodeReadGrant, encodeReadGrant } from '@cofre/shared/format/envelope/read-grant';
import { decodeReceipt, encodeReceipt } from '@cofre/shared/format/envelope/receipt';
import { decodeRoster, encodeRoster } from '@cofre/shared/format/envelope/roster';
import {
  decodeDomainObject,
  decodeKeyringObject,
  encodeDomainObject,
  encodeKeyringObject,
} from '@cofre/shared/format/envelope/sealed-keys';
import {
  encodeSignedObject,
  openSignedObject,
  type SignedKind,
} from '@cofre/shared/format/envelope/signed-object';
import { decodePayload } from '@cofre/shared/format/payload';
import { decodeSnapshotInfo, encodeSnapshotInfo } from '@cofre/shared/format/snapshot-info';
import type { ChunkId } from '@cofre/shared/ids';
import {
  formatEnrolmentLine,
  parseEnrolmentLine,
  type EnrolmentLine,
} from '@cofre/shared/wire/enrolment-line';
import {
  decodeRetentionSetting,
  encodeRetentionSetting,
} from '@cofre/server/vault/objects/retention-setting';
import {
  decodeTenantDescription,
  encodeTenantDescription,
} from '@cofre/server/vault/objects/tenant-description';
import { decodeTombstone, encodeTombstone } from '@cofre/server/vault/objects/tombstone';
import { PackChecker, type CheckedPack } from '@cofre/server/vault/receive/pack-checker';
import { describe, expect, test } from 'vitest';
import { DOMAIN_ID } from '../builders/format-samples.ts';
import { flippedBits, refusalOf } from '../builders/hostile-bytes.ts';
import { makeFormatVectors } from './format-generator/format-vectors.ts';
import { plain, readJsonVector, readVector, VECTOR_FOLDER } from './format-generator/vector-files.ts';
import { device, domain, period, recovery, RECOVERY_SECRET } from './format-generator/vector-keys.ts';

const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex');

describe('the frozen vectors', () => {
  test('are what this code makes, byte for byte, and nothing else lies beside them', async () => {
    const made = await makeFormatVectors();
    const kept = readdirSync(VECTOR_FOLDER, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => `${entry.parentPath}/${entry.name}`.slice(VECTOR_FOLDER.length + 1));
    expect(kept.toSorted()).toEqual([...made.keys()].toSorted());
    for (const [name, content] of made)
      expect([name, content.equals(readVector(name))]).toEqual([name, true]);
  });
});

interface BlobVector {
  readonly about: string;
  readonly type: BlobType;
  readonly chunkId: string;
  readonly table: readonly string[];
  readonly plaintext: string;
  readonly payload: string;
  readonly blob: string;
}

describe.each(readJsonVector<BlobVector[]>('blobs.json'))('blob: $about', (vector) => {
  const blob = bytes(vector.blob);

  test('opens to its content', () => {
    expect(openBlob(blob, domain, () => period).toString('hex')).toBe(vector.plaintext);
    expect(decodePayload(bytes(vector.payload)).toString('hex')).toBe(vector.plaintext);
  });

  test('says in the clear what the server has to know', () => {
    const header = readBlobHeader(blob);
    expect([header.type, header.chunkId, header.domainId]).toEqual([vector.type, vector.chunkId, DOMAIN_ID]);
    expect(readBlobTable(blob, header)).toEqual(vector.table);
  });
});

interface Codec<Value> {
  readonly decode: (bytes: Uint8Array) => Value;
  readonly encode: (value: Value) => Buffer;
}

interface Format {
  readonly plainOf: (encoded: Buffer) => unknown;
  readonly encodeAgain: (encoded: Buffer) => Buffer;
}

function format<Value>({ decode, encode }: Codec<Value>): Format {
  return { plainOf: (encoded) => plain(decode(encoded)), encodeAgain: (encoded) => encode(decode(encoded)) };
}

const SIGNED_FORMATS: Readonly<Record<SignedKind, Format>> = {
  roster: format({ decode: decodeRoster, encode: encodeRoster }),
  manifest: format({ decode: decodeManifest, encode: encodeManifest }),
  keyring: format({ decode: decodeKeyringObject, encode: encodeKeyringObject }),
  domain: format({ decode: decodeDomainObject, encode: encodeDomainObject }),
  readGrant: format({ decode: decodeReadGrant, encode: encodeReadGrant }),
};

interface ObjectVector {
  readonly kind: SignedKind;
  readonly value: unknown;
  readonly payload: string;
  readonly signedBy: string;
  readonly object: string;
}

describe.each(readJsonVector<ObjectVector[]>('objects.json'))('signed object: $kind', (vector) => {
  const { plainOf, encodeAgain } = SIGNED_FORMATS[vector.kind];

  test('opens to its payload, which says what it should', () => {
    const payload = openSignedObject(bytes(vector.object), vector.kind, bytes(vector.signedBy));
    expect(payload.toString('hex')).toBe(vector.payload);
    expect(plainOf(payload)).toEqual(vector.value);
  });

  test('is written in one way', () => {
    expect(encodeAgain(bytes(vector.payload)).toString('hex')).toBe(vector.payload);
    const key = [device, recovery.authority].find(
      ({ publicKey }) => publicKey.toString('hex') === vector.signedBy,
    );
    if (key === undefined) throw new Error('nobody signed it');
    expect(encodeSignedObject(vector.kind, bytes(vector.payload), key).toString('hex')).toBe(vector.object);
  });
});

interface RecordVector {
  readonly value: unknown;
  readonly bytes: string;
}

const RECORD_FORMATS: Readonly<Record<string, Format>> = {
  receipt: format({ decode: decodeReceipt, encode: encodeReceipt }),
  snapshotInfo: format({ decode: decodeSnapshotInfo, encode: encodeSnapshotInfo }),
  entryWithEveryField: format({ decode: decodeEntryMetadata, encode: encodeEntryMetadata }),
  smallestEntry: format({ decode: decodeEntryMetadata, encode: encodeEntryMetadata }),
  entryWithLostContent: format({ decode: decodeEntryMetadata, encode: encodeEntryMetadata }),
  tenantDescription: format({ decode: decodeTenantDescription, encode: encodeTenantDescription }),
  retentionSetting: format({ decode: decodeRetentionSetting, encode: encodeRetentionSetting }),
  tombstone: format({ decode: decodeTombstone, encode: encodeTombstone }),
};

describe.each(Object.entries(readJsonVector<Record<string, RecordVector>>('records.json')))(
  'record: %s',
  (name, vector) => {
    test('gives its value, and is written in one way', () => {
      const known = RECORD_FORMATS[name] as Format;
      expect(known.plainOf(bytes(vector.bytes))).toEqual(vector.value);
      expect(known.encodeAgain(bytes(vector.bytes)).toString('hex')).toBe(vector.bytes);
    });
  },
);

test('the secrets of domain and period give their values, and are written in one way', () => {
  const keys = readJsonVector<{
    domain: { record: string; idSecret: string };
    period: { record: string; secret: string };
  }>('keys.json');
  const secrets = decodeDomainSecrets(bytes(keys.domain.record));
  expect(secrets.idSecret.toString('hex')).toBe(keys.domain.idSecret);
  expect(encodeDomainSecrets(secrets).toString('hex')).toBe(keys.domain.record);
  const keyPeriod = decodeKeyPeriod(bytes(keys.period.record));
  expect(keyPeriod.secret.toString('hex')).toBe(keys.period.secret);
  expect(encodeKeyPeriod(keyPeriod).toString('hex')).toBe(keys.period.record);
});

interface NodeVector {
  readonly kind: 'leaf' | 'inner' | 'list';
  readonly value: unknown;
  readonly table: readonly ChunkId[];
  readonly plaintext: string;
}

function encodeNode(node: CatalogNode) {
  return node.kind === 'leaf' ? encodeLeaf(node.items) : encodeInner(node.items);
}

describe.each(readJsonVector<NodeVector[]>('nodes.json'))('node: $kind', (vector) => {
  test('gives its items, and is written in one way', () => {
    const plaintext = bytes(vector.plaintext);
    const isList = vector.kind === 'list';
    const value = isList ? decodeList(vector.table, plaintext) : decodeCatalogNode(vector.table, plaintext);
    expect(plain(value)).toEqual(vector.value);
    const encoded = 'kind' in value ? encodeNode(value) : encodeList(value);
    expect(encoded.plaintext.equals(plaintext)).toBe(true);
    expect(encoded.table.toString('hex')).toBe(vector.table.join(''));
  });
});

test('paths have the keys that they had, in ascending order', () => {
  const vectors = readJsonVector<{ path: string; key: string }[]>('catalog-keys.json');
  for (const { path, key } of vectors) {
    const text = bytes(path).toString('latin1') as ByteString;
    expect(bytesFromByteString(catalogKey(text)).toString('hex')).toBe(key);
    expect(pathOfKey(bytes(key).toString('latin1') as CatalogKey)).toBe(text);
  }
  expect(vectors.map(({ key }) => key).toSorted()).toEqual(vectors.map(({ key }) => key));
});

test('enrolment lines are read as they were written', () => {
  for (const { value, line } of readJsonVector<{ value: EnrolmentLine; line: string }[]>(
    'enrolment-lines.json',
  )) {
    expect(parseEnrolmentLine(line)).toEqual(value);
    expect(formatEnrolmentLine(value)).toBe(line);
  }
});

test('kits that were printed open what they opened', () => {
  for (const name of ['kit-en.txt', 'kit-es.txt']) {
    expect(parseKit(readVector(name).toString('utf8'), name)).toEqual(RECOVERY_SECRET);
  }
});

describe.each(['vault/pack-content.bin', 'vault/pack-catalog.bin'])('%s', (name) => {
  const pack = readVector(name);

  function receive(content: Buffer, pieceBytes: number): CheckedPack {
    const checker = new PackChecker(content.length, DOMAIN_ID);
    for (let start = 0; start < content.length; start += pieceBytes) {
      checker.push(content.subarray(start, start + pieceBytes));
    }
    return checker.finish();
  }

  test.each([1, 2, 3, 7, 31, 64, 1000, 100_000])(
    'is received in pieces of %i bytes as it is read whole',
    (size) => {
      const tail = decodePackTail(pack.subarray(pack.length - packTailLengthFromEnd(pack.subarray(-8))));
      const received = receive(pack, size);
      expect(received.kind).toBe(tail.kind);
      expect(received.hash).toEqual(tail.packHash);
      expect(received.ids.toString('hex')).toBe(tail.entries.map(({ chunkId }) => chunkId).join(''));
      expect([...received.lengths]).toEqual(tail.entries.map(({ length }) => length));
      let offset = 16;
      for (const { length, chunkId } of tail.entries) {
        const blob = pack.subarray(offset, offset + length);
        expect(readBlobHeader(blob).chunkId).toBe(chunkId);
        expect(openBlob(blob, domain, () => period).length).toBeGreaterThan(0);
        offset += length;
      }
    },
  );

  test('is refused by who receives it when any bit was flipped', () => {
    const taken = [...flippedBits(pack)].filter(
      ({ bytes: one }) => refusalOf(() => receive(one, 512)) === null,
    );
    expect(taken.map(({ bit }) => bit)).toEqual([]);
  });

  test('is refused by who receives it when it was cut anywhere', () => {
    for (let length = 0; length < pack.length; length++) {
      expect(refusalOf(() => receive(pack.subarray(0, length), 512))).toBe('pack_invalid');
    }
  });
});
