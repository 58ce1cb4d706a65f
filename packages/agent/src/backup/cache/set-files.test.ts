import {
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { catalogKey, pathOfKey } from '@cofre/shared/catalog/catalog-key';
import type { ByteString } from '@cofre/shared/bytes';
import type { SetId } from '@cofre/shared/ids';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FINGERPRINT_BYTES } from '../fingerprint.ts';
import { SetCacheWriter } from './set-cache.ts';
import {
  forgetJournals,
  journalFilesOf,
  keepAsFull,
  setFilesIn,
  takeUpJournal,
  type JournalFiles,
  type SetFiles,
} from './set-files.ts';

let folder: string;
let files: SetFiles;
let journal: JournalFiles;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'cofre-set-files-'));
  files = setFilesIn(folder, 'ab'.repeat(16) as SetId);
  journal = journalFilesOf(files, 'incremental');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function interruptedRun(...paths: string[]): void {
  const writer = new SetCacheWriter(files.lastRun, journal.current);
  const keys = paths.map((name) => catalogKey(name as ByteString)).sort();
  const fingerprint = Buffer.alloc(FINGERPRINT_BYTES, paths.length);
  for (const key of keys)
    writer.add({ key, fingerprint, metadata: Buffer.alloc(3), hardLinkTo: '', slices: [] });
  writer.leave();
}

function takenUp(): string[] {
  const file = takeUpJournal(journal);
  const told = [...(file?.entries() ?? [])].map(
    ({ key, fingerprint }) => `${pathOfKey(key)} ${fingerprint[0]}`,
  );
  file?.close();
  return told;
}

test('what several interrupted runs read is kept, the newest of each path', () => {
  expect(takenUp()).toEqual([]);
  interruptedRun('a', 'b', 'c', 'd');
  expect(takenUp()).toEqual(['a 4', 'b 4', 'c 4', 'd 4']);
  // Nothing happened since then.
  expect(takenUp()).toEqual(['a 4', 'b 4', 'c 4', 'd 4']);
  interruptedRun('aa', 'b');
  expect(takenUp()).toEqual(['a 4', 'aa 2', 'b 2', 'c 4', 'd 4']);
  interruptedRun('e');
  expect(takenUp()).toEqual(['a 4', 'aa 2', 'b 2', 'c 4', 'd 4', 'e 1']);
});

test('a merge that was cut off is begun anew', () => {
  interruptedRun('a', 'b');
  takenUp();
  interruptedRun('c');
  writeFileSync(`${journal.kept}.tmp`, 'half');
  expect(takenUp()).toEqual(['a 2', 'b 2', 'c 1']);
  expect(readdirSync(folder)).toEqual([path.basename(journal.kept)]);
});

test('kinds have journals of their own, and a run that was finished forgets all of them', () => {
  interruptedRun('a');
  takenUp();
  interruptedRun('b');
  expect(takeUpJournal(journalFilesOf(files, 'full'))).toBeNull();
  forgetJournals(files);
  expect(readdirSync(folder)).toEqual([]);
});

test('the cache of a full run stays when that of the next run takes its place', () => {
  for (const content of ['full', 'full again']) {
    writeFileSync(`${files.lastRun}.new`, content);
    renameSync(`${files.lastRun}.new`, files.lastRun);
    keepAsFull(files);
    writeFileSync(`${files.lastRun}.new`, 'incremental');
    renameSync(`${files.lastRun}.new`, files.lastRun);
    expect(readFileSync(files.lastFull, 'utf8')).toBe(content);
  }
  expect(existsSync(files.lastRun)).toBe(true);
});
