import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Extent } from '@cofre/shared/format/entry';
import { statusOf } from '../platform/file-status.ts';
import { mapSparseFile } from './sparse.ts';
import type { SparseMap } from './sparse.ts';

const KIB = 1024;
const GIB = 1024 ** 3;

let folder: string;
let fd: number;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'cofre-sparse-'));
  fd = fs.openSync(path.join(folder, 'file'), 'w+');
});
afterEach(() => {
  fs.closeSync(fd);
  fs.rmSync(folder, { recursive: true });
});

/** Writes ones at the extents and maps the file, which gets the given size. */
function mapFile(sizeBytes: number, written: readonly Extent[], holesMax?: number): SparseMap {
  for (const { offset, length } of written) fs.writeSync(fd, Buffer.alloc(length, 1), 0, length, offset);
  fs.ftruncateSync(fd, sizeBytes);
  return mapSparseFile(fd, sizeBytes, statusOf(fd).blocks, holesMax);
}

function extent(offset: number, length: number): Extent {
  return { offset, length };
}

// Extents are multiples of 64 KiB: the largest block that usual file systems have.
const unit = 64 * KIB;

describe('a sparse map', () => {
  test('finds holes at the start, in the middle and at the end', () => {
    const data = [extent(unit, unit), extent(4 * unit, 2 * unit)];
    expect(mapFile(10 * unit, data)).toEqual({
      data,
      holes: [extent(0, unit), extent(2 * unit, 2 * unit), extent(6 * unit, 4 * unit)],
    });
  });

  test('of a file that is one hole has no data', () => {
    expect(mapFile(5 * GIB + 1, [])).toEqual({ data: [], holes: [extent(0, 5 * GIB + 1)] });
  });

  test('finds data beyond 4 GiB', () => {
    expect(mapFile(6 * GIB, [extent(5 * GIB, unit)])).toEqual({
      data: [extent(5 * GIB, unit)],
      holes: [extent(0, 5 * GIB), extent(5 * GIB + unit, GIB - unit)],
    });
  });

  test('of a dense, a short and an empty file has no holes', () => {
    expect(mapFile(2 * unit, [extent(0, 2 * unit)])).toEqual({ data: [extent(0, 2 * unit)], holes: [] });
    expect(mapSparseFile(fd, 0, 0)).toEqual({ data: [], holes: [] });
  });

  test('takes written zeros for data', () => {
    fs.writeSync(fd, Buffer.alloc(unit), 0, unit, unit);
    expect(mapFile(3 * unit, [])).toEqual({
      data: [extent(unit, unit)],
      holes: [extent(0, unit), extent(2 * unit, unit)],
    });
  });

  test('ends where it is told, also when the file has grown or shrunk', () => {
    mapFile(10 * unit, [extent(8 * unit, unit)]);
    expect(mapSparseFile(fd, 4 * unit, 0)).toEqual({ data: [], holes: [extent(0, 4 * unit)] });
    const beyond = mapSparseFile(fd, 20 * unit, 0);
    expect(beyond.data[0]).toEqual(extent(8 * unit, unit));
    expect(coveredBytes(beyond)).toBe(20 * unit);
  });

  test('counts the smallest of too many holes as data', () => {
    const written = Array.from({ length: 20 }, (_, index) => extent(index * 2 * unit, unit));
    const map = mapFile(100 * unit, written, 10);
    expect(map).toEqual({ data: [extent(0, 39 * unit)], holes: [extent(39 * unit, 61 * unit)] });
  });

  test('of what cannot seek for holes is one piece of data', () => {
    const status = fs.openSync('/proc/self/status', 'r');
    expect(mapSparseFile(status, 1000, 0)).toEqual({ data: [extent(0, 1000)], holes: [] });
    fs.closeSync(status);
  });
});

function coveredBytes({ data, holes }: SparseMap): number {
  return [...data, ...holes].reduce((sum, { length }) => sum + length, 0);
}
