import { openSync, rmSync, truncateSync, writeSync, closeSync } from 'node:fs';
import { join } from 'node:path';
import { PACK_HEADER_BYTES } from '@cofre/shared/format/envelope/pack';
import type { ChunkId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import {
  addSampleDevice,
  addSampleTenant,
  openSampleVaults,
  readBlobs,
  SampleRun,
  type OpenedVaults,
} from '../../../../../test/builders/sample-vault.ts';
import {
  sampleBlob,
  type SampleBlob,
  type SampleDevice,
} from '../../../../../test/builders/vault-samples.ts';
import type { Vault } from '../vault.ts';
import { PackFiles } from './pack-files.ts';

let opened: OpenedVaults;
let vault: Vault;
let device: SampleDevice;
let run: SampleRun;

beforeAll(async () => {
  opened = await openSampleVaults();
});

afterAll(async () => {
  await opened.remove();
});

beforeEach(async () => {
  ({ vault, device } = await addSampleTenant(opened));
  run = await SampleRun.open(vault, device);
});

const refused = (code: string) => expect.objectContaining({ code });

async function expectBlobs(wanted: readonly SampleBlob[]): Promise<void> {
  const read = await readBlobs(
    vault,
    device,
    wanted.map(({ chunkId }) => chunkId),
  );
  expect(read.map(({ chunkId }) => chunkId)).toEqual(wanted.map(({ chunkId }) => chunkId));
  wanted.forEach(({ bytes }, place) => expect(read[place]?.bytes.equals(bytes), `blob ${place}`).toBe(true));
}

function packFile(number: number): string {
  return join(opened.storeFolder, vault.tenantId, `packs/0${number}/${number}.pack`);
}

test('chunks come in the order asked for, across packs, again and again', async () => {
  const packs = [1, 2, 3].map(() => Array.from({ length: 30 }, () => sampleBlob(device)));
  for (const blobs of packs) await run.send(blobs);
  const all = packs.flat();
  await expectBlobs(all);
  await expectBlobs(all.toReversed());
  await expectBlobs(all.filter((_, place) => place % 3 === 0));
  await expectBlobs([all[5], all[5], all[4], all[80], all[5]] as SampleBlob[]);
});

test('blobs as large as they may be come whole', async () => {
  const blobs = [1, 2].map(() => sampleBlob(device, { sealedLength: LIMITS.blobSealedBytesMax }));
  await run.send(blobs);
  await expectBlobs(blobs);
});

test('what is not there is said in its place', async () => {
  const blob = sampleBlob(device);
  await run.send([blob]);
  const unknown = 'ab'.repeat(32) as ChunkId;
  const read = await readBlobs(vault, device, [unknown, blob.chunkId, unknown, unknown]);
  expect(read.map(({ status }) => status)).toEqual(['missing', 'found', 'missing', 'missing']);
  expect(await readBlobs(vault, device, [])).toEqual([]);
});

test('a pack that is gone, cut or altered costs its own chunks only', async () => {
  const blobs = [1, 2, 3, 4].map(() => sampleBlob(device));
  const ids = blobs.map(({ chunkId }) => chunkId);
  for (const blob of blobs) await run.send([blob]);
  rmSync(packFile(1));
  truncateSync(packFile(2), 500);
  const file = openSync(packFile(3), 'r+');
  writeSync(file, Buffer.alloc(200), 0, 200, PACK_HEADER_BYTES);
  closeSync(file);
  const read = await readBlobs(vault, device, ids);
  expect(read.map(({ status }) => status)).toEqual(['missing', 'damaged', 'damaged', 'found']);
});

test('many readers at once get large blobs in small pieces, and a cut one costs itself alone', async () => {
  const blobs = [1, 2, 3].map(() => sampleBlob(device, { sealedLength: 3_000_000 }));
  for (const blob of blobs) await run.send([blob]);
  truncateSync(packFile(2), 2_900_000);
  const ids = blobs.map(({ chunkId }) => chunkId);
  const readers = Array.from({ length: 64 }, () =>
    vault.readChunks(device.caller, device.domainId, ids)[Symbol.asyncIterator](),
  );
  // All have begun before the first goes on.
  await Promise.all(readers.map((reader) => reader.next()));
  const last = readers.at(-1) as AsyncIterator<Buffer>;
  expect(((await last.next()).value as Buffer).length).toBeLessThanOrEqual(1024 * 1024);
  const answers = await Promise.all(
    readers.map(async (reader) => {
      let bytes = 0;
      for (let next = await reader.next(); next.done !== true; next = await reader.next()) {
        bytes += next.value.length;
      }
      return bytes;
    }),
  );
  expect(new Set(answers.slice(0, -1)).size).toBe(1);
  const read = await readBlobs(vault, device, ids);
  expect(read.map(({ status }) => status)).toEqual(['found', 'damaged', 'found']);
  expect(read[2]?.bytes.equals((blobs[2] as SampleBlob).bytes)).toBe(true);
});

test('a bad place of the disk costs only the chunks on it', async () => {
  const blobs = [1, 2, 3].map(() => sampleBlob(device));
  await run.send(blobs);
  const [, bad] = blobs as [SampleBlob, SampleBlob, SampleBlob];
  const badOffset = PACK_HEADER_BYTES + (blobs[0] as SampleBlob).bytes.length;
  const read: PackFiles['read'] = Reflect.get(PackFiles.prototype, 'read');
  const reading = vi.spyOn(PackFiles.prototype, 'read').mockImplementation(function (
    this: PackFiles,
    path,
    offset,
    length,
  ) {
    const isHit = offset < badOffset + bad.bytes.length && offset + length > badOffset;
    if (isHit) return Promise.reject(Object.assign(new Error('i/o error'), { code: 'EIO' }));
    return read.call(this, path, offset, length);
  });
  const answer = await readBlobs(
    vault,
    device,
    blobs.map(({ chunkId }) => chunkId),
  );
  reading.mockRestore();
  expect(answer.map(({ status }) => status)).toEqual(['found', 'damaged', 'found']);
});

test('a device reads its own domain only, any of the tenant with a grant', async () => {
  const blob = sampleBlob(device);
  await run.send([blob]);
  const stranger = await addSampleDevice(vault);
  const asStranger = { caller: stranger.caller, domainId: device.domainId };
  await expect(readBlobs(vault, asStranger, [blob.chunkId])).rejects.toEqual(refused('not_found'));
  const granted = { caller: { ...stranger.caller, readsTenant: true }, domainId: device.domainId };
  expect(await readBlobs(vault, granted, [blob.chunkId])).toMatchObject([{ status: 'found' }]);
  // The id alone does not give a chunk away inside another domain.
  expect(await readBlobs(vault, stranger, [blob.chunkId])).toMatchObject([{ status: 'missing' }]);
});

test('a reader that leaves early, and many at once, leave no file in use', async () => {
  const blobs = Array.from({ length: 10 }, () => sampleBlob(device, { sealedLength: 500_000 }));
  await run.send(blobs);
  const ids = blobs.map(({ chunkId }) => chunkId);
  for await (const piece of vault.readChunks(device.caller, device.domainId, ids)) {
    expect(piece.length).toBeGreaterThan(0);
    break;
  }
  await Promise.all([expectBlobs(blobs), expectBlobs(blobs.toReversed()), expectBlobs(blobs.slice(3))]);
});

test('the memory of a read is given back once more is asked for, and not before', async () => {
  const blobs = [1, 2].map(() => sampleBlob(device, { sealedLength: 500_000 }));
  for (const blob of blobs) await run.send([blob]);
  const ids = blobs.map(({ chunkId }) => chunkId);
  const pieces: Buffer[] = [];
  const whole: Buffer[] = [];
  for await (const piece of vault.readChunks(device.caller, device.domainId, ids)) {
    pieces.push(piece);
    whole.push(Buffer.from(piece));
  }
  expect(blobs.map(({ bytes }, place) => bytes.equals(whole[2 * place + 1] as Buffer))).toEqual([true, true]);
  // Frames and blobs in turn, then the end: blobs are views of what was read.
  expect(pieces.map(({ length }) => length > 0)).toEqual([true, false, true, false, true]);
});

test('more ids than allowed are refused', async () => {
  const ids = Array.from({ length: LIMITS.readIdsMax + 1 }, () => 'ab'.repeat(32) as ChunkId);
  await expect(readBlobs(vault, device, ids)).rejects.toEqual(refused('too_large'));
});

/** Lets everything that no snapshot needs go, and writes packs anew; their old files are gone afterwards. */
async function collectAll(): Promise<{ repackedPacks: number }> {
  const options = { signal: new AbortController().signal, bytesPerSecond: null, readersGraceMs: 0 };
  opened.passHours(1);
  await vault.runCollection(options);
  opened.passHours(LIMITS.condemnedGraceMs / 3_600_000 + 1);
  return vault.runCollection(options);
}

test('a pack that is written anew between looking up and reading costs a reader nothing', async () => {
  const packs = [1, 2, 3, 4].map(() => Array.from({ length: 4 }, () => sampleBlob(device)));
  const kept = packs.flatMap((blobs) => blobs.slice(0, 2));
  for (const blobs of packs) await run.send(blobs);
  await run.backUp(kept);
  const ids = kept.map(({ chunkId }) => chunkId);
  await expectBlobs(kept);
  const reader = vault.readChunks(device.caller, device.domainId, ids)[Symbol.asyncIterator]();
  const pieces = [Buffer.from((await reader.next()).value as Buffer)];
  expect(await collectAll()).toMatchObject({ repackedPacks: 4 });
  for (let next = await reader.next(); next.done !== true; next = await reader.next()) {
    pieces.push(Buffer.from(next.value));
  }
  const stream = Buffer.concat(pieces);
  const expected = await collectFrames(ids);
  expect(stream.equals(expected)).toBe(true);
  await expectBlobs(kept);
});

async function collectFrames(ids: readonly ChunkId[]): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of vault.readChunks(device.caller, device.domainId, ids))
    pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

test('a large blob whose frame has begun comes whole though its pack goes meanwhile', async () => {
  const large = sampleBlob(device, { sealedLength: LIMITS.blobSealedBytesMax });
  await run.send([large, sampleBlob(device, { sealedLength: 2_000_000 })]);
  await run.backUp([large]);
  const reader = vault.readChunks(device.caller, device.domainId, [large.chunkId])[Symbol.asyncIterator]();
  const header = Buffer.from((await reader.next()).value as Buffer);
  const pieces = [Buffer.from((await reader.next()).value as Buffer)];
  expect(header.length + (pieces[0] as Buffer).length).toBeLessThan(large.bytes.length);
  expect(await collectAll()).toMatchObject({ repackedPacks: 1 });
  pieces.push(Buffer.from((await reader.next()).value as Buffer));
  expect(Buffer.concat(pieces).equals(large.bytes)).toBe(true);
  await reader.return?.();
  await expectBlobs([large]);
});
