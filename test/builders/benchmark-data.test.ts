import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { buildSmallFiles } from './small-files.ts';
import { buildSqlDump } from './sql-dump.ts';

let base: string;
beforeEach(() => {
  base = fs.mkdtempSync(path.join(os.tmpdir(), 'cofre-data-'));
});
afterEach(() => fs.rmSync(base, { recursive: true }));

describe('a dump of a database', () => {
  test('has exactly the size asked for, compresses like one, and repeats by seed', () => {
    const [first, again, other] = ['a', 'b', 'c'].map((name) => path.join(base, name)) as [
      string,
      string,
      string,
    ];
    buildSqlDump(first, 4_000_001, 1);
    buildSqlDump(again, 4_000_001, 1);
    buildSqlDump(other, 4_000_001, 2);
    const content = fs.readFileSync(first);
    expect(content.length).toBe(4_000_001);
    expect(content.equals(fs.readFileSync(again))).toBe(true);
    expect(content.equals(fs.readFileSync(other))).toBe(false);
    const ratio = content.length / zstdCompressSync(content).length;
    expect(ratio).toBeGreaterThan(4.5);
    expect(ratio).toBeLessThan(8);
  });
});

describe('small files', () => {
  test('are as many and as large as asked for, and none equals another', () => {
    const root = path.join(base, 'small');
    buildSmallFiles(root, { seed: 1, files: 1234, bytesMin: 100, bytesMax: 200, filesPerFolder: 7 });
    const listed = fs.readdirSync(root, { recursive: true, withFileTypes: true });
    const files = listed.filter((one) => one.isFile()).map((one) => path.join(one.parentPath, one.name));
    expect(files.length).toBe(1234);
    const contents = files.map((file) => fs.readFileSync(file));
    expect(contents.every(({ length }) => length >= 100 && length <= 200)).toBe(true);
    expect(new Set(contents.map((content) => content.toString('latin1'))).size).toBe(1234);
  });
});
