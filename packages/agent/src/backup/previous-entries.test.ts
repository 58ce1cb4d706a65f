import { catalogKey, pathOfKey } from '@cofre/shared/catalog/catalog-key';
import type { ByteString } from '@cofre/shared/bytes';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { CachedEntry } from './cache/set-cache.ts';
import { PreviousEntries } from './previous-entries.ts';

function cacheOf(paths: readonly string[]) {
  const keys = paths.map((path) => catalogKey(path as ByteString)).sort();
  return {
    *entries(): Generator<CachedEntry> {
      for (const key of keys) yield { key } as CachedEntry;
    },
  };
}

function previous(paths: readonly string[]) {
  const carried: string[] = [];
  const entries = new PreviousEntries(cacheOf(paths), ({ key }, reason) => {
    carried.push(`${pathOfKey(key)} ${reason}`);
  });
  return { entries, carried };
}

const at = (path: string): ByteString => path as ByteString;
const keyOf = (path: string) => catalogKey(at(path));

test('an entry is found once, in step with the walk, and what was passed over is gone', () => {
  const { entries, carried } = previous(['a', 'b', 'c', 'd/e']);
  expect(entries.advanceTo(keyOf('a'))?.key).toBe(keyOf('a'));
  expect(entries.advanceTo(keyOf('bb'))).toBeNull();
  expect(entries.advanceTo(keyOf('c'))?.key).toBe(keyOf('c'));
  expect(entries.advanceTo(keyOf('d'))).toBeNull();
  entries.finish();
  expect(carried).toEqual([]);
});

test('without a cache nothing is found', () => {
  const entries = new PreviousEntries(null, () => expect.unreachable());
  expect(entries.advanceTo(keyOf('a'))).toBeNull();
  entries.finish();
  expect(entries.hasUnknown).toBe(false);
});

test('a path that could not be looked at is carried with all that lies below it', () => {
  const { entries, carried } = previous(['a', 'b', 'b/c', 'b/c/d', 'bb', 'c']);
  entries.advanceTo(keyOf('a'));
  entries.markUnknown(at('b'), keyOf('b'), 'EACCES');
  entries.advanceTo(keyOf('c'));
  entries.finish();
  expect(carried).toEqual(['b EACCES', 'b/c EACCES', 'b/c/d EACCES']);
});

test('of a folder that could not be listed the content is carried, not the folder itself', () => {
  const { entries, carried } = previous(['f', 'f/a', 'f/a/b', 'g']);
  expect(entries.advanceTo(keyOf('f'))).not.toBeNull();
  entries.markContentUnknown(at('f'), 'EIO');
  entries.finish();
  expect(carried).toEqual(['f/a EIO', 'f/a/b EIO']);
});

test('what the walk met in a folder that was listed in part is as the walk says', () => {
  const { entries, carried } = previous([
    'f',
    'f/gone',
    'f/was-folder',
    'f/whole',
    'f/was-folder/x',
    'f/whole/y',
    'f/whole/z',
  ]);
  entries.advanceTo(keyOf('f'));
  entries.markContentUnknown(at('f'), 'EIO');
  for (const path of ['f/was-folder', 'f/whole']) {
    entries.advanceTo(keyOf(path));
    entries.markContentKnown(at(path), keyOf(path));
  }
  entries.advanceTo(keyOf('f/whole/z'));
  entries.finish();
  expect(carried).toEqual(['f/gone EIO']);
});

test('a folder inside a known one can be unknown again', () => {
  const { entries, carried } = previous(['f/a/x', 'f/a/b/y']);
  entries.markContentUnknown(at('f'), 'EIO');
  entries.markContentKnown(at('f/a'), keyOf('f/a'));
  entries.markContentUnknown(at('f/a/b'), 'EACCES');
  entries.finish();
  expect(carried).toEqual(['f/a/b/y EACCES']);
});

test('everything is carried when the root of the file system could not be listed', () => {
  const { entries, carried } = previous(['', 'a', 'a/b']);
  entries.advanceTo(keyOf(''));
  entries.markContentUnknown(at(''), 'EIO');
  entries.finish();
  expect(carried).toEqual(['a EIO', 'a/b EIO']);
});

test('very many entries are passed in parts', () => {
  const paths = Array.from({ length: 3000 }, (_, number) => `f/${String(number).padStart(5, '0')}`);
  const { entries, carried } = previous([...paths, 'g']);
  expect(entries.passSome(keyOf('g'))).toBe(false);
  entries.markContentUnknown(at('f'), 'EIO');
  let parts = 1;
  while (entries.passSome(keyOf('f/02900'))) {
    expect(carried.length).toBeLessThanOrEqual(parts * 1024);
    parts += 1;
  }
  expect(carried).toHaveLength(2900);
  expect(entries.advanceTo(keyOf('f/02900'))).not.toBeNull();
  while (entries.passSome(null)) parts += 1;
  entries.finish();
  expect(carried).toHaveLength(2999);
});

test('what is carried is what a model says, whatever is unknown', () => {
  const segment = fc.constantFrom('a', 'b', 'c');
  const somePath = fc.array(segment, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'));
  fc.assert(
    fc.property(
      fc.uniqueArray(somePath, { maxLength: 40 }),
      fc.array(somePath, { maxLength: 4 }),
      (paths, unknown) => {
        const { entries, carried } = previous(paths);
        for (const path of unknown) entries.markUnknown(at(path), keyOf(path), 'EIO');
        while (entries.passSome(null));
        entries.finish();
        const isBelow = (path: string): boolean =>
          unknown.some((folder) => path === folder || path.startsWith(`${folder}/`));
        const expected = paths.filter(isBelow).toSorted((x, y) => (keyOf(x) < keyOf(y) ? -1 : 1));
        expect(carried).toEqual(expected.map((path) => `${path} EIO`));
      },
    ),
  );
});
