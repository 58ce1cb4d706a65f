import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodePackTail, PACK_HEADER_BYTES, PACK_KINDS } from '@cofre/shared/format/envelope/pack';
import { newRandomId, type TenantId } from '@cofre/shared/ids';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SeededRandom } from '../../../../../test/builders/seeded-random.ts';
import { sampleBlob, sampleDevice, samplePack } from '../../../../../test/builders/vault-samples.ts';
import type { PackRow } from '../index/verify.store.ts';
import { PackInspector } from './pack-inspector.ts';

const device = sampleDevice(newRandomId<TenantId>());
const blobs = [
  sampleBlob(device, { sealedLength: 20 }),
  sampleBlob(device, { type: 'catalog', sealedLength: 30, table: [sampleBlob(device).chunkId] }),
  sampleBlob(device, { sealedLength: 40 }),
];
const pack = samplePack(blobs);
const row: PackRow = {
  number: 1,
  kind: PACK_KINDS.content,
  length: pack.length,
  hash: decodePackTail(pack.subarray(blobsEnd())).packHash,
  blobs: blobs.length,
  deadBytes: 0,
};

let folder: string;
let file: string;
const inspector = new PackInspector(() => undefined);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofre-inspector-'));
  file = join(folder, '1.pack');
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

function blobsEnd(): number {
  return blobs.reduce((sum, { bytes }) => sum + bytes.length, PACK_HEADER_BYTES);
}

/** Which blobs have a byte at one of these offsets. */
function blobsAt(offsets: readonly number[]): number[] {
  let start = PACK_HEADER_BYTES;
  return blobs.flatMap(({ bytes }, place) => {
    const [from, to] = [start, (start += bytes.length)];
    return offsets.some((offset) => offset >= from && offset < to) ? [place] : [];
  });
}

async function inspect(offsets: readonly number[], bit = 1) {
  const bytes = Buffer.from(pack);
  for (const offset of offsets) bytes[offset] = (bytes[offset] as number) ^ bit;
  writeFileSync(file, bytes);
  const inspection = await inspector.inspect(file, row);
  if (inspection.status !== 'proven') return { status: inspection.status, damaged: [], isSound: false };
  const damaged = inspection.blobs.flatMap(({ isIntact }, place) => (isIntact ? [] : [place]));
  return { status: inspection.status, damaged, isSound: inspection.wrapping === null };
}

test('a flipped bit at any place of a pack is found, and costs the blob that it is in and no other', async () => {
  for (let offset = 0; offset < pack.length; offset++) {
    const lost = blobsAt([offset]);
    const wanted = { status: 'proven', damaged: lost, isSound: lost.length > 0 };
    expect([offset, await inspect([offset], 1 << (offset % 8))]).toEqual([offset, wanted]);
  }
});

test('two flipped bits are told apart, or nothing is believed; what is altered never passes for whole', async () => {
  const seed = 20261124;
  const random = new SeededRandom(seed);
  let unproven = 0;
  for (let count = 0; count < 600; count++) {
    const offsets = [random.below(pack.length), random.below(pack.length)];
    if (offsets[0] === offsets[1]) continue;
    const { status, damaged } = await inspect(offsets);
    if (status === 'unproven') unproven += 1;
    expect([seed, offsets, damaged]).toEqual([seed, offsets, status === 'unproven' ? [] : blobsAt(offsets)]);
  }
  // Only where a blob and its own entry are hit, or what says how long a blob is on both sides.
  expect(unproven).toBeLessThan(90);
});

test('a file that was cut anywhere is not believed, unless the cut is behind the last blob', async () => {
  for (let length = 0; length < pack.length; length += 7) {
    writeFileSync(file, pack.subarray(0, length));
    const { status } = await inspector.inspect(file, row);
    // With its trailer gone, and blobs too, nothing is left that could prove the others.
    expect([length, status]).toEqual([length, length >= blobsEnd() ? 'proven' : 'unproven']);
  }
});
