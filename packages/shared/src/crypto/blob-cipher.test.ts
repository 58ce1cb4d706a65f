import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chunkIdOf, craftBlob, craftPayload } from '../../../../test/builders/craft-blob.ts';
import { SAMPLE_DOMAIN, SAMPLE_PERIOD, sampleChunkId } from '../../../../test/builders/format-samples.ts';
import { flippedBits, refusalOf } from '../../../../test/builders/hostile-bytes.ts';
import { readBlobHeader, type BlobType } from '../format/envelope/blob.ts';
import type { DomainId, KeyPeriodId } from '../ids.ts';
import { isSealedIntact, openBlob, prepareBlob, sealBlob, type BlobContent } from './blob-cipher.ts';
import { domainKeys } from './domain-keys.ts';
import { periodKeys } from './key-period.ts';

const domain = domainKeys(SAMPLE_DOMAIN);
const period = periodKeys(SAMPLE_PERIOD);
const findKeys = () => period;
const TABLE = Buffer.from(sampleChunkId(1) + sampleChunkId(2), 'hex');
const NO_TABLE = Buffer.alloc(0);

function contentOf(type: BlobType, plaintext: Uint8Array, table: Uint8Array = NO_TABLE): BlobContent {
  return { type, table, plaintext, chunkId: chunkIdOf(domain, type, plaintext, table) };
}

function seal(content: BlobContent): Buffer {
  const prepared = prepareBlob(content);
  const target = Buffer.alloc(prepared.lengthBytes);
  sealBlob(target, 0, prepared, domain, period);
  return target;
}

const open = (blob: Buffer): Buffer => openBlob(blob, domain, findKeys);
const NODE = contentOf('catalog', Buffer.from('a node'), TABLE);
const nonce = Buffer.alloc(12, 7);

describe('a sealed blob', () => {
  it('opens to what went in, for every type', () => {
    const type = fc.constantFrom<BlobType>('data', 'catalog', 'list', 'info');
    fc.assert(
      fc.property(type, fc.uint8Array({ maxLength: 3000 }), fc.nat(5), (kind, plaintext, ids) => {
        const table = kind === 'data' ? NO_TABLE : Buffer.alloc(ids * 32, 9);
        const content = contentOf(kind, plaintext, table);
        const blob = seal(content);
        expect(open(blob).equals(plaintext)).toBe(true);
        expect(isSealedIntact(blob, plaintext, period)).toBe(true);
        expect(readBlobHeader(blob)).toMatchObject({ type: kind, chunkId: content.chunkId });
      }),
    );
  });

  it('is written where it is told to, and nowhere else', () => {
    const prepared = prepareBlob(NODE);
    const target = Buffer.alloc(prepared.lengthBytes + 20, 0xee);
    sealBlob(target, 10, prepared, domain, period);
    expect(open(target.subarray(10, -10)).toString()).toBe('a node');
    expect(target.subarray(0, 10).equals(Buffer.alloc(10, 0xee))).toBe(true);
    expect(target.subarray(-10).equals(Buffer.alloc(10, 0xee))).toBe(true);
  });

  it('has a nonce of its own each time', () => {
    const nonces = Array.from({ length: 50 }, () => seal(NODE).toString('hex', 144, 156));
    expect(new Set(nonces).size).toBe(50);
  });

  it('is the same as one made of the documented parts, but for its nonce', () => {
    const payload = craftPayload(NODE.plaintext, NODE.plaintext, 0);
    const crafted = craftBlob({ ...NODE, table: TABLE, domain, period, nonce, payload });
    const sealed = seal(NODE);
    expect(crafted.subarray(0, 144).equals(sealed.subarray(0, 144))).toBe(true);
    expect(crafted).toHaveLength(sealed.length);
    expect(open(crafted).toString()).toBe('a node');
  });
});

describe('a blob is refused', () => {
  it('with any bit flipped', () => {
    const blobs = [seal(NODE), seal(contentOf('data', Buffer.from('content')))];
    const opened = blobs
      .flatMap((blob) => [...flippedBits(blob)])
      .filter(({ bytes }) => refusalOf(() => open(bytes)) === null);
    expect(opened.map(({ bit }) => bit)).toEqual([]);
  });

  it('when it is cut anywhere, or goes on', () => {
    const blob = seal(NODE);
    for (let length = 0; length < blob.length; length++) {
      expect(refusalOf(() => open(blob.subarray(0, length)))).toBe('damaged');
    }
    expect(refusalOf(() => open(Buffer.concat([blob, Buffer.alloc(1)])))).toBe('damaged');
  });

  it('without its key, or with that of another period', () => {
    const other = periodKeys({ ...SAMPLE_PERIOD, secret: Buffer.alloc(32, 0x52) });
    expect(refusalOf(() => openBlob(seal(NODE), domain, () => null))).toBe('wrong_key');
    expect(refusalOf(() => openBlob(seal(NODE), domain, () => other))).toBe('damaged');
  });

  it('when its table was exchanged for another of the same length', () => {
    const blob = seal(NODE);
    Buffer.from(sampleChunkId(3), 'hex').copy(blob, 80);
    expect(refusalOf(() => open(blob))).toBe('damaged');
  });

  it('with the header of another blob in front', () => {
    const blob = seal(NODE);
    const other = seal(contentOf('catalog', Buffer.from('b node'), TABLE));
    expect(refusalOf(() => open(Buffer.concat([other.subarray(0, 144), blob.subarray(144)])))).toBe(
      'damaged',
    );
  });
});

/** Whoever has the key of a period, a thief of a device say, can seal what he likes. */
describe('a blob that was sealed with the right key is refused', () => {
  const plaintext = Buffer.from('a node');
  const payload = craftPayload(plaintext, plaintext, 0);
  const honest = { type: 'catalog', domain, period, nonce, payload, table: TABLE } as const;

  it('when it is not what its id says', () => {
    const blob = craftBlob({ ...honest, chunkId: sampleChunkId(0x99) });
    expect(refusalOf(() => open(blob))).toBe('damaged');
  });

  it('when it is sealed as another type', () => {
    const blob = craftBlob({ ...honest, type: 'list', chunkId: NODE.chunkId });
    expect(refusalOf(() => open(blob))).toBe('damaged');
  });

  it('when its id is that of another table', () => {
    const chunkId = chunkIdOf(domain, 'catalog', plaintext, TABLE.subarray(32));
    expect(refusalOf(() => open(craftBlob({ ...honest, chunkId })))).toBe('damaged');
  });

  it('when content stands under the id of a node, or a node under that of content', () => {
    const asData = craftBlob({ ...honest, type: 'data', table: NO_TABLE, chunkId: NODE.chunkId });
    const asNode = craftBlob({ ...honest, table: NO_TABLE, chunkId: domain.dataId(plaintext) });
    expect(refusalOf(() => open(asData))).toBe('damaged');
    expect(refusalOf(() => open(asNode))).toBe('damaged');
  });

  it('when it names another domain', () => {
    const blob = craftBlob({
      ...honest,
      chunkId: NODE.chunkId,
      header: { domainId: '31'.repeat(16) as DomainId },
    });
    expect(refusalOf(() => open(blob))).toBe('damaged');
  });

  it('but opens when it is honest', () => {
    expect(open(craftBlob({ ...honest, chunkId: NODE.chunkId })).equals(plaintext)).toBe(true);
  });
});

describe('what was just sealed', () => {
  it('is not intact when it opens to something else', () => {
    const blob = seal(NODE);
    expect(isSealedIntact(blob, Buffer.from('b node'), period)).toBe(false);
    expect(isSealedIntact(blob, Buffer.from('a node!'), period)).toBe(false);
    blob[150] = (blob[150] as number) ^ 1;
    expect(refusalOf(() => isSealedIntact(blob, Buffer.from('a node'), period))).toBe('damaged');
  });
});

it('asks for the keys of the period that the blob names', () => {
  const asked: KeyPeriodId[] = [];
  openBlob(seal(NODE), domain, ({ keyPeriodId }) => {
    asked.push(keyPeriodId);
    return period;
  });
  expect(asked).toEqual([SAMPLE_PERIOD.keyPeriodId]);
});
