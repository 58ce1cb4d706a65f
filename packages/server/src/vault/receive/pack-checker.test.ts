import { CofreError } from '@cofre/shared/errors';
import { BLOB_HEADER_BYTES } from '@cofre/shared/format/envelope/blob';
import { PACK_HEADER_BYTES } from '@cofre/shared/format/envelope/pack';
import { newRandomId, type ChunkId, type TenantId } from '@cofre/shared/ids';
import { expect, test } from 'vitest';
import { sampleBlob, sampleDevice, samplePack } from '../../../../../test/builders/vault-samples.ts';
import { PackChecker } from './pack-checker.ts';

const device = sampleDevice(newRandomId<TenantId>());
const table = Array.from({ length: 3 }, () => newRandomId<ChunkId>().repeat(2) as ChunkId);
const content = [sampleBlob(device, { sealedLength: 5000 }), sampleBlob(device, { sealedLength: 1 })];
const nodes = [
  sampleBlob(device, { type: 'catalog', table }),
  sampleBlob(device, { type: 'list', table: [] }),
];

function check(pack: Buffer, pieceBytes = pack.length, lengthBytes = pack.length) {
  const checker = new PackChecker(lengthBytes, device.domainId);
  for (let start = 0; start < pack.length; start += pieceBytes) {
    checker.push(pack.subarray(start, start + pieceBytes));
  }
  return checker.finish();
}

const refused = (code: string) => expect.objectContaining({ code });

test.each([1, 3, 79, 4096, 1_000_000])('a pack is understood in pieces of %i bytes', (pieceBytes) => {
  const checked = check(samplePack(nodes, 'catalog'), pieceBytes);
  expect(checked.kind).toBe('catalog');
  expect(checked.ids.toString('hex')).toBe(nodes.map(({ chunkId }) => chunkId).join(''));
  expect([...checked.lengths]).toEqual(nodes.map(({ bytes }) => bytes.length));
  expect(checked.tables.map(({ place, ids }) => [place, ids.toString('hex')])).toEqual([[0, table.join('')]]);
  expect(checked.keyPeriods).toEqual([device.keyPeriodId]);
});

test('a pack without blobs is one', () => {
  expect(check(samplePack([])).lengths).toHaveLength(0);
});

test('every single altered byte of a pack is noticed', () => {
  const pack = samplePack([sampleBlob(device, { sealedLength: 10 }), nodes[0] as never], 'catalog');
  // A content blob does not belong into a catalog: make both of its kind.
  const valid = samplePack(
    [sampleBlob(device, { type: 'info', sealedLength: 10 }), nodes[0] as never],
    'catalog',
  );
  expect(() => check(pack)).toThrow(refused('pack_invalid'));
  expect(() => check(valid)).not.toThrow();
  for (let place = 0; place < valid.length; place++) {
    const altered = Buffer.from(valid);
    altered[place] = (altered[place] as number) ^ 0x40;
    expect(() => check(altered), `byte ${place}`).toThrow(CofreError);
  }
});

test('a pack that is cut anywhere is noticed, and so is one with something behind it', () => {
  const pack = samplePack(content);
  for (let length = 0; length < pack.length; length += 97) {
    expect(() => check(pack.subarray(0, length), 1000, pack.length), `${length} bytes`).toThrow(
      refused('pack_invalid'),
    );
  }
  const longer = Buffer.concat([pack, Buffer.alloc(1)]);
  expect(() => check(longer)).toThrow(refused('pack_invalid'));
  expect(() => check(longer, longer.length, pack.length)).toThrow(refused('pack_invalid'));
});

test('blobs of another domain are refused before their content comes', () => {
  const stranger = sampleDevice(device.tenantId);
  const pack = samplePack([sampleBlob(stranger)]);
  const checker = new PackChecker(pack.length, device.domainId);
  const upToHeader = pack.subarray(0, PACK_HEADER_BYTES + BLOB_HEADER_BYTES);
  expect(() => checker.push(upToHeader)).toThrow(refused('pack_invalid'));
});

test('content and catalogs do not share a pack', () => {
  expect(() => check(samplePack(nodes, 'content'))).toThrow(refused('pack_invalid'));
  expect(() => check(samplePack(content, 'catalog'))).toThrow(refused('pack_invalid'));
});

test('a trailer that tells another order than what came is refused', () => {
  const [first, second] = content as [never, never];
  const pack = samplePack([first, second]);
  const swapped = samplePack([second, first]);
  const tailStart = PACK_HEADER_BYTES + content.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const mixed = Buffer.concat([pack.subarray(0, tailStart), swapped.subarray(tailStart)]);
  expect(() => check(mixed)).toThrow(refused('pack_invalid'));
});

test('a blob of a later format version is refused as such', () => {
  const pack = samplePack(content);
  pack[PACK_HEADER_BYTES + 4] = 9;
  expect(() => check(pack)).toThrow(refused('unknown_format'));
});

test('an announced length beyond what a pack may have is refused at once', () => {
  expect(() => new PackChecker(2 ** 40, device.domainId)).toThrow(refused('too_large'));
  expect(() => new PackChecker(10, device.domainId)).toThrow(refused('pack_invalid'));
});
