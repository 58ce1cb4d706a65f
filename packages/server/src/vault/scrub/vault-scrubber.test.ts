import { appendFileSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { open as openFile, type FileHandle } from 'node:fs/promises';
import BetterSqlite3 from 'better-sqlite3';
import { BLOB_HEADER_BYTES, BLOB_NONCE_BYTES, sealedOffset } from '@cofre/shared/format/envelope/blob';
import {
  PACK_ENTRY_BYTES,
  PACK_HEADER_BYTES,
  packTailLength,
  TRAILER_FIXED_BYTES,
} from '@cofre/shared/format/envelope/pack';
import type { VerifyFinding } from '@cofre/shared/wire/administration';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { flipBit } from '../../../../../test/builders/flip-bit.ts';
import {
  addSampleTenant,
  openSampleVaults,
  readBlobs,
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
import { VaultIndex } from '../index/database-pool.ts';
import type { Vault } from '../vault.ts';
import type { ScrubResult } from './scrub-run.ts';
import { shareOf } from './vault-scrubber.ts';

let opened: OpenedVaults;
let vault: Vault;
let device: SampleDevice;
let content: [SampleBlob, SampleBlob, SampleBlob];
let root: SampleBlob;
let snapshot: SampleSnapshot;

const CONTENT_PACK = 'packs/01/1.pack';
const CATALOG_PACK = 'packs/02/2.pack';

beforeEach(async () => {
  opened = await openSampleVaults();
  ({ vault, device } = await addSampleTenant(opened));
  content = [sampleBlob(device), sampleBlob(device, { sealedLength: 600_000 }), sampleBlob(device)];
  const run = await SampleRun.open(vault, device);
  ({ root, snapshot } = await run.backUp(content));
});

afterEach(async () => {
  vi.restoreAllMocks();
  await opened.remove();
});

function storeFile(path: string): string {
  return opened.inStore(vault.tenantId, path);
}

function scrub(): Promise<ScrubResult> {
  return vault.runScrub({ signal: new AbortController().signal, everything: true, bytesPerSecond: null });
}

/** Sends again what the server says that it lacks, as an agent does that has the files still. */
async function healFrom(all: readonly SampleBlob[]): Promise<number> {
  const run = await SampleRun.open(vault, device);
  const flags = await run.have(all.map(({ chunkId }) => chunkId));
  const missing = all.filter((_, place) => flags[place] === 0);
  let healed = 0;
  for (const blob of missing) {
    healed += (await run.send([blob], blob.type === 'data' ? 'content' : 'catalog')).healed;
  }
  return healed;
}

async function expectAllReadable(): Promise<void> {
  const all = [...content, root];
  const read = await readBlobs(
    vault,
    device,
    all.map(({ chunkId }) => chunkId),
  );
  all.forEach(({ bytes }, place) => expect(read[place]?.bytes.equals(bytes), `blob ${place}`).toBe(true));
}

const damages = (findings: readonly VerifyFinding[]) =>
  findings.filter(({ isWarning }) => isWarning !== true);

const NOTHING_WRONG = {
  damagedChunks: 0,
  recoveredChunks: 0,
  packsToRewrite: 0,
  rewrittenObjects: 0,
  mendedRows: 0,
  lostObjects: 0,
  isComplete: true,
};

/** Regions of the pack of `blobs`, and which of them a flipped bit there costs. */
function regionsOf(blobs: readonly SampleBlob[]): [name: string, offset: number, lost: SampleBlob | null][] {
  const tailStart = blobs.reduce((sum, { bytes }) => sum + bytes.length, PACK_HEADER_BYTES);
  const length = tailStart + packTailLength(blobs.length);
  const blob = blobs.at(-1) as SampleBlob;
  const start = tailStart - blob.bytes.length;
  const nonce = blob.type === 'data' ? sealedOffset(0) : sealedOffset(content.length);
  const lastEntry = tailStart + TRAILER_FIXED_BYTES + (blobs.length - 1) * PACK_ENTRY_BYTES;
  return [
    ['header of the pack', 3, null],
    ['zeros of the header', PACK_HEADER_BYTES - 1, null],
    ['magic of a blob', start, blob],
    ['sealed length of a blob', start + 12, blob],
    ['id of a blob', start + 50, blob],
    ...(blob.type === 'data'
      ? []
      : ([['table', start + BLOB_HEADER_BYTES + 5, blob]] as [string, number, SampleBlob][])),
    ['nonce', start + nonce, blob],
    ['ciphertext', start + nonce + BLOB_NONCE_BYTES + 7, blob],
    ['tag', tailStart - 1, blob],
    ['magic of the trailer', tailStart, null],
    ['kind in the trailer', tailStart + 5, null],
    ['count of blobs', tailStart + 8, null],
    ['id in an entry', lastEntry + 4, null],
    ['type in an entry', lastEntry + 32, null],
    ['length in an entry', lastEntry + 33, null],
    ['hash in an entry', lastEntry + 40, null],
    ['hash of the trailer', length - 20, null],
    ['length of the trailer', length - 8, null],
    ['mark of the end', length - 1, null],
  ];
}

test('a vault that nothing happened to is read whole, and nothing is done about it', async () => {
  const result = await scrub();
  expect(result).toMatchObject({ ...NOTHING_WRONG, packs: 2 });
  expect(result.objects).toBe(readdirSync(storeFile('objects')).length);
  expect(result.bytes).toBeGreaterThan(600_000);
  expect(await vault.listDamages()).toMatchObject({ open: 0, healed: 0, items: [] });
});

describe.each([
  ['content', CONTENT_PACK],
  ['catalog', CATALOG_PACK],
])('in a pack of %s', (kind, path) => {
  test('a flipped bit is found wherever it is, costs what it must, and is healed', async () => {
    const blobs = kind === 'content' ? content : [root];
    for (const [name, offset, lost] of regionsOf(blobs)) {
      const intact = readFileSync(storeFile(path));
      flipBit(storeFile(path), offset);
      const before = damages(await verifyAll(vault));
      const result = await scrub();
      const chunks = lost === null ? 0 : 1;
      expect([name, result]).toEqual([
        name,
        expect.objectContaining({ damagedChunks: chunks, packsToRewrite: 1 - chunks }),
      ]);
      expect([name, before.map(({ code }) => code)]).toEqual([
        name,
        lost === null ? [] : ['chunk_unreadable'],
      ]);
      if (lost !== null) await expectNamedAndHealed(lost);
      await expectAllReadable();
      // Whole again for the next region; what was healed lies in another pack since.
      writeFileSync(storeFile(path), intact);
      if (lost !== null) await moveBack(lost, path);
    }
  });

  async function expectNamedAndHealed(lost: SampleBlob): Promise<void> {
    const { items, open } = await vault.listDamages();
    expect(open).toBe(1);
    expect(items[0]).toMatchObject({
      state: 'open',
      what: 'chunk_unreadable',
      chunkId: lost.chunkId,
      pack: Number(/(\d+)\.pack/.exec(path)?.[1]),
      snapshots: [snapshot.snapshotId],
      devices: [device.deviceId],
    });
    const { domainId, setId } = device;
    const operationId = 'ab'.repeat(16);
    const session = await vault.openSession(device.caller, { operationId, domainId, setId });
    expect(Buffer.from(session.head?.damaged ?? '', 'base64').toString('hex')).toBe(lost.chunkId);
    expect(await healFrom([...content, root])).toBe(1);
    const after = await vault.listDamages();
    expect(after.open).toBe(0);
    expect(after.items.at(-1)).toMatchObject({ state: 'healed', chunkId: lost.chunkId });
    expect(after.items.at(-1)?.healedByPack).toBeGreaterThan(2);
    expect(damages(await verifyAll(vault))).toEqual([]);
  }

  /** Makes the pack that healed rot as well, and puts the chunk's row back to where it was first. */
  async function moveBack(lost: SampleBlob, to: string): Promise<void> {
    const number = Number(/(\d+)\.pack/.exec(to)?.[1]);
    const blobs = kind === 'content' ? content : [root];
    const place = blobs.indexOf(lost);
    const offset = blobs.slice(0, place).reduce((sum, { bytes }) => sum + bytes.length, PACK_HEADER_BYTES);
    await tamper(
      `UPDATE packs SET dead_bytes = dead_bytes + ${lost.bytes.length}
         WHERE number = (SELECT pack FROM chunks WHERE chunk_id = x'${lost.chunkId}');
       UPDATE packs SET dead_bytes = dead_bytes - ${lost.bytes.length} WHERE number = ${number};
       UPDATE chunks SET pack = ${number}, offset = ${offset} WHERE chunk_id = x'${lost.chunkId}'`,
    );
  }
});

/** Changes the index behind the server's back. */
async function tamper(sql: string): Promise<void> {
  opened = await tamperIndex(opened, vault.tenantId, sql);
  vault = await opened.vaults.open(vault.tenantId);
}

describe('packs', () => {
  const packLength = () => readFileSync(storeFile(CONTENT_PACK)).length;

  test('a trailer and a blob that rot both are told apart, and only the blob is lost', async () => {
    const [first] = content;
    flipBit(storeFile(CONTENT_PACK), PACK_HEADER_BYTES + 200);
    flipBit(
      storeFile(CONTENT_PACK),
      packLength() - packTailLength(3) + TRAILER_FIXED_BYTES + 2 * PACK_ENTRY_BYTES + 50,
    );
    expect(await scrub()).toMatchObject({ damagedChunks: 1, packsToRewrite: 1 });
    const { items } = await vault.listDamages();
    expect(items.map(({ chunkId }) => chunkId)).toEqual([first.chunkId]);
    expect(await healFrom(content)).toBe(1);
    expect(damages(await verifyAll(vault))).toEqual([]);
  });

  test('one without its trailer is proven by its blobs, and one that is too long by what it should be', async () => {
    appendFileSync(storeFile(CATALOG_PACK), 'more');
    truncateSync(storeFile(CONTENT_PACK), packLength() - packTailLength(3));
    expect(await scrub()).toMatchObject({ damagedChunks: 0, packsToRewrite: 2 });
    const codes = (await verifyAll(vault)).map(({ code, isWarning, remedy }) => [code, isWarning, remedy]);
    const wanted = ['pack_needs_rewrite', true, 'repack'];
    expect(codes).toEqual([wanted, wanted]);
    await expectAllReadable();
  });

  test('one that is cut or gone costs all that it held, and all of it is healed', async () => {
    truncateSync(storeFile(CONTENT_PACK), packLength() >> 1);
    rmSync(storeFile(CATALOG_PACK));
    expect((await verifyAll(vault)).map(({ code }) => code)).toEqual(['pack_damaged', 'pack_missing']);
    expect(await scrub()).toMatchObject({ damagedChunks: 4, packsToRewrite: 0 });
    const { items } = await vault.listDamages();
    expect(items.map(({ what }) => what).sort()).toEqual([
      'pack_damaged',
      'pack_damaged',
      'pack_damaged',
      'pack_missing',
    ]);
    expect(await healFrom([...content, root])).toBe(4);
    expect(damages(await verifyAll(vault))).toEqual([]);
    await expectAllReadable();
  });

  test('what can be read after all counts again', async () => {
    const bytes = readFileSync(storeFile(CONTENT_PACK));
    rmSync(storeFile(CONTENT_PACK));
    expect(await scrub()).toMatchObject({ damagedChunks: 3 });
    writeFileSync(storeFile(CONTENT_PACK), bytes);
    expect(await scrub()).toMatchObject({ damagedChunks: 0, recoveredChunks: 3 });
    const { open, healed, items } = await vault.listDamages();
    expect([open, healed, items[0]?.healedByPack]).toEqual([0, 3, 1]);
    expect(await verifyAll(vault)).toEqual([]);
  });

  test('a store that is not there is not a vault full of damage', async () => {
    rmSync(storeFile('packs'), { recursive: true });
    await expect(scrub()).rejects.toMatchObject({ code: 'unavailable' });
    expect(await vault.listDamages()).toMatchObject({ open: 0 });
  });

  test('a row that points elsewhere in its pack is quarantined, and healed', async () => {
    await tamper(`UPDATE chunks SET offset = offset + 1 WHERE chunk_id = x'${content[1].chunkId}'`);
    expect(await scrub()).toMatchObject({ damagedChunks: 1 });
    expect((await vault.listDamages()).items[0]).toMatchObject({ what: 'row_without_blob' });
    expect(await healFrom(content)).toBe(1);
    await expectAllReadable();
    expect(damages(await verifyAll(vault))).toEqual([]);
  });

  test('a chunk that moves while its pack is read is left alone', async () => {
    const copy = await (await SampleRun.open(vault, device)).send([content[0]]);
    flipBit(storeFile(CONTENT_PACK), PACK_HEADER_BYTES + 300);
    const file = opened.databaseOf(vault.tenantId);
    const call: VaultIndex['call'] = Reflect.get(VaultIndex.prototype, 'call');
    const calling = vi.spyOn(VaultIndex.prototype, 'call').mockImplementation(function (
      this: VaultIndex,
      name,
      input,
    ) {
      // As a repack does it between the listing and the quarantine.
      if (name === 'quarantineChunks') {
        const database = new BetterSqlite3(file);
        database.exec(`UPDATE chunks SET pack = ${copy.packNumber}, offset = ${PACK_HEADER_BYTES}
          WHERE chunk_id = x'${content[0].chunkId}'`);
        database.close();
      }
      return call.call(this, name, input) as never;
    });
    expect(await scrub()).toMatchObject({ damagedChunks: 0 });
    calling.mockRestore();
    expect(await vault.listDamages()).toMatchObject({ open: 0 });
  });

  test('a bad place of the disk costs the chunk on it, and nothing else', async () => {
    const probe = await openFile(storeFile(CONTENT_PACK), 'r');
    const prototype = Object.getPrototypeOf(probe) as Pick<FileHandle, 'read'>;
    await probe.close();
    const bad = PACK_HEADER_BYTES + content[0].bytes.length + 300_000;
    const read = prototype.read as (...parameters: unknown[]) => Promise<unknown>;
    const reading = vi.spyOn(prototype, 'read').mockImplementation(function (
      this: FileHandle,
      ...parameters: unknown[]
    ) {
      const [, , length, offset] = parameters as [Buffer, number, number, number];
      const isHit = offset <= bad && bad < offset + length;
      if (isHit) return Promise.reject(Object.assign(new Error('i/o error'), { code: 'EIO' })) as never;
      return read.apply(this, parameters) as never;
    });
    const result = await scrub();
    reading.mockRestore();
    // The catalog is shorter than that.
    expect(result).toMatchObject({ damagedChunks: 1, packsToRewrite: 0, packs: 2 });
    const { items } = await vault.listDamages();
    expect(items.map(({ chunkId }) => chunkId)).toEqual([content[1].chunkId]);
    expect(opened.failures).toEqual([]);
  });

  test('a hash that rotted in the index costs nothing', async () => {
    await tamper('UPDATE packs SET hash = zeroblob(32) WHERE number = 1');
    expect(await scrub()).toMatchObject({ damagedChunks: 0, packsToRewrite: 1 });
    await expectAllReadable();
  });
});

describe('objects', () => {
  const objects = (): string[] => readdirSync(storeFile('objects')).map((name) => `objects/${name}`);

  test('altered, cut, missing ones are written again from their rows, byte for byte', async () => {
    const before = new Map(objects().map((path) => [path, readFileSync(storeFile(path))]));
    expect(new Set([...before.keys()].map((path) => path.split('.').at(-1)))).toContain('manifest');
    let place = 0;
    for (const path of before.keys()) {
      if (place % 3 === 0) flipBit(storeFile(path), 20);
      else if (place % 3 === 1) truncateSync(storeFile(path), 5);
      else rmSync(storeFile(path));
      place += 1;
    }
    expect(damages(await verifyAll(vault)).map(({ remedy }) => remedy)).toEqual(
      Array.from({ length: before.size }, () => 'mend'),
    );
    expect(await scrub()).toMatchObject({ rewrittenObjects: before.size, lostObjects: 0 });
    for (const [path, bytes] of before) {
      expect([path, readFileSync(storeFile(path)).equals(bytes)]).toEqual([path, true]);
    }
    expect(await verifyAll(vault)).toEqual([]);
    expect(await vault.listDamages()).toMatchObject({ open: 0, healed: before.size });
    expect(readdirSync(storeFile('incoming'))).toEqual([]);
  });

  test.each([
    ['bytes', 'UPDATE objects SET bytes = zeroblob(10)'],
    ['hashes', 'UPDATE objects SET sha256 = zeroblob(32)'],
  ])('rows whose %s rotted are mended from the files', async (_, sql) => {
    await tamper(sql);
    expect(await scrub()).toMatchObject({ rewrittenObjects: 0, mendedRows: objects().length });
    expect(await verifyAll(vault)).toEqual([]);
  });

  test('one that rotted on both sides is named with its snapshot, once', async () => {
    await tamper("UPDATE objects SET bytes = zeroblob(10) WHERE kind = 'receipt'");
    flipBit(storeFile(objects().find((path) => path.endsWith('.receipt')) ?? ''), 9);
    expect(await scrub()).toMatchObject({ lostObjects: 1 });
    expect(await scrub()).toMatchObject({ lostObjects: 1 });
    const { open, items } = await vault.listDamages();
    expect(open).toBe(1);
    expect(items[0]).toMatchObject({ what: 'object_lost', snapshots: [snapshot.snapshotId] });
  });
});

describe('the order', () => {
  const NEVER = new AbortController().signal;
  const share = (options = {}) => vault.runScrub({ signal: NEVER, bytesPerSecond: null, ...options });

  test('what was read of late is not read again, until half a cycle is over', async () => {
    expect(await share()).toMatchObject({ packs: 0, isComplete: true });
    opened.passHours(15 * 24 + 1);
    expect(await share()).toMatchObject({ packs: 2, isComplete: true });
    expect(await share()).toMatchObject({ packs: 0, isComplete: true });
    opened.passHours(15 * 24 + 1);
    expect(await share()).toMatchObject({ packs: 2 });
  });

  test('a share is what falls to the time that passed, and neither crumbs nor all at once', () => {
    const DAY_MS = 24 * 3_600_000;
    const packBytes = 15 * 2 ** 40;
    const at = (scrubbedMs: number | null) =>
      shareOf({ packBytes, scrubbedMs, indexCheckedMs: null }, 10 * DAY_MS);
    expect(at(null)).toBe(64 * 2 ** 20);
    expect(at(10 * DAY_MS - 1)).toBe(64 * 2 ** 20);
    expect(at(9.5 * DAY_MS)).toBe(2 ** 39);
    expect(at(0)).toBe(2 ** 40);
  });

  test('what a full backup asks for comes first, and is known as read afterwards', async () => {
    const run = await SampleRun.open(vault, device);
    const ids = Buffer.from([...content, root].map(({ chunkId }) => chunkId).join(''), 'hex');
    const ask = async (ageMs: number) => [...(await vault.have(device.caller, run.sessionId, ids, ageMs))];
    expect(await ask(1000)).toEqual([2, 2, 2, 2]);
    expect(await share()).toMatchObject({ packs: 2 });
    expect(await ask(3_600_000)).toEqual([1, 1, 1, 1]);
    opened.passHours(2);
    // The lease is over by then: a new run asks.
    const later = await SampleRun.open(vault, device);
    const flags = await vault.have(device.caller, later.sessionId, ids, 3_600_000);
    expect([...flags]).toEqual([2, 2, 2, 2]);
    flipBit(storeFile(CONTENT_PACK), PACK_HEADER_BYTES + 100);
    expect(await share()).toMatchObject({ packs: 2, damagedChunks: 1 });
    expect([...(await vault.have(device.caller, later.sessionId, ids, 3_600_000))]).toEqual([0, 1, 1, 1]);
  });

  test('it ends when it is told to, and goes on from there', async () => {
    const stop = new AbortController();
    const reads: number[] = [];
    const onProgress = (bytes: number) => {
      reads.push(bytes);
      if (bytes > 100_000) stop.abort(new Error('enough'));
    };
    const stopped = vault.runScrub({ signal: stop.signal, everything: true, onProgress });
    await expect(stopped).rejects.toThrow('enough');
    expect(await share({ budgetMs: 0, everything: true })).toMatchObject({ packs: 0, isComplete: false });
    expect(await share({ everything: true })).toMatchObject({ packs: 2, isComplete: true });
  });
});
