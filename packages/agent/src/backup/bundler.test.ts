import { catalogKey } from '@cofre/shared/catalog/catalog-key';
import type { ByteString } from '@cofre/shared/bytes';
import { LIMITS } from '@cofre/shared/limits';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { FileStatus } from '../platform/file-status.ts';
import { SeededRandom } from '../../../../test/builders/seeded-random.ts';
import { Bundler, type PendingFile } from './bundler.ts';

const KEY = Buffer.from('0102030405060708', 'hex');

function file(name: string, sizeBytes: number): PendingFile {
  const path = name as ByteString;
  return { path, key: catalogKey(path), status: { sizeBytes } as FileStatus };
}

function bundlesOf(files: readonly PendingFile[], key: Buffer = KEY): string[][] {
  const bundler = new Bundler(key);
  const bundles = files.flatMap((each, place) => bundler.add(each, place));
  bundles.push(bundler.take());
  return bundles.filter((bundle) => bundle.length > 0).map((bundle) => bundle.map(({ path }) => path));
}

const someFiles = fc
  .array(fc.nat({ max: LIMITS.bundledFileBytesMax }), { maxLength: 400 })
  .map((sizes) => sizes.map((size, place) => file(`folder/file-${String(place).padStart(5, '0')}`, size)));

test('bundles hold every file once, in order, and are bounded', () => {
  fc.assert(
    fc.property(someFiles, (files) => {
      const sizeOf = new Map(files.map(({ path, status }) => [path as string, status.sizeBytes]));
      const bundles = bundlesOf(files);
      expect(bundles.flat()).toEqual(files.map(({ path }) => path));
      for (const bundle of bundles) {
        expect(bundle.length).toBeLessThanOrEqual(LIMITS.bundleFilesMax);
        const bytes = bundle.reduce((sum, path) => sum + (sizeOf.get(path) ?? 0), 0);
        expect(bytes).toBeLessThanOrEqual(LIMITS.bundleBytesMax);
      }
    }),
  );
});

test('the same files are bundled alike, and otherwise under another key', () => {
  const random = new SeededRandom(5);
  const files = Array.from({ length: 5000 }, (_, place) => file(`f-${place}`, random.below(20_000)));
  expect(bundlesOf(files)).toEqual(bundlesOf(files));
  expect(bundlesOf(files)).not.toEqual(bundlesOf(files, Buffer.from('1112131415161718', 'hex')));
});

test('a file more at the beginning leaves most bundles as they were', () => {
  const random = new SeededRandom(6);
  const files = Array.from({ length: 20_000 }, (_, place) =>
    file(`f-${String(place).padStart(6, '0')}`, random.below(20_000)),
  );
  const before = new Set(bundlesOf(files).map((bundle) => bundle.join()));
  const after = bundlesOf([file('a-new-one', 12_345), ...files]).map((bundle) => bundle.join());
  const changed = after.filter((bundle) => !before.has(bundle));
  expect(after.length).toBeGreaterThan(25);
  expect(changed.length).toBeLessThanOrEqual(4);
});

test('empty files fill a bundle as well', () => {
  const files = Array.from({ length: 10_000 }, (_, place) => file(`empty-${place}`, 0));
  const bundles = bundlesOf(files);
  expect(Math.max(...bundles.map((bundle) => bundle.length))).toBeLessThanOrEqual(LIMITS.bundleFilesMax);
});

test('a bundle does not stay open behind thousands of entries that need no reading', () => {
  const bundler = new Bundler(KEY);
  expect(bundler.takeLate(1_000_000)).toEqual([]);
  const only = file('only', 10);
  expect(bundler.add(only, 100)).toEqual([]);
  expect(bundler.takeLate(200)).toEqual([]);
  expect(bundler.takeLate(100 + 4096)).toEqual([only]);
  expect(bundler.takeLate(1_000_000)).toEqual([]);
});
