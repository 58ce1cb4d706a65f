import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { refusalOf } from '../../../../test/builders/hostile-bytes.ts';
import type { ByteString } from '../bytes.ts';
import { LIMITS } from '../limits.ts';
import { catalogKey, childrenPrefix, pathOfKey, subtreePrefix, type CatalogKey } from './catalog-key.ts';

/** Any bytes but NUL and the slash, often the ones next to them. */
const byte = fc.oneof(
  fc.constantFrom('\x01', '\xff', '.', '-', '0', 'a'),
  fc
    .integer({ min: 1, max: 255 })
    .filter((code) => code !== 0x2f)
    .map((code) => String.fromCharCode(code)),
);
const name = fc
  .array(byte, { minLength: 1, maxLength: 4 })
  .map((bytes) => bytes.join(''))
  .filter((text) => text !== '.' && text !== '..');
const components = fc.array(name, { maxLength: 5 });

const pathOf = (names: readonly string[]): ByteString => names.join('/') as ByteString;
const keyOf = (names: readonly string[]): CatalogKey => catalogKey(pathOf(names));

/**
 * The order that the design asks for, component by component: at the first folder in which two paths part, what lies
 * in it comes before what lies deeper.
 */
function compare(a: readonly string[], b: readonly string[]): number {
  for (let depth = 0; ; depth++) {
    const [nameA, nameB] = [a[depth], b[depth]];
    if (nameA === undefined || nameB === undefined) return a.length - b.length;
    const [endsA, endsB] = [depth === a.length - 1, depth === b.length - 1];
    if (endsA !== endsB) return endsA ? -1 : 1;
    if (nameA !== nameB) return nameA < nameB ? -1 : 1;
  }
}

describe('the key of a path', () => {
  it.each([
    ['', ''],
    ['a', '\0a'],
    ['home/ana', 'home\0\0ana'],
    ['home/ana/a.txt', 'home\0ana\0\0a.txt'],
  ])('%j is %j', (path, key) => {
    expect(catalogKey(path as ByteString)).toBe(key);
  });

  it('gives the path back', () => {
    fc.assert(
      fc.property(components, (names) => {
        expect(pathOfKey(keyOf(names))).toBe(pathOf(names));
      }),
    );
  });

  it('orders as one compares component by component, siblings together in front of what is deeper', () => {
    fc.assert(
      fc.property(components, components, fc.nat(4), (a, b, shared) => {
        const other = [...a.slice(0, shared), ...b];
        const [left, right] = [keyOf(a), keyOf(other)];
        const order = left < right ? -1 : left > right ? 1 : 0;
        expect(order).toBe(Math.sign(compare(a, other)));
      }),
      { numRuns: 1000 },
    );
  });
});

describe('a prefix', () => {
  it('is shared by exactly what lies in the folder', () => {
    fc.assert(
      fc.property(components, components, fc.nat(5), (folder, rest, shared) => {
        const names = [...folder.slice(0, shared), ...rest];
        const key = keyOf(names);
        const isBelow = names.length > folder.length && folder.every((one, depth) => names[depth] === one);
        expect(key.startsWith(subtreePrefix(pathOf(folder)))).toBe(
          // Below the root everything is, the root itself too: its key is empty.
          folder.length === 0 || isBelow,
        );
        expect(key.startsWith(childrenPrefix(pathOf(folder)))).toBe(
          isBelow && names.length === folder.length + 1,
        );
      }),
      { numRuns: 1000 },
    );
  });
});

describe('a key is refused', () => {
  it.each([
    ['without its mark', 'a'],
    ['that names nothing', '\0'],
    ['that names nothing in a folder', 'a\0\0'],
    ['whose folder has no name', '\0\0a'],
    ['whose folder has no name, deeper', 'a\0\0\0b'],
    ['that lacks its second mark', 'a\0b'],
    ['of this folder', '\0.'],
    ['of the folder above', '\0..'],
    ['through the folder above', '..\0\0a'],
    ['through this folder', 'a\0.\0\0b'],
    ['with a slash in its name', '\0a/b'],
    ['with a slash in its folder', 'a/b\0\0c'],
    ['with a name that is too long', `\0${'a'.repeat(LIMITS.pathComponentBytesMax + 1)}`],
  ])('%s', (_, key) => {
    expect(refusalOf(() => pathOfKey(key as CatalogKey))).toBe('damaged');
  });

  it('unless it is the one way to write its path', () => {
    const bytes = fc.array(fc.constantFrom('\0', '/', '.', 'a'), { maxLength: 8 }).map((all) => all.join(''));
    fc.assert(
      fc.property(bytes, (key) => {
        const written: string[] = [];
        const code = refusalOf(() => written.push(catalogKey(pathOfKey(key as CatalogKey))));
        expect(code === null ? written : [key]).toEqual([key]);
        expect([null, 'damaged']).toContain(code);
      }),
      { numRuns: 1000 },
    );
  });
});
