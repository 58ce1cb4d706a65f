import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chunkIdOf, craftPayload } from '../../../test/builders/craft-blob.ts';
import {
  SAMPLE_DOMAIN,
  SAMPLE_DOMAIN_OBJECT,
  SAMPLE_ENTRY,
  SAMPLE_INFO,
  SAMPLE_KEYRING,
  SAMPLE_MANIFEST,
  SAMPLE_PERIOD,
  SAMPLE_READ_GRANT,
  SAMPLE_RECEIPT,
  SAMPLE_ROSTER,
  SMALL_ENTRY,
  sampleChunkId,
  sampleSlices,
} from '../../../test/builders/format-samples.ts';
import { mutated, refusalOf } from '../../../test/builders/hostile-bytes.ts';
import { pathOfKey, type CatalogKey } from './catalog/catalog-key.ts';
import { decodeEntryMetadata, encodeEntryMetadata } from './catalog/entry-codec.ts';
import { decodeCatalogNode, decodeList, encodeInner, encodeLeaf, encodeList } from './catalog/node.ts';
import { openBlob, prepareBlob, sealBlob } from './crypto/blob-cipher.ts';
import { decodeDomainSecrets, domainKeys, encodeDomainSecrets } from './crypto/domain-keys.ts';
import { decodeKeyPeriod, encodeKeyPeriod, periodKeys } from './crypto/key-period.ts';
import { formatKit, parseKit } from './crypto/kit.ts';
import type { ErrorCode } from './errors.ts';
import { readBlobHeader, readBlobTable } from './format/envelope/blob.ts';
import { decodeManifest, encodeManifest } from './format/envelope/manifest.ts';
import { decodePackTail, encodePackTail, packTailLengthFromEnd } from './format/envelope/pack.ts';
import { decodeReadGrant, encodeReadGrant } from './format/envelope/read-grant.ts';
import { decodeReceipt, encodeReceipt } from './format/envelope/receipt.ts';
import { decodeRoster, encodeRoster } from './format/envelope/roster.ts';
import {
  decodeDomainObject,
  decodeKeyringObject,
  encodeDomainObject,
  encodeKeyringObject,
} from './format/envelope/sealed-keys.ts';
import { decodeSignedObject, encodeSignedObject, openSignedObject } from './format/envelope/signed-object.ts';
import { decodePayload, encodePayload } from './format/payload.ts';
import { decodeSnapshotInfo, encodeSnapshotInfo } from './format/snapshot-info.ts';
import { signingKeyFromSeed } from './signature.ts';
import { decodeFrameHeader, encodeEndFrame, encodeFrameHeader } from './wire/chunk-frames.ts';
import { formatEnrolmentLine, parseEnrolmentLine } from './wire/enrolment-line.ts';

/** Whatever bytes come in: a value comes out, or an error that says what is wrong with them. */
interface Parser {
  readonly name: string;
  readonly parse: (bytes: Buffer) => unknown;
  /** Good input, to be changed. */
  readonly valid: readonly Uint8Array[];
  readonly codes?: readonly ErrorCode[];
}

const key = signingKeyFromSeed(Buffer.alloc(32, 1));
const domain = domainKeys(SAMPLE_DOMAIN);
const period = periodKeys(SAMPLE_PERIOD);
const CHUNK_IDS = Array.from({ length: 300 }, (_, number) => sampleChunkId(number));
const TEXT = Buffer.from('text that compresses, text that compresses, text that compresses');

function sealedBlob(): Buffer {
  const table = Buffer.from(sampleChunkId(1), 'hex');
  const prepared = prepareBlob({
    type: 'catalog',
    table,
    plaintext: TEXT,
    chunkId: chunkIdOf(domain, 'catalog', TEXT, table),
  });
  const blob = Buffer.alloc(prepared.lengthBytes);
  sealBlob(blob, 0, prepared, domain, period);
  return blob;
}

function encodedPayload(): Buffer {
  const { header, body, paddingBytes } = encodePayload(TEXT);
  return Buffer.concat([header, body, Buffer.alloc(paddingBytes)]);
}

const LEAF = encodeLeaf(
  ['', '\0home', 'home\0\0ana'].map((text, index) => ({
    key: text as CatalogKey,
    metadata: encodeEntryMetadata(SMALL_ENTRY),
    content: { kind: 'slices', slices: sampleSlices(index) },
    namedStreams: [],
  })),
);
const INNER = encodeInner(
  ['', '\0home'].map((text, index) => {
    return { firstKey: text as CatalogKey, chunkId: sampleChunkId(index), entryCount: 5 };
  }),
);
const SIGNED_ROSTER = encodeSignedObject('roster', encodeRoster(SAMPLE_ROSTER), key);
const KIT_DETAILS = { tenantName: 'A', serverAddress: 'https://b', fingerprint: 'c', created: 'd' };

const PARSERS: readonly Parser[] = [
  {
    name: 'the tail of a pack',
    parse: decodePackTail,
    valid: [
      encodePackTail({ kind: 'content', entries: [] }).tail,
      encodePackTail({
        kind: 'catalog',
        entries: [{ chunkId: sampleChunkId(1), type: 'list', length: 9, sha256: Buffer.alloc(32) }],
      }).tail,
    ],
  },
  {
    name: 'the end of a pack',
    parse: packTailLengthFromEnd,
    valid: [Buffer.from('3400000043664531', 'hex')],
  },
  { name: 'the header of a blob', parse: readBlobHeader, valid: [sealedBlob()] },
  {
    name: 'the table of a blob',
    parse: (bytes) => readBlobTable(bytes, readBlobHeader(bytes)),
    valid: [sealedBlob()],
  },
  {
    name: 'a blob',
    parse: (bytes) => openBlob(bytes, domain, () => period),
    valid: [sealedBlob()],
  },
  {
    name: 'a payload',
    parse: decodePayload,
    valid: [encodedPayload(), craftPayload(TEXT, TEXT, 0)],
  },
  { name: 'a signed object', parse: (bytes) => decodeSignedObject(bytes, 'roster'), valid: [SIGNED_ROSTER] },
  {
    name: 'a signed object that has to be trusted',
    parse: (bytes) => openSignedObject(bytes, 'roster', key.publicKey),
    valid: [SIGNED_ROSTER],
    codes: ['untrusted'],
  },
  { name: 'a manifest', parse: decodeManifest, valid: [encodeManifest(SAMPLE_MANIFEST)] },
  { name: 'a roster', parse: decodeRoster, valid: [encodeRoster(SAMPLE_ROSTER)] },
  { name: 'a keyring object', parse: decodeKeyringObject, valid: [encodeKeyringObject(SAMPLE_KEYRING)] },
  { name: 'a domain record', parse: decodeDomainObject, valid: [encodeDomainObject(SAMPLE_DOMAIN_OBJECT)] },
  { name: 'a read grant', parse: decodeReadGrant, valid: [encodeReadGrant(SAMPLE_READ_GRANT)] },
  { name: 'a receipt', parse: decodeReceipt, valid: [encodeReceipt(SAMPLE_RECEIPT)] },
  {
    name: 'the secrets of a domain',
    parse: decodeDomainSecrets,
    valid: [encodeDomainSecrets(SAMPLE_DOMAIN)],
  },
  { name: 'the secret of a period', parse: decodeKeyPeriod, valid: [encodeKeyPeriod(SAMPLE_PERIOD)] },
  { name: 'a snapshot info', parse: decodeSnapshotInfo, valid: [encodeSnapshotInfo(SAMPLE_INFO)] },
  {
    name: 'an entry of a catalog',
    parse: decodeEntryMetadata,
    valid: [encodeEntryMetadata(SAMPLE_ENTRY), encodeEntryMetadata(SMALL_ENTRY)],
  },
  {
    name: 'a node of a catalog',
    parse: (bytes) => decodeCatalogNode(CHUNK_IDS.slice(0, 2), bytes),
    valid: [LEAF.plaintext, INNER.plaintext],
  },
  {
    name: 'a list of content',
    parse: (bytes) => decodeList(CHUNK_IDS, bytes),
    valid: [encodeList({ level: 0, slices: sampleSlices(300) }).plaintext],
  },
  {
    name: 'the key of a path',
    parse: (bytes) => pathOfKey(bytes.toString('latin1') as CatalogKey),
    valid: [Buffer.from('home\0ana\0\0a.txt')],
  },
  {
    name: 'a kit',
    parse: (bytes) => parseKit(bytes.toString('utf8'), 'a file'),
    valid: (['en', 'es'] as const).map((language) =>
      Buffer.from(formatKit(TEXT.subarray(0, 32), KIT_DETAILS, language)),
    ),
    codes: ['kit_unreadable'],
  },
  {
    name: 'an enrolment line',
    parse: (bytes) => parseEnrolmentLine(bytes.toString('utf8')),
    valid: [
      Buffer.from(
        formatEnrolmentLine({ address: 'http://127.0.0.1:8080', code: 'a'.repeat(20), certificatePin: null }),
      ),
    ],
    codes: ['enrolment_line_invalid'],
  },
  {
    name: 'the header of a frame',
    parse: decodeFrameHeader,
    valid: [
      encodeEndFrame(1),
      encodeFrameHeader({ status: 'found', length: 200, chunkId: sampleChunkId(1) }),
    ],
    codes: ['protocol'],
  },
];

const EXPECTED: readonly ErrorCode[] = ['damaged', 'unknown_format'];
/** Far more than anything here needs, and far less than a length that lies would take. */
const ALLOCATED_BYTES_MAX = 64 * 1024 * 1024;

describe.each(PARSERS)('$name', ({ parse, valid, codes = EXPECTED }) => {
  const allowed = new Set<ErrorCode | null>([null, ...EXPECTED, ...codes]);

  function expectRefusalOrValue(bytes: Buffer): void {
    const beforeBytes = allocatedBytes();
    const code = refusalOf(() => parse(bytes));
    const takenBytes = allocatedBytes() - beforeBytes;
    expect(allowed.has(code)).toBe(true);
    expect(takenBytes).toBeLessThan(ALLOCATED_BYTES_MAX);
  }

  it('is read from what is good', () => {
    expect(valid.map((bytes) => refusalOf(() => parse(Buffer.from(bytes))))).toContain(null);
  });

  it('is refused, and nothing worse happens, when it is any bytes', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.uint8Array({ minLength: 300, maxLength: 3000 }),
    );
    fc.assert(
      fc.property(bytes, (any) => expectRefusalOrValue(Buffer.from(any))),
      { numRuns: 300 },
    );
  });

  it('is refused or read, and nothing worse happens, when it is good bytes that were changed', () => {
    fc.assert(
      fc.property(mutated(...valid), (bytes) => expectRefusalOrValue(bytes)),
      { numRuns: 1000 },
    );
  });
});

function allocatedBytes(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
