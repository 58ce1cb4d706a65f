import { spawnSync } from 'node:child_process';
import { closeSync, fstatSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { changeTree } from '../../test/builders/change-tree.ts';
import { SeededRandom } from '../../test/builders/seeded-random.ts';
import { buildSmallFiles } from '../../test/builders/small-files.ts';
import { buildSqlDump } from '../../test/builders/sql-dump.ts';

const GIBIBYTE = 1024 ** 3;
const SMALL_FILES = 200_000;
const SEED = 1;
const SLICE_BYTES = 8 * 1024 * 1024;
const CHANGED_SHARE = 0.01;
const CHANGED_PLACES = 10;

/** `scale` is 1 for the sizes that the published figures are for, and less for a quick look. */
export type DataSet = {
  title: string;
  build(folder: string, scale: number): void;
  change(folder: string, seed: number): void;
};

/** Data to measure with, by the names that `--data` takes. Each is made in a folder of its own that doesn't exist. */
export const DATA_SETS: Record<string, DataSet> = {
  'usr-lib': {
    title: "the machine's /usr/lib",
    // Always whole: a part of it would be other data.
    build: (folder) => copyTree('/usr/lib', folder),
    change: changeFiles,
  },
  random: {
    title: 'one file of random bytes (1 GiB)',
    build: (folder, scale) => {
      mkdirSync(folder);
      writeRandom(join(folder, 'random.bin'), Math.round(GIBIBYTE * scale));
    },
    change: (folder, seed) => overwritePlaces(join(folder, 'random.bin'), seed),
  },
  sql: {
    title: 'a SQL dump (1 GiB)',
    build: (folder, scale) => {
      mkdirSync(folder);
      buildSqlDump(join(folder, 'dump.sql'), Math.round(GIBIBYTE * scale), SEED);
    },
    change: (folder, seed) => overwritePlaces(join(folder, 'dump.sql'), seed),
  },
  small: {
    title: 'small files (200,000 of 1 to 8 KiB)',
    build: (folder, scale) => buildSmallFiles(folder, { seed: SEED, files: Math.round(SMALL_FILES * scale) }),
    change: changeFiles,
  },
};

/** GNU cp keeps links, owners, times and attributes, as they have to be backed up. */
function copyTree(source: string, target: string): void {
  const copied = spawnSync('cp', ['-a', '--', source, target], { encoding: 'utf8' });
  if (copied.status !== 0) throw new Error(`${source} could not be copied: ${copied.stderr}`);
}

function writeRandom(file: string, bytes: number): void {
  const random = new SeededRandom(`bench ${SEED}`);
  const descriptor = openSync(file, 'wx');
  for (let written = 0; written < bytes;) {
    written += writeSync(descriptor, random.bytes(Math.min(SLICE_BYTES, bytes - written)));
  }
  closeSync(descriptor);
}

/** One file in a hundred is rewritten, appended to, cut, deleted, renamed, or has a new one beside it. */
function changeFiles(folder: string, seed: number): void {
  const kinds = ['rewritten', 'appended', 'cut', 'added', 'deleted', 'renamed'] as const;
  changeTree(folder, { seed, share: CHANGED_SHARE, kinds });
}

/** One byte in a hundred, in ten places: what a change of "1 % of the files" is to a single large file. */
function overwritePlaces(file: string, seed: number): void {
  const random = new SeededRandom(`bench change ${seed}`);
  const descriptor = openSync(file, 'r+');
  const { size } = fstatSync(descriptor);
  const length = Math.floor((size * CHANGED_SHARE) / CHANGED_PLACES);
  for (let place = 0; place < CHANGED_PLACES; place++) {
    writeSync(descriptor, random.text(length), 0, length, random.below(size - length));
  }
  closeSync(descriptor);
}
