import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { catalogKey } from '@cofre/shared/catalog/catalog-key';
import type { ByteString } from '@cofre/shared/bytes';
import { RefsetHash } from '@cofre/shared/format/envelope/refset-hash';
import { sha256 } from '@cofre/shared/hash';
import type { ChunkId, SetId, SnapshotId } from '@cofre/shared/ids';
import * as fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FINGERPRINT_BYTES } from '../fingerprint.ts';
import { EntryFile } from './entry-file.ts';
import { SetCacheReader, SetCacheWriter, type CachedEntry } from './set-cache.ts';
import { setFilesIn } from './set-files.ts';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'cofre-cache-'));
  file = setFilesIn(folder, 'ab'.repeat(16) as SetId).lastRun;
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const journalOf = (cache: string): string => `${cache}.part`;

const snapshotId = 'cd'.repeat(32) as SnapshotId;

function refsetOf(count: number): { refset: Buffer; refsetState: Buffer } {
  const ids = Array.from({ length: count }, (_, number) => sha256(Buffer.from(`id ${number}`)));
  const refset = Buffer.concat(ids.sort((a, b) => a.compare(b)));
  return { refset, refsetState: RefsetHash.empty().state() };
}

const chunkId = fc.nat({ max: 3 }).map((number) => String(number).repeat(64) as ChunkId);
const length = fc.nat({ max: 2 ** 40 });
const latin1 = fc.string({ unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)) });
const content = fc.record({
  fingerprint: fc.uint8Array({ minLength: FINGERPRINT_BYTES, maxLength: FINGERPRINT_BYTES }),
  metadata: fc.uint8Array({ maxLength: 200 }),
  hardLinkTo: fc.oneof(fc.constant(''), latin1),
  slices: fc.array(fc.record({ chunkId, offset: length, length }), { maxLength: 5 }),
});
const component = latin1.filter((name) => name !== '' && !name.includes('/') && !name.includes('\0'));
const somePath = fc.array(component, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'));

const someEntries = fc.array(fc.tuple(somePath, content), { maxLength: 60 }).map((all): CachedEntry[] => {
  const byKey = new Map(all.map(([name, rest]) => [catalogKey(name as ByteString), rest]));
  const keys = [...byKey.keys()].sort();
  return keys.map((key) => {
    const { fingerprint, metadata, hardLinkTo, slices } = byKey.get(key) as (typeof all)[0][1];
    return {
      key,
      fingerprint: Buffer.from(fingerprint),
      metadata: Buffer.from(metadata),
      hardLinkTo,
      slices,
    };
  });
});

/** Entries that fill several blocks. */
function manyEntries(count: number): CachedEntry[] {
  return Array.from({ length: count }, (_, number) => ({
    key: catalogKey(`folder/file-${String(number).padStart(6, '0')}` as ByteString),
    fingerprint: Buffer.alloc(FINGERPRINT_BYTES, number),
    metadata: Buffer.alloc(100, number),
    hardLinkTo: '',
    slices: [
      {
        chunkId: sha256(Buffer.from(String(number >> 3))).toString('hex') as ChunkId,
        offset: number,
        length: 7,
      },
    ],
  }));
}

function write(entries: readonly CachedEntry[], ids = 3): void {
  const writer = new SetCacheWriter(file, journalOf(file));
  for (const entry of entries) writer.add(entry);
  const { refset, refsetState } = refsetOf(ids);
  writer.publish({ snapshotId, refsetState }, refset);
  expect(writer.problem).toBeNull();
}

/** Everything that a cache still gives; null when it is none. */
function readAll(): { entries: CachedEntry[]; refset: Buffer } | null {
  const reader = SetCacheReader.open(file);
  if (reader === null) return null;
  try {
    return { entries: [...reader.entries()], refset: Buffer.concat([...reader.refsetParts()]) };
  } finally {
    reader.close();
  }
}

test('what was written is read again', () => {
  fc.assert(
    fc.property(someEntries, fc.nat({ max: 5 }), (entries, ids) => {
      write(entries, ids);
      const reader = SetCacheReader.open(file);
      const { refset, refsetState } = refsetOf(ids);
      expect(reader?.head).toEqual({ snapshotId, refsetState, refsetCount: ids });
      expect([...(reader?.entries() ?? [])]).toEqual(entries);
      expect(Buffer.concat([...(reader?.refsetParts() ?? [])])).toEqual(refset);
      for (const entry of entries) expect(reader?.find(entry.key)).toEqual(entry);
      reader?.close();
    }),
    { numRuns: 60 },
  );
});

test('many entries, and a refset of several blocks, are read again', () => {
  const entries = manyEntries(5000);
  write(entries, 70_000);
  const all = readAll();
  expect(all?.entries).toEqual(entries);
  expect(all?.refset.equals(refsetOf(70_000).refset)).toBe(true);
});

test('an entry is found by its key when it has been passed, and not before', () => {
  const entries = manyEntries(5000);
  write(entries);
  const reader = SetCacheReader.open(file) as SetCacheReader;
  const [first, last] = [entries[0] as CachedEntry, entries[4999] as CachedEntry];
  const reading = reader.entries();
  expect(reader.find(first.key)).toBeNull();
  reading.next();
  expect(reader.find(first.key)).toEqual(first);
  expect(reader.find(last.key)).toBeNull();
  for (const entry of reading) expect(entry.key > first.key).toBe(true);
  expect(reader.find(last.key)).toEqual(last);
  expect(reader.find(entries[2500]?.key ?? first.key)).toEqual(entries[2500]);
  expect(reader.find(catalogKey('folder/none' as ByteString))).toBeNull();
  reader.close();
  expect(reader.find(first.key)).toBeNull();
  expect([...reader.entries()]).toEqual([]);
  reader.close();
});

test('cut off anywhere it is no cache', () => {
  write(manyEntries(1500), 40_000);
  const bytes = readFileSync(file);
  const ends = [0, 1, 19, 20, 1000, 131_072, 140_000, bytes.length - 21, bytes.length - 20, bytes.length - 1];
  for (const end of ends) {
    writeFileSync(file, bytes.subarray(0, end));
    expect(readAll()).toBeNull();
  }
});

test('a changed byte makes it shorter or none, and never wrong', () => {
  const entries = manyEntries(1500);
  write(entries, 2000);
  const bytes = readFileSync(file);
  const { refset } = refsetOf(2000);
  let shortened = 0;
  let none = 0;
  const isTried = (place: number): boolean =>
    place < 200 || place >= bytes.length - 200 || place % 1499 === 0;
  for (const place of [...bytes.keys()].filter(isTried)) {
    const changed = Buffer.from(bytes);
    changed[place] = (changed[place] as number) ^ 0x41;
    writeFileSync(file, changed);
    const all = readAll();
    if (all === null) {
      none += 1;
      continue;
    }
    shortened += 1;
    expect(all.entries.length).toBeLessThan(entries.length);
    expect(all.entries).toEqual(entries.slice(0, all.entries.length));
    expect(all.refset.equals(refset)).toBe(true);
  }
  expect([shortened > 100, none > 100]).toEqual([true, true]);
});

test('any bytes at all are no cache', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      writeFileSync(file, bytes);
      expect(readAll()).toBeNull();
    }),
  );
  rmSync(file);
  expect(SetCacheReader.open(file)).toBeNull();
  expect(SetCacheReader.open(folder)).toBeNull();
});

test('a run that ends early leaves the cache before it as it is, and its own journal', () => {
  const entries = manyEntries(10);
  write(entries);
  const writer = new SetCacheWriter(file, journalOf(file));
  const read = manyEntries(5000);
  for (const entry of read) writer.add(entry);
  expect(readAll()?.entries).toEqual(entries);
  writer.leave();
  writer.leave();
  expect(readAll()?.entries).toEqual(entries);
  expect([...(EntryFile.open(journalOf(file))?.entries() ?? [])]).toEqual(read);
  // Whoever did not hear that the run is over writes into nothing.
  writer.add(entries[0] as CachedEntry);
  expect(readAll()?.entries).toEqual(entries);
});

test('a killed run leaves what was written out: whole blocks, and all that is older than the pace', async () => {
  const entries = manyEntries(1000);
  const killed = new SetCacheWriter(file, journalOf(file), { flushMs: 1, syncMs: 1 });
  for (const entry of entries) killed.add(entry);
  const before = [...(EntryFile.open(journalOf(file))?.entries() ?? [])];
  expect(before).toEqual(entries.slice(0, before.length));
  expect(before.length).toBeLessThan(entries.length);
  await expect
    .poll(() => [...(EntryFile.open(journalOf(file))?.entries() ?? [])].length)
    .toBe(entries.length);
  killed.leave();
});

test('a journal that was torn or cut anywhere gives what comes before that, and never anything else', () => {
  const entries = manyEntries(3000);
  const killed = new SetCacheWriter(file, journalOf(file));
  for (const entry of entries) killed.add(entry);
  killed.leave();
  const bytes = readFileSync(journalOf(file));
  for (let place = 0; place < bytes.length; place += 4999) {
    const torn = Buffer.from(bytes);
    torn.fill(0, place, place + 512);
    for (const left of [torn, bytes.subarray(0, place)]) {
      writeFileSync(journalOf(file), left);
      const read = [...(EntryFile.open(journalOf(file))?.entries() ?? [])];
      expect(read).toEqual(entries.slice(0, read.length));
      expect(read.length).toBeLessThan(entries.length);
    }
  }
});

test('only its owner may read it', () => {
  write(manyEntries(1));
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('a cache that cannot be written says so and throws nothing', () => {
  const blocked = path.join(folder, 'blocked');
  writeFileSync(blocked, '');
  const writer = new SetCacheWriter(path.join(blocked, 'x.run'), path.join(blocked, 'x.part'));
  expect(writer.problem).toMatch(/^E[A-Z]+$/);
  for (const entry of manyEntries(3)) writer.add(entry);
  const { refset, refsetState } = refsetOf(1);
  writer.publish({ snapshotId, refsetState }, refset);
  writer.leave();
  expect(existsSync(path.join(blocked, 'x.run'))).toBe(false);
  chmodSync(blocked, 0o600);
});

test('an entry that no block holds is left out, and nothing else', () => {
  const entries = manyEntries(3);
  const slice = entries[1]?.slices[0] as CachedEntry['slices'][0];
  const huge = { ...(entries[1] as CachedEntry), slices: Array.from({ length: 1_400_000 }, () => slice) };
  write([entries[0] as CachedEntry, huge, entries[2] as CachedEntry]);
  expect(readAll()?.entries).toEqual([entries[0], entries[2]]);
});
