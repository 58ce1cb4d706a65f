import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChunkId } from '@cofre/shared/ids';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  addSampleTenant,
  openSampleVaults,
  readBlobs,
  SampleRun,
  verifyAll,
} from '../builders/sample-vault.ts';
import { sampleBlob, sampleSnapshot, type SampleBlob } from '../builders/vault-samples.ts';
import { lacks } from '../requirements.ts';

const MIB = 1024 * 1024;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofre-vault-full-'));
});

afterEach(() => {
  for (const name of ['', 'data', 'store']) spawnSync('umount', [join(folder, name)]);
  rmSync(folder, { recursive: true });
});

function mountSmall(path: string, sizeBytes: number): void {
  mkdirSync(path, { recursive: true });
  const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeBytes}`, 'tmpfs', path]);
  expect(mount.stderr.toString()).toBe('');
  expect(mount.status).toBe(0);
}

test.skipIf(lacks('root', 'mount')).each([
  ['the store', 'store', 400_000],
  ['the store, for packs of 3 MiB,', 'store', 3 * MIB],
  ['the databases', 'data', 400_000],
  ['both', '', 400_000],
])('when the disk of %s is full, nothing is acknowledged, and it recovers', async (_, place, length) => {
  const full = join(folder, place);
  mountSmall(full, 8 * MIB);
  const filler = join(full, 'filler');
  const opened = await openSampleVaults({}, folder);
  try {
    const { vault, device } = await addSampleTenant(opened);
    const run = await SampleRun.open(vault, device);
    const first = await run.backUp([sampleBlob(device)]);
    if (place === 'data') writeFileSync(filler, Buffer.alloc(6 * MIB));
    const kept: ChunkId[] = [...first.refs];
    let refusal: unknown = null;
    for (let count = 0; count < 3000 && refusal === null; count++) {
      const blobs = [sampleBlob(device, { sealedLength: place === 'data' ? 10 : length })];
      for (let more = 0; place === 'data' && more < 300; more++)
        blobs.push(sampleBlob(device, { sealedLength: 10 }));
      try {
        await run.send(blobs);
        kept.push(...blobs.map(({ chunkId }) => chunkId));
      } catch (error) {
        refusal = error;
      }
    }
    expect(refusal).toMatchObject({ code: 'storage_full' });
    expect(opened.failures).toEqual([]);
    // Reads go on, and what was acknowledged is all that there is.
    for (let start = 0; start < kept.length; start += 1000) {
      const read = await readBlobs(vault, device, kept.slice(start, start + 1000));
      expect(new Set(read.map(({ status }) => status))).toEqual(new Set(['found']));
    }
    expect((await vault.statistics()).chunks).toBe(kept.length);
    if (place === 'data') rmSync(filler);
    else spawnSync('mount', ['-o', `remount,size=${64 * MIB}`, full]);
    const again = await SampleRun.open(vault, device);
    expect(await again.backUp([sampleBlob(device)], first.snapshot)).toMatchObject({
      result: { status: 'committed' },
    });
    expect(await verifyAll(vault)).toEqual([]);
  } finally {
    await opened.vaults.close();
  }
});

test.skipIf(lacks('root', 'mount'))(
  'a disk on which uploads have no room any more gets room by a collection, which writes packs anew on it',
  async () => {
    const options = { signal: new AbortController().signal, bytesPerSecond: null, readersGraceMs: 0 };
    mountSmall(join(folder, 'store'), 80 * MIB);
    const opened = await openSampleVaults({ storeHeadroomBytes: 40 * MIB }, folder);
    try {
      const { vault, device } = await addSampleTenant(opened);
      const run = await SampleRun.open(vault, device);
      const blobs = () => Array.from({ length: 2 }, () => sampleBlob(device, { sealedLength: 1.5 * MIB }));
      const kept: ChunkId[] = [];
      const fill = async (): Promise<never> => {
        for (;;) {
          const pack = blobs();
          await run.send(pack);
          kept.push((pack[0] as SampleBlob).chunkId);
        }
      };
      await expect(fill()).rejects.toMatchObject({ code: 'storage_full' });
      expect(kept.length).toBeGreaterThan(8);
      const root = sampleBlob(device, { type: 'catalog', table: kept });
      // A commit has room: it takes of the headroom. The root came before the disk was full, as it were.
      await vault.closeSession(device.caller, run.sessionId);
      const smaller = await opened.reopen({ storeHeadroomBytes: 0 });
      const again = await smaller.vaults.open(vault.tenantId);
      const last = await SampleRun.open(again, device);
      await last.send([root], 'catalog');
      const refs = [...kept, root.chunkId];
      await last.stage('add', refs);
      const result = await last.commit(sampleSnapshot(device, refs, root.chunkId));
      expect(result).toMatchObject({ status: 'committed' });
      const full = await smaller.reopen({ storeHeadroomBytes: 40 * MIB });
      const crowded = await full.vaults.open(vault.tenantId);
      full.passHours(1);
      await crowded.runCollection(options);
      full.passHours(49);
      const collected = await crowded.runCollection(options);
      expect(collected).toMatchObject({ dropped: kept.length, repackedPacks: kept.length });
      expect(await verifyAll(crowded)).toEqual([]);
      const read = await readBlobs(crowded, device, refs);
      expect(new Set(read.map(({ status }) => status))).toEqual(new Set(['found']));
      const room = await SampleRun.open(crowded, device);
      expect(await room.send(blobs())).toMatchObject({ blobs: 2 });
      await full.vaults.close();
    } finally {
      await opened.vaults.close();
    }
  },
);
