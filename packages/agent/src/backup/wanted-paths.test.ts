import type { ByteString } from '@cofre/shared/bytes';
import { expect, test } from 'vitest';
import { compileExcludes } from '../source/filters.ts';
import { wantedPaths } from './wanted-paths.ts';

const noExcludes = (): boolean => false;

function wanted(roots: string[], excludes: string[], path: string, isFolder = false): boolean {
  const isExcluded = excludes.length === 0 ? noExcludes : compileExcludes(excludes as ByteString[]);
  return wantedPaths(roots as ByteString[], isExcluded)(path as ByteString, isFolder);
}

test('what lies at or below a root is wanted, and nothing else', () => {
  expect(wanted(['home/ana'], [], 'home/ana', true)).toBe(true);
  expect(wanted(['home/ana'], [], 'home/ana/deep/er/file')).toBe(true);
  expect(wanted(['home/ana'], [], 'home/anabel/file')).toBe(false);
  expect(wanted(['home/ana'], [], 'home', true)).toBe(false);
  expect(wanted(['home/ana'], [], '', true)).toBe(false);
});

test('roots may be written with doubled slashes, and be the root of the file system', () => {
  expect(wanted(['home//ana/./'], [], 'home/ana/file')).toBe(true);
  expect(wanted([''], [], 'any/thing')).toBe(true);
  expect(wanted([''], ['*'], '', true)).toBe(true);
});

test('a pattern that fits the path or a folder above it, up to the root, leaves it out', () => {
  expect(wanted(['home'], ['*.tmp'], 'home/ana/x.tmp')).toBe(false);
  expect(wanted(['home'], ['cache/'], 'home/ana/cache/deep/file')).toBe(false);
  expect(wanted(['home'], ['cache/'], 'home/ana/cache')).toBe(true);
  expect(wanted(['home'], ['/home'], 'home/file')).toBe(false);
});

test('a pattern that fits a folder above the root does not matter', () => {
  expect(wanted(['home/ana'], ['/home'], 'home/ana/file')).toBe(true);
});
