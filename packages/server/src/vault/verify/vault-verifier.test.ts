import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { PACK_HEADER_BYTES } from '@cofre/shared/format/envelope/pack';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { flipBit } from '../../../../../test/builders/flip-bit.ts';
import {
  addSampleTenant,
  openSampleVaults,
  SampleRun,
  verifyAll,
  type OpenedVaults,
} from '../../../../../test/builders/sample-vault.ts';
import { tamperIndex } from '../../../../../test/builders/tamper-index.ts';
import {
  sampleBlob,
  type SampleBlob,
  type SampleDevice,
  type SampleSnapshot,
} from '../../../../../test/builders/vault-samples.ts';
import type { Vault } from '../vault.ts';

let opened: OpenedVaults;
let vault: Vault;
let device: SampleDevice;
let blobs: SampleBlob[];
let snapshot: SampleSnapshot;

beforeEach(async () => {
  opened = await openSampleVaults();
  ({ vault, device } = await addSampleTenant(opened));
  blobs = [sampleBlob(device), sampleBlob(device, { sealedLength: 400_000 })];
  const run = await SampleRun.open(vault, device);
  ({ snapshot } = await run.backUp(blobs));
});

afterEach(async () => {
  await opened.remove();
});

function storeFile(path: string): string {
  return opened.inStore(vault.tenantId, path);
}

const CONTENT_PACK = 'packs/01/1.pack';

/** Changes the index behind the server's back. */
async function tamper(sql: string): Promise<void> {
  opened = await tamperIndex(opened, vault.tenantId, sql);
  vault = await opened.vaults.open(vault.tenantId);
}

const finding = (code: string, affectedSnapshots: string[] = []) =>
  expect.objectContaining({ code, affectedSnapshots });

test('a vault that nothing happened to is clean, and all its bytes are read', async () => {
  let bytes = 0;
  for await (const found of vault.verify((more) => (bytes += more))) expect(found).toBeUndefined();
  expect(bytes).toBeGreaterThan(blobs.reduce((sum, blob) => sum + blob.bytes.length, 0));
});

test('a bit that rots in a blob names the chunk and the snapshots that need it', async () => {
  flipBit(storeFile(CONTENT_PACK), PACK_HEADER_BYTES + (blobs[0] as SampleBlob).bytes.length + 5000);
  const findings = await verifyAll(vault);
  expect(findings).toEqual([finding('chunk_unreadable', [snapshot.snapshotId])]);
  expect(findings[0]?.detail).toContain((blobs[1] as SampleBlob).chunkId);
});

test('a bit that rots in a trailer costs nothing; a cut and a lost pack are named', async () => {
  const { length } = readFileSync(storeFile(CONTENT_PACK));
  const warning = expect.objectContaining({
    code: 'pack_needs_rewrite',
    isWarning: true,
    affectedSnapshots: [],
  });
  flipBit(storeFile(CONTENT_PACK), length - 60);
  expect(await verifyAll(vault)).toEqual([warning]);
  flipBit(storeFile(CONTENT_PACK), length - 60);
  expect(await verifyAll(vault)).toEqual([]);
  truncateSync(storeFile(CONTENT_PACK), length - 100);
  expect(await verifyAll(vault)).toEqual([warning]);
  truncateSync(storeFile(CONTENT_PACK), length >> 1);
  expect(await verifyAll(vault)).toEqual([finding('pack_damaged', [snapshot.snapshotId])]);
  rmSync(storeFile(CONTENT_PACK));
  expect(await verifyAll(vault)).toEqual([finding('pack_missing', [snapshot.snapshotId])]);
});

test('a file that nothing knows is named', async () => {
  writeFileSync(storeFile('packs/01/77.pack'), 'x');
  writeFileSync(storeFile('objects/note.txt'), 'x');
  expect(await verifyAll(vault)).toEqual([finding('file_without_row'), finding('file_without_row')]);
});

test('an altered or lost object is named, with its snapshot', async () => {
  const page = await vault.listSnapshots(device.caller, {
    after: 0,
    limit: 1,
    setId: undefined,
    deviceId: undefined,
  });
  const manifest = `objects/${page.items[0]?.number}.manifest`;
  flipBit(storeFile(manifest), 50);
  expect(await verifyAll(vault)).toEqual([finding('object_damaged', [snapshot.snapshotId])]);
  rmSync(storeFile(manifest));
  expect(await verifyAll(vault)).toEqual([finding('object_missing', [snapshot.snapshotId])]);
});

test('a row that points elsewhere in a pack is named', async () => {
  await tamper('UPDATE chunks SET offset = offset + 1 WHERE length < 2000 AND pack = 1');
  expect(await verifyAll(vault)).toContainEqual(finding('row_without_blob', [snapshot.snapshotId]));
});

test('a refset that lost a row is named', async () => {
  await tamper('DELETE FROM head_refs WHERE chunk = (SELECT min(chunk) FROM chunks)');
  const codes = (await verifyAll(vault)).map(({ code }) => code);
  expect(new Set(codes)).toEqual(
    new Set([
      'refset_mismatch',
      'snapshot_incomplete',
      'snapshot_miscounted',
      'set_miscounted',
      'chunk_forgotten',
    ]),
  );
});

test('counters that went wrong are named', async () => {
  await tamper(
    'UPDATE vault SET used_bytes = used_bytes - 1; UPDATE packs SET dead_bytes = 5 WHERE number = 2',
  );
  const codes = (await verifyAll(vault)).map(({ code }) => code);
  expect(codes).toEqual(['pack_miscounted', 'used_miscounted']);
});

test('a quarantined chunk is missing until a device sends it again', async () => {
  await tamper(
    'UPDATE chunks SET state = 1 WHERE pack = 1 AND length < 2000; UPDATE vault SET liveness_epoch = 1',
  );
  expect((await verifyAll(vault)).map(({ code }) => code)).toEqual(['snapshot_incomplete']);
  const run = await SampleRun.open(vault, device);
  expect(await run.have(blobs.map(({ chunkId }) => chunkId))).toEqual([0, 1]);
  await run.send([blobs[0] as SampleBlob]);
  expect(await run.have(blobs.map(({ chunkId }) => chunkId))).toEqual([1, 1]);
  expect(await verifyAll(vault)).toEqual([]);
});
